/**
 * @file Calls every function of the native module with wrong arguments, drawn from a seed: right ones in
 * which some part, at any depth, is replaced. An error is a good answer, and so is a value; the process
 * must live. The last call is kept in a file, for a process that does not.
 *
 *   node wrong-arguments-child.mjs FILES SEED CALLS
 */

import { writeFileSync } from "node:fs";
import { compileNetwork } from "../../dist/compile/index.js";
import { randomStream } from "../../dist/core/random.js";
import { nativeBackend } from "../../dist/engine/native/index.js";
import { vanilla } from "../../dist/models/index.js";
import { adam } from "../../dist/optimizers/index.js";
import { loadModule } from "./addon-calls.mjs";

const [, , json, seed, count] = process.argv;
const { cache, photo, last } = JSON.parse(json);
const stream = randomStream(Number(seed), "synthetic");
const below = (n) => stream.below(n);
const pick = (list) => list[below(list.length)];

const addon = loadModule();
const backend = nativeBackend({ threads: 1 });
const compiled = compileNetwork({
  network: vanilla({ classes: 4, channels: 3, size: 16, widths: [4, 8], hidden: 8 }),
  backend,
  batch: 4,
  lastBatch: 3,
  optimizer: adam(),
  threads: 1,
  slots: 2,
});
const program = compiled.programs.train;
const persistent = program.buffers.filter(({ region }) => region === "persistent");

const PIXELS = 16 * 16 * 3;
const shape = { size: 16, channels: 3 };
const normal = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };

