/**
 * @file Arrays that a caller gives to be filled: of another type, too short, on memory that is shared,
 * resizable, or transferred away, before the call and within it. Nothing is written where it does not
 * belong, and the error says what was wrong.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AddonError, ArgumentError } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/data/types.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { tinyDataset } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const length = 3 * 8 * 8;
  const indices = Int32Array.of(2, 0, 5);
  let dataset: Dataset;
  let right: { images: Float32Array; labels: Int32Array };
  const arrays = () => ({ images: new Float32Array(3 * length), labels: new Int32Array(4) });
  /** TypeScript's library does not know the option yet. */
  const resizable = (bytes: number): ArrayBuffer =>
    Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: 2 * bytes }]);
  const transferred = <T extends Float32Array | Int32Array>(array: T): T => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    return array;
  };

  beforeAll(async () => {
    ({ dataset } = await tinyDataset());
    right = arrays();
    await dataset.fill({ ...right, indices });
  });
  afterAll(() => dataset?.close());

  test.each<[string, () => object, RegExp]>([
    [
      "images of bytes",
      () => ({ images: new Uint8Array(9e5) }),
      /images must be a Float32Array; got Uint8Array/,
    ],
    [
      "images of doubles",
      () => ({ images: new Float64Array(9e5) }),
      /got Float64Array; copy it with/,
    ],
    ["images in a list", () => ({ images: [1, 2] }), /images must be a Float32Array; got an array/],
    ["a view", () => ({ images: new DataView(new ArrayBuffer(9e5)) }), /got object/],
    ["no images", () => ({ images: undefined }), /images must be a Float32Array; got undefined/],
    [
      "what only says it is one",
      () => ({ images: { [Symbol.toStringTag]: "Float32Array" } }),
      /got object/,
    ],
    [
      "labels of bytes",
      () => ({ labels: new Uint8Array(64) }),
      /labels must be an Int32Array; got Uint8Array/,
    ],
    ["labels of floats", () => ({ labels: new Float32Array(64) }), /labels must be an Int32Array/],
    ["indices of words", () => ({ indices: new Uint32Array(2) }), /indices must be an Int32Array/],
    [
      "a list of indices",
      () => ({ indices: [0, 1] }),
      /indices must be an Int32Array; got an array/,
    ],
    [
      "too few images",
      () => ({ images: new Float32Array(3 * length - 1) }),
      /does not fit 575 values/,
    ],
    ["too few labels", () => ({ labels: new Int32Array(2) }), /and 2 labels/],
    ["no such image", () => ({ indices: Int32Array.of(0, 99) }), /there is no image 99/],
    ["a negative one", () => ({ indices: Int32Array.of(-1) }), /there is no image -1/],
    [
      "images transferred away",
      () => ({ images: transferred(arrays().images) }),
      /images must have its memory/,
    ],
    [
      "labels transferred away",
      () => ({ labels: transferred(arrays().labels) }),
      /labels must have its memory/,
    ],
    [
      "indices transferred away",
      () => ({ indices: transferred(Int32Array.of(1)) }),
      /indices must have its memory/,
    ],
    [
      "labels within the images",
      () => {
        const images = new Float32Array(3 * length);
        return { images, labels: new Int32Array(images.buffer, 64, 4) };
      },
      /images and labels must not share memory/,
    ],
  ])("%s: refused", async (_, change, message) => {
    const filling = dataset.fill({ ...arrays(), indices, ...change() });
    await expect(filling).rejects.toThrow(ArgumentError);
    await expect(filling).rejects.toThrow(message);
  });

  test("at an offset into a larger buffer, only its own bytes are written", async () => {
    const buffer = new ArrayBuffer(4 * (3 * length + 20));
    new Uint8Array(buffer).fill(7);
    const images = new Float32Array(buffer, 16, 3 * length);
    const labels = new Int32Array(buffer, 16 + 12 * length, 4);
    await dataset.fill({ images, labels, indices });
    expect(images).toEqual(right.images);
    expect(labels).toEqual(right.labels);
    expect(new Uint8Array(buffer, 0, 16).every((byte) => byte === 7)).toBe(true);
    expect(new Uint8Array(buffer, 32 + 12 * length).every((byte) => byte === 7)).toBe(true);
  });

  test("shared and resizable memory is filled like any other", async () => {
    for (const buffer of [new SharedArrayBuffer(12 * length), resizable(12 * length)]) {
      const images = new Float32Array(buffer);
      await dataset.fill({ ...arrays(), images, indices });
      expect([...images]).toEqual([...right.images]);
    }
  });

  test.each(["images", "labels"] as const)(
    "%s transferred within the call: it fails",
    async (name) => {
      const given = arrays();
      const filling = dataset.fill({ ...given, indices });
      transferred(given[name]);
      await expect(filling).rejects.toThrow(AddonError);
      await expect(filling).rejects.toThrow(
        `synthetic: ${name} lies in a buffer that was transferred`,
      );
    },
  );

  test("shrunk within the call: it fails", async () => {
    const buffer = resizable(12 * length);
    const images = new Float32Array(buffer);
    const filling = dataset.fill({ ...arrays(), images, indices });
    (buffer as unknown as { resize(bytes: number): void }).resize(64);
    await expect(filling).rejects.toThrow(`images holds 16 values; ${3 * length} are needed`);
  });

  test("once it is closed, the data set says so", async () => {
    const { dataset: other } = await tinyDataset();
    other.close();
    const filling = other.fill({ ...arrays(), indices });
    await expect(filling).rejects.toThrow(AddonError);
    await expect(filling).rejects.toThrow("synthetic: the data set is closed");
  });

  test("a session's own slots are written in place, and outlive the session", async () => {
    const session = await nativeBackend({ threads: 1 }).openSession({
      persistentBytes: 0,
      arenaBytes: 0,
      outputBytes: 0,
      imageBytes: 12 * length,
      labelBytes: 16,
      slots: 1,
      threads: 1,
    });
    const [images, labels] = [session.images(0), session.labels(0)];
    const filling = dataset.fill({ images, labels, indices });
    session.dispose();
    await filling;
    expect([...images]).toEqual([...right.images]);
    expect([...labels]).toEqual([...right.labels]);
  });
});
