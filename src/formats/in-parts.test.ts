import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../core/errors.ts";
import { type CheckpointInParts, inParts, safetensorsInParts } from "./in-parts.ts";
import { type Checkpoint, encodeSafetensors } from "./safetensors.ts";

async function bytesOf(checkpoint: CheckpointInParts): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of safetensorsInParts(checkpoint)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

/** The same, each tensor read through a window of some values, which the next one is read into. */
const windowed = (checkpoint: Checkpoint, length: number): CheckpointInParts => ({
  ...inParts(checkpoint),
  tensors: new Map(
    [...checkpoint.tensors].map(([name, { shape, data }]) => [
      name,
      {
        ...{ shape, dtype: "F32" },
        async *parts() {
          const window = new Float32Array(length);
          for (let from = 0; from < data.length; from += length) {
            const part = window.subarray(0, Math.min(length, data.length - from));
            part.set((data as Float32Array).subarray(from, from + length));
            yield part;
          }
        },
      },
    ]),
  ),
});

describe("a checkpoint in parts", () => {
  const shape = fc.array(fc.nat(4), { maxLength: 3 });
  const tensor = shape.chain((extents) => {
    const count = extents.reduce((a, b) => a * b, 1);
    const fill = { minLength: count, maxLength: count };
    return fc.float32Array(fill).map((data) => ({ shape: extents, data }));
  });
  const checkpoint = fc
    .tuple(fc.array(fc.tuple(fc.string(), tensor)), fc.dictionary(fc.string(), fc.string()))
    .map(
      ([entries, metadata]): Checkpoint => ({
        tensors: new Map(entries.filter(([name]) => name !== "__metadata__")),
        metadata,
      }),
    );

  test("has the bytes of the one in memory, whatever its parts are", async () => {
    await fc.assert(
      fc.asyncProperty(checkpoint, fc.integer({ min: 1, max: 9 }), async (whole, length) => {
        const bytes = Buffer.from(encodeSafetensors(whole));
        expect(await bytesOf(inParts(whole))).toEqual(bytes);
        expect(await bytesOf(windowed(whole, length))).toEqual(bytes);
      }),
    );
  });

  test("with data of every type", async () => {
    const whole: Checkpoint = {
      tensors: new Map([
        ["bytes", { shape: [3], data: Uint8Array.of(1, 2, 3) }],
        ["doubles", { shape: [1], data: Float64Array.of(0.1) }],
        ["whole", { shape: [2], data: Int32Array.of(4, 5) }],
        ["long", { shape: [1], data: BigInt64Array.of(6n) }],
      ]),
      metadata: {},
    };
    expect(await bytesOf(inParts(whole))).toEqual(Buffer.from(encodeSafetensors(whole)));
  });

  test.each([
    ["fewer values", [Float32Array.of(1)]],
    ["more values", [Float32Array.of(1, 2), Float32Array.of(3)]],
  ])("%s than its shape has are refused", async (_, parts) => {
    const tensors = new Map([["w", { shape: [2], dtype: "F32" as const, parts: () => parts }]]);
    const read = bytesOf({ tensors, metadata: {} });
    await expect(read).rejects.toThrow(WeightsError);
    await expect(read).rejects.toThrow(`"w" must have 2 values; got ${parts.length === 1 ? 1 : 3}`);
  });
});