function detached(Type) {
  const array = new Type(4096);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** Numbers of bytes that a machine may have to give are left out: they would be given. */
const WRONG = [
  ...[() => undefined, () => null, () => true, () => "", () => "name", () => "a\0b"],
  ...[Number.NaN, -0, 0, -1, 1, 0.5, 2, 3, 7, 255, 65535, 1e6, -(2 ** 31), 2 ** 47, 2 ** 53].map(
    (value) => () => value,
  ),
  ...[1e308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => () => value),
  ...[() => 5n, () => Symbol("s"), () => () => {}, () => ({}), () => [], () => [1, 2, 3]],
  () => new Proxy({}, { get: () => 4 }),
  () => Object.defineProperty([], "length", { value: 2 ** 32 - 1 }),
  () =>
    Object.create({
      get size() {
        throw new Error("a getter");
      },
    }),
  ...[Uint8Array, Int8Array, Int32Array, Float32Array, Float64Array, BigInt64Array].flatMap(
    (Type) => [
      () => new Type(0),
      () => new Type(3),
      () => new Type(16),
      () => new Type(new SharedArrayBuffer(64)),
      () => detached(Type),
    ],
  ),
  () => new ArrayBuffer(64),
  () => new DataView(new ArrayBuffer(64)),
  ...["abcd", "A4096a4096a4096a4096a4096a4096a", "a9999a9999a9999a", "aBcd8b", "opaque", "any"].map(
    (text) => () => text,
  ),
  () => handles.cache,
  () => handles.loader,
];

const handles = {};
function openHandles() {
  handles.cache = addon.openCache(cache, { ...shape, offset: 0, count: 8 });
  const labels = new Int32Array(8);
  handles.loader = addon.createLoader(handles.cache, { labels, ...normal, augmentation: "photos" });
  handles.session = addon.createSession(compiled.sessionOptions);
  handles.program = handles.session.load(program);
}
openHandles();
const shared = addon.createSharedMemory(4096);

const augment = { seed: 1, epoch: 1 };
const indices = () => Int32Array.of(0, 3, 7);
const threads = 2;
const layouts = () => {
  const { kind, layer, attributes, inputs, outputs } = pick(program.instructions);
  const operand = (id) => program.buffers.find((buffer) => buffer.id === id);
  return { kind, layer, attributes, inputs: inputs.map(operand), outputs: outputs.map(operand) };
};
const initializer = () =>
  pick([
    { kind: "normal", std: 1 },
    { kind: "uniform", low: 0, high: 1 },
    { kind: "constant", value: 2 },
  ]);

/** Object, name and right arguments of each function. */
const CALLS = [
  [() => addon, "engineInfo", () => []],
  [() => addon, "engineKernels", () => []],
  [() => addon, "chooseLayouts", () => [layouts(), 1, false]],
  [() => addon, "createSession", () => [compiled.sessionOptions]],
  [() => handles.session, "load", () => [program]],
  [() => handles.session, "images", () => [0]],
  [() => handles.session, "labels", () => [1]],
  [() => handles.session, "initialize", () => [pick(persistent), initializer(), 3, 4]],
  [() => handles.session, "read", () => [pick(persistent)]],
  [() => handles.session, "readPart", () => [pick(persistent), 0, new Float32Array(1)]],
  [
    () => handles.session,
    "write",
    () => {
      const buffer = pick(persistent);
      return [buffer, new Float32Array(buffer.shape.reduce((a, b) => a * b, 1))];
    },
  ],
  [() => handles.program, "run", () => [0, new Float64Array(program.scalars.length)]],
  [() => handles.program, "profile", () => [1, new Float64Array(program.scalars.length)]],
  [() => handles.program, "time", () => [0, new Float64Array(program.scalars.length), 2, 3]],
  [
    () => addon,
    "decodeFiles",
    () => [[photo, photo], new Uint8Array(2 * PIXELS), { ...shape, threads }],
  ],
  [
    () => addon,
    "resampleImage",
    () => [
      new Uint8Array(300),
      { width: 10, height: 10, channels: 3 },
      new Uint8Array(PIXELS),
      shape,
    ],
  ],
  [
    () => addon,
    "packImages",
    () => [
      new Uint8Array(8 * PIXELS),
      { width: 16, height: 16, channels: 3, base: 0, stride: PIXELS, planar: true },
      indices(),
      new Uint8Array(3 * PIXELS),
      { ...shape, threads },
    ],
  ],
  [
    () => addon,
    "synthesiseImages",
    () => [new Uint8Array(3 * PIXELS), Int32Array.of(0, 1, 3), { size: 16, first: 0, seed: 0 }],
  ],
  [() => addon, "openCache", () => [cache, { ...shape, offset: 0, count: 8 }]],
  [() => addon, "closeCache", () => [addon.openCache(cache, { ...shape, offset: 0, count: 8 })]],
  [() => addon, "crc32c", () => [new Uint8Array(PIXELS), 7]],
  [
    () => addon,
    "damagedBlock",
    () => [handles.cache, Uint32Array.of(1, 2), { first: 0, blockBytes: 1 << 20, threads }],
  ],
  [() => addon, "pixelStatistics", () => [handles.cache, indices(), threads]],
  [
    () => addon,
    "createLoader",
    () => [handles.cache, { labels: new Int32Array(8), ...normal, augmentation: "digits" }],
  ],
  [
    () => addon,
    "fillBatch",
    () => [handles.loader, new Float32Array(3 * PIXELS), new Int32Array(4), indices(), augment],
  ],
  [() => addon, "loaderImage", () => [handles.loader, 2, augment]],
  [() => addon, "closeLoader", () => [undefined]],
  [
    () => addon,
    "normaliseImages",
    () => [new Uint8Array(PIXELS), new Float32Array(2 * PIXELS), { ...shape, first: 1, ...normal }],
  ],
  [() => addon, "warpImage", () => [new Uint8Array(PIXELS), shape, [1, 0, 0, 0, 1, 0]]],
  [() => addon, "createSharedMemory", () => [4096]],
  [() => addon, "mapSharedMemory", () => [shared, 4096]],
  [() => addon, "canReserve", () => [4096]],
  [() => addon, "measureTriad", () => [{ elements: 64, repetitions: 2, threads: 1 }]],
];
/** Not called: what they are given, they hold this process to. */
const LIMITS = ["limitMemory", "limitProcessorTime"];
const tried = [...LIMITS, ...CALLS.map(([, name]) => name)];
const missed = Object.keys(addon).filter((name) => !tried.includes(name));
if (missed.length > 0) throw new Error(`no call of ${missed.join(", ")} is tried`);

/** A copy in which one part, at a random depth, is something else, or is gone. */
function changed(value) {
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  const keys = isPlain ? Object.keys(value) : [];
  if (keys.length === 0 || below(6) === 0) return pick(WRONG)();
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const key = pick(keys);
  if (below(8) === 0) delete copy[key];
  else copy[key] = changed(value[key]);
  return copy;
}

const shown = (value) => {
  try {
    const text = JSON.stringify(value, (_, v) =>
      typeof v === "bigint" || typeof v === "symbol"
        ? String(v)
        : ArrayBuffer.isView(v)
          ? `${v.constructor.name} ${v.length}`
          : v,
    );
    return text === undefined ? String(value) : text.slice(0, 100_000);
  } catch (error) {
    return String(error);
  }
};

let [errors, values] = [0, 0];
for (let i = 0; i < Number(count); i++) {
  const [object, name, right] = pick(CALLS);
  let args = right();
  for (let changes = 1 + below(2); changes > 0; changes--) args = changed(args);
  if (!Array.isArray(args)) args = [args];
  // Sparse ends stand for arguments that are missing.
  args = Array.from({ length: Math.min(args.length, 8) }, (_, at) => args[at]);
  if (last) writeFileSync(last, `seed ${seed}, call ${i}: ${name}(${args.map(shown).join(", ")})`);
  try {
    const given = object()[name](...args);
    const value = given instanceof Promise ? await given : given;
    if (name === "load") await value.run(0, new Float64Array(program.scalars.length));
    values++;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    errors++;
  }
  if (i % 500 === 499) {
    handles.session.dispose();
    openHandles();
  }
}
console.log(`${errors} errors, ${values} values`);
process.exit(0);
