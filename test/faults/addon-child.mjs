/**
 * @file A process whose workers are terminated, or that ends itself, within calls of the native module.
 *
 *   node addon-child.mjs terminate FILES FIRST LAST   workers, one after the other, each in its nth call
 *   node addon-child.mjs together FILES               two workers at once beside the main thread's calls
 *   node addon-child.mjs train FILES                  workers that train, each in its nth update
 *   node addon-child.mjs leave FILES NAME             process.exit() right after the call
 *   node addon-child.mjs forget FILES NAME            calls whose objects are collected before they are done
 *   node addon-child.mjs wait FILES NAME              ends by itself, with the call in flight
 */

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";

const [, , mode, json, ...rest] = process.argv;
const files = JSON.parse(json);

function start(name, more = {}) {
  const begun = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { name, files, begun, ...more };
  return started("./addon-worker.mjs", workerData, begun);
}

function started(script, workerData, begun) {
  const worker = new Worker(new URL(script, import.meta.url), { workerData });
  const failure = new Promise((_, reject) => worker.on("error", reject));
  failure.catch(() => {});
  return { worker, begun, failure };
}

/** Blocks until the worker has begun so many calls, then ends it. */
async function endAt({ worker, begun, failure }, calls) {
  for (let now = Atomics.load(begun, 0); now < calls; now = Atomics.load(begun, 0))
    if (Atomics.wait(begun, 0, now, 10_000) === "timed-out") await Promise.race([failure, null]);
  await Promise.race([failure, worker.terminate()]);
}

if (mode === "terminate") {
  // The names are known without loading the module, which only the workers have at first.
  const [first, last, ...names] = rest;
  let ended = 0;
  for (const name of names)
    for (let calls = Number(first); calls <= Number(last); calls++) {
      await endAt(start(name, { again: calls % 4 === 3 }), calls);
      ended++;
    }
  const { CALLS, loadModule } = await import("./addon-calls.mjs");
  for (const name of names) await CALLS[name](loadModule(), files)();
  console.log(`terminated ${ended}, and all still works`);
} else if (mode === "forget") {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const { CALLS, loadModule } = await import("./addon-calls.mjs");
  // Many, so that the collector's finalizers find most of them waiting.
  const begin = (name) => {
    const call = CALLS[name](loadModule(), files);
    return Array.from({ length: 200 }, call);
  };
  const calls = rest.map(begin);
  for (let round = 0; round < 3; round++) {
    collect();
    await setImmediate();
  }
  await Promise.all(calls.flat());
  console.log("all are done");
} else if (mode === "train") {
  for (const updates of [1, 2, 3, 5, 8]) {
    const counted = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { updates: counted, cacheDir: files.folder };
    const { worker, failure } = started("./train-worker.mjs", workerData, counted);
    // Not blocking: loading the sources takes the main thread's help.
    for (let now = 0; now < updates; now = Atomics.load(counted, 0))
      await Promise.race([failure, Atomics.waitAsync(counted, 0, now).value]);
    await Promise.race([failure, worker.terminate()]);
  }
  console.log("trained");
} else if (mode === "together") {
  const { CALLS, loadModule } = await import("./addon-calls.mjs");
  const run = CALLS.run(loadModule(), files);
  for (let calls = 1; calls <= 8; calls++) {
    const both = [start("run"), start("fillSession")];
    const own = [run(), run()];
    await Promise.all(both.map((each, i) => endAt(each, calls + i)));
    await Promise.all(own);
  }
  console.log("together");
} else {
  const { CALLS, loadModule } = await import("./addon-calls.mjs");
  const call = CALLS[rest[0]](loadModule(), files);
  const calls = [call(), call()];
  if (mode === "leave") {
    console.log("leaving");
    process.exit(0);
  }
  let done = false;
  Promise.all(calls).then(() => {
    done = true;
  });
  process.on("exit", () => console.log(done ? "done" : "ended before the call"));
}
