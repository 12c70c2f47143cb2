/**
 * @file Everything that the native module does for long or on other threads, called on the module itself,
 * for processes and workers that are ended meanwhile. `files.cache` holds 8 images of 32 x 32 x 3 at
 * byte 0, `files.photo` is a JPEG.
 */

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
export const addonFile =
  process.env.LRSCOPE_ADDON ??
  fileURLToPath(new URL("../../native/build/Release/lrscope.node", import.meta.url));

export const loadModule = () => require(addonFile);

/** Loads it again, as a second copy of the package would. */
export function loadModuleAgain() {
  delete require.cache[addonFile];
  return require(addonFile);
}

const LENGTH = 1 << 16;
const IMAGE = 32 * 32 * 3;
const shape = { size: 32, channels: 3 };

function openSession(addon, threads = 1) {
  return addon.createSession({
    persistentBytes: 0,
    arenaBytes: 0,
    outputBytes: 4 * LENGTH,
    imageBytes: 4 * LENGTH,
    labelBytes: 64,
    slots: 2,
    threads,
  });
}

function loadProgram(session, instructions = 30) {
  const buffer = (id, region) => ({
    id,
    name: region,
    shape: [LENGTH],
    dtype: "f32",
    layout: "a",
    bytes: 4 * LENGTH,
    region,
    offset: 0,
  });
  const relu = {
    kind: "relu",
    layer: "layer",
    inputs: [0],
    outputs: [1],
    scratch: -1,
    attributes: {},
    implementation: "",
  };
  return session.load({
    name: "program",
    buffers: [buffer(0, "images"), buffer(1, "outputs")],
    instructions: Array.from({ length: instructions }, () => relu),
    scalars: ["seed", "update"],
    outputs: { y: 1 },
    batch: 1,
  });
}

const openCache = (addon, { cache }) => addon.openCache(cache, { ...shape, offset: 0, count: 8 });

function openLoader(addon, files) {
  const handle = openCache(addon, files);
  const labels = Int32Array.from({ length: 8 }, (_, i) => i);
  const normal = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
  const loader = addon.createLoader(handle, { labels, ...normal, augmentation: "photos" });
  return { handle, loader };
}

const scalars = Float64Array.of(0, 0);
const indices = Int32Array.from({ length: 64 }, (_, i) => i % 8);
const augment = { seed: 0, epoch: 1 };

/** A run on so many threads, prepared like those of CALLS. */
export function runOn(addon, threads) {
  const program = loadProgram(openSession(addon, threads));
  return () => program.run(0, scalars);
}

/** name -> (addon, files) -> a function that starts one call, and gives its promise where it has one. */
export const CALLS = {
  run(addon) {
    const program = loadProgram(openSession(addon));
    return () => program.run(0, scalars);
  },
  profile(addon) {
    const program = loadProgram(openSession(addon));
    return () => program.profile(1, scalars);
  },
  time(addon) {
    const program = loadProgram(openSession(addon));
    return () => program.time(0, scalars, 3, 50);
  },
  session(addon) {
    return () => {
      const session = openSession(addon);
      const run = loadProgram(session, 3).run(0, scalars);
      session.images(0).fill(1);
      session.dispose();
      return run;
    };
  },
  fillSession(addon, files) {
    const { loader } = openLoader(addon, files);
    const session = openSession(addon);
    const few = indices.subarray(0, 16);
    return () => addon.fillBatch(loader, session.images(0), session.labels(0), few, augment);
  },
  fillOwn(addon, files) {
    const { loader } = openLoader(addon, files);
    const images = new Float32Array(64 * IMAGE);
    return () => addon.fillBatch(loader, images, new Int32Array(64), indices, augment);
  },
  closeLoader(addon, files) {
    return () => {
      const { loader, handle } = openLoader(addon, files);
      const images = new Float32Array(64 * IMAGE);
      const labels = new Int32Array(64);
      const fills = [0, 1].map(() => addon.fillBatch(loader, images, labels, indices, augment));
      addon.closeLoader(loader);
      addon.closeCache(handle);
      return Promise.allSettled(fills);
    };
  },
  decodeFiles(addon, { photo }) {
    const pixels = new Uint8Array(4 * IMAGE);
    return () => addon.decodeFiles([photo, photo, photo, photo], pixels, { ...shape, threads: 2 });
  },
  resampleImage(addon) {
    const source = new Uint8Array(500 * 500 * 3);
    const raw = { width: 500, height: 500, channels: 3 };
    return () => addon.resampleImage(source, raw, new Uint8Array(IMAGE), shape);
  },
  packImages(addon) {
    const packed = { width: 32, height: 32, channels: 3, base: 0, stride: IMAGE, planar: true };
    const target = new Uint8Array(64 * IMAGE);
    const options = { size: 16, channels: 3, threads: 2 };
    return () => addon.packImages(new Uint8Array(8 * IMAGE), packed, indices, target, options);
  },
  pixelStatistics(addon, files) {
    const handle = openCache(addon, files);
    return () => addon.pixelStatistics(handle, indices, 2);
  },
  damagedBlock(addon, files) {
    const handle = openCache(addon, files);
    const checksums = new Uint32Array(64);
    const options = { first: 0, blockBytes: IMAGE, threads: 2 };
    return () => addon.damagedBlock(handle, checksums, options);
  },
  measureTriad(addon) {
    return () => addon.measureTriad({ elements: 1 << 18, repetitions: 20, threads: 1 });
  },
  refusals(addon) {
    const program = loadProgram(openSession(addon));
    return () => {
      try {
        program.run(7, scalars);
      } catch {
        // As expected: what matters is that throwing does no harm in an environment that ends.
      }
    };
  },
};
