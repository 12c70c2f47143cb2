/**
 * @file Arguments of the native module that run JavaScript while they are read, as getters do: they
 * transfer a buffer, or end what the call is about. The call sees what is there after them.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Addon, loadAddon, type NativeCache } from "../../src/engine/native/addon/index.ts";
import { engineAbsent } from "../cli/temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const shape = { size: 8, channels: 3 };
  const pixels = 8 * 8 * 3;
  const normal = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
  let folder: string;
  let addon: Addon;
  let cache: NativeCache;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-getters-"));
    const file = join(folder, "cache");
    writeFileSync(file, new Uint8Array(4 * pixels + 64));
    addon = loadAddon();
    cache = addon.openCache(file, { ...shape, offset: 0, count: 4 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** `options`, of which reading `name` transfers the array first. */
  const taking = <T extends object>(options: T, name: keyof T, { buffer }: ArrayBufferView): T =>
    Object.defineProperty({ ...options }, name, {
      get() {
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        return options[name];
      },
    });
  const openLoader = (labels = new Int32Array(4)) =>
    addon.createLoader(cache, { ...normal, labels, augmentation: "none" });

  test("labels taken after they were read do no harm", () => {
    const labels = new Int32Array(4);
    const options = { ...normal, labels, augmentation: "none" } as const;
    expect(() => addon.createLoader(cache, taking(options, "std", labels))).not.toThrow();
  });

  test.each([0, 1] as const)("fillBatch: array %i is taken", (which) => {
    const arrays = [new Float32Array(pixels), new Int32Array(1)] as const;
    const key = taking({ seed: 0, epoch: 0 }, "epoch", arrays[which]);
    expect(() => addon.fillBatch(openLoader(), ...arrays, Int32Array.of(1), key)).toThrow(
      `${["images", "labels"][which]} lies in a buffer that was transferred away`,
    );
  });

  test("fillBatch: the loader is closed", () => {
    const loader = openLoader();
    const key = {
      seed: 0,
      get epoch() {
        addon.closeLoader(loader);
        return 0;
      },
    };
    const arrays = [new Float32Array(pixels), new Int32Array(1), Int32Array.of(1)] as const;
    expect(() => addon.fillBatch(loader, ...arrays, key)).toThrow("the data set is closed");
  });

  test("normaliseImages, synthesiseImages and warpImage: the pixels are taken", () => {
    const gone = "lies in a buffer that was transferred away";
    const source = new Uint8Array(pixels);
    const plain = taking({ ...shape, ...normal, first: 0 }, "first", source);
    expect(() => addon.normaliseImages(source, new Float32Array(pixels), plain)).toThrow(gone);
    const target = new Uint8Array(pixels);
    const drawn = taking({ size: 8, first: 0, seed: 0 }, "seed", target);
    expect(() => addon.synthesiseImages(target, Int32Array.of(0), drawn)).toThrow(gone);
    const image = new Uint8Array(pixels);
    const matrix = [1, 0, 0, 0, 1, 0];
    expect(() => addon.warpImage(image, taking(shape, "size", image), matrix)).toThrow(gone);
  });

  test("packImages: a stride whose product overflows does not reach outside", () => {
    const raw = { width: 8, height: 8, channels: 3, base: 0, stride: 2 ** 40, planar: false };
    const indices = Int32Array.of(2 ** 24); // times the stride it is 2^64
    const call = () =>
      addon.packImages(new Uint8Array(pixels), raw, indices, new Uint8Array(pixels), {
        ...shape,
        threads: 1,
      });
    expect(call).toThrow("image 16777216 does not lie in the block");
  });

  test("a session that is disposed of while a buffer is described", () => {
    const session = addon.createSession({
      ...{ persistentBytes: 1 << 22, arenaBytes: 0, outputBytes: 0, imageBytes: 0, labelBytes: 0 },
      ...{ slots: 1, threads: 1 },
    });
    const buffer = {
      ...{ id: 0, name: "w", shape: [1 << 20], dtype: "f32", layout: "a", bytes: 1 << 22 },
      region: "persistent",
      get offset() {
        session.dispose();
        return 0;
      },
    };
    expect(() => session.read(buffer)).toThrow("the session is disposed of");
    expect(() => session.readPart(buffer, 0, new Float32Array(1))).toThrow("disposed of");
    expect(() => session.write(buffer, new Float32Array(1 << 20))).toThrow("disposed of");
  });
});
