/**
 * @file Preloaded into the command line by tests (NODE_OPTIONS=--require): counts what a process does to
 * files below one folder, and kills it with SIGKILL before the N-th of these operations, or in mid-write.
 * Clocks stand still, so that what a run writes depends on nothing but what it did.
 *
 *   LRSCOPE_TEST_FOLDER  the run directory
 *   LRSCOPE_TEST_KILL    "parent:17": the comparison's process, before its 17th operation;
 *                        "child-2:5": the third process that it starts. Absent: nobody
 *   LRSCOPE_TEST_COUNTS  folder that takes one file a process, with the number of its operations
 */

const fs = require("node:fs");
const Module = require("node:module");
const { join, resolve, sep } = require("node:path");

const folder = process.env.LRSCOPE_TEST_FOLDER;
const counts = process.env.LRSCOPE_TEST_COUNTS;
const isChild = process.env.LRSCOPE_TEST_PARENT !== undefined;
// The originals, for this file's own use.
const { appendFileSync, mkdirSync, writeSync } = fs;

/** "parent", or "child-0", "child-1", ... in the order in which they start. */
const role = isChild ? nextChild() : "parent";
process.env.LRSCOPE_TEST_PARENT = String(process.pid);

function nextChild() {
  for (let number = 0; ; number++)
    try {
      mkdirSync(join(counts, `child-${number}`));
      return `child-${number}`;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
}

const [killed, at] = (process.env.LRSCOPE_TEST_KILL ?? "nobody:0").split(":");
const last = killed === role ? Number(at) : Number.POSITIVE_INFINITY;
let done = 0;

/** Before each operation: the next one is not made any more, where it is its turn. */
function operation(what) {
  done++;
  if (done >= last) {
    appendFileSync(join(counts, "killed"), `${role}:${done} ${what}\n`);
    process.kill(process.pid, "SIGKILL");
    // The signal is delivered at once to the process itself; nothing is done until then.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
}

const root = resolve(folder);
const isWithin = (path) =>
  typeof path === "string" && (resolve(path) === root || resolve(path).startsWith(root + sep));
const relative = (path) => resolve(path).slice(root.length) || ".";
const open = new Map();

for (const name of ["mkdirSync", "mkdtempSync", "rmdirSync", "rmSync", "linkSync", "renameSync"]) {
  const original = fs[name];
  fs[name] = (first, ...rest) => {
    const path = [first, rest[0]].find(isWithin);
    // What is not there is taken away by no operation.
    const changes = name !== "rmSync" || fs.existsSync(first);
    if (path && changes) operation(`${name} ${relative(path)}`);
    return original(first, ...rest);
  };
}
const { openSync, closeSync, ftruncateSync, writeFileSync } = fs;
fs.openSync = (path, flags, ...rest) => {
  const writes = isWithin(path) && flags !== "r" && flags !== undefined;
  if (writes) operation(`openSync ${relative(path)}`);
  const descriptor = openSync(path, flags, ...rest);
  if (writes) open.set(descriptor, relative(path));
  return descriptor;
};
fs.closeSync = (descriptor) => {
  open.delete(descriptor);
  return closeSync(descriptor);
};
fs.writeSync = (descriptor, bytes, offset = 0, ...rest) => {
  const path = open.get(descriptor);
  if (path !== undefined) {
    operation(`writeSync ${path}`);
    // And once more when half of it is written.
    if (done + 1 >= last)
      writeSync(descriptor, bytes, offset, Math.floor((bytes.length - offset) / 2));
    operation(`half of writeSync ${path}`);
  }
  return writeSync(descriptor, bytes, offset, ...rest);
};
fs.ftruncateSync = (descriptor, ...rest) => {
  if (open.has(descriptor)) operation(`ftruncateSync ${open.get(descriptor)}`);
  return ftruncateSync(descriptor, ...rest);
};
fs.writeFileSync = (path, ...rest) => {
  if (isWithin(path)) operation(`writeFileSync ${relative(path)}`);
  return writeFileSync(path, ...rest);
};
Module.syncBuiltinESMExports();

process.on("exit", () => {
  if (counts) appendFileSync(join(counts, `${role}.count`), `${done}\n`);
});

// Clocks: no time passes, and all that is dated is of one day.
performance.now = () => 0;
Date.prototype.toISOString = () => "2026-01-01T00:00:00.000Z";
// Nor does a heartbeat of some seconds come, which a slow machine would have and a quick one not.
const every = globalThis.setInterval;
globalThis.setInterval = (work, milliseconds, ...rest) =>
  every(work, milliseconds >= 1000 ? 2 ** 31 - 1 : milliseconds, ...rest);
// Times that the engine measures: each instruction takes one millisecond.
const load = Module._extensions[".node"];
Module._extensions[".node"] = (module, file) => {
  load(module, file);
  const { createSession } = module.exports;
  if (typeof createSession !== "function") return;
  module.exports = {
    ...module.exports,
    createSession(...options) {
      const session = createSession(...options);
      const { load: loadProgram } = session;
      session.load = (program) => {
        const loaded = loadProgram.call(session, program);
        loaded.profile = async () => new Float64Array(program.instructions.length).fill(1);
        return loaded;
      };
      return session;
    },
  };
};
