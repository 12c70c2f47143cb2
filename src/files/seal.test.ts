import { describe, expect, test } from "vitest";
import {
  decodeSafetensors,
  encodeSafetensors,
  inParts,
  safetensorsInParts,
} from "../formats/index.ts";
import { checkSeal, sealed, sealedInParts } from "./seal.ts";

const checkpoint = {
  tensors: new Map([
    ["b", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["a", { shape: [1], data: Float32Array.of(7) }],
  ]),
  metadata: { format: "x" },
};

describe("a seal", () => {
  test("of weights in parts is that of the same in memory, whatever the parts are", async () => {
    const { data } = checkpoint.tensors.get("b")!;
    const cut = new Map(inParts(checkpoint).tensors);
    cut.set("b", { ...cut.get("b")!, parts: () => [data.subarray(0, 1), data.subarray(1)] });
    for (const tensors of [cut, inParts(checkpoint).tensors]) {
      const { metadata } = await sealedInParts({ tensors, metadata: checkpoint.metadata });
      expect(metadata).toEqual(sealed(checkpoint).metadata);
    }
  });

  test("holds for what was written, and not for another value, name or text", async () => {
    const pieces: Uint8Array[] = [];
    for await (const piece of safetensorsInParts(await sealedInParts(inParts(checkpoint))))
      pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    expect(bytes).toEqual(Buffer.from(encodeSafetensors(sealed(checkpoint))));
    checkSeal(decodeSafetensors(bytes, "x"), "x");
    for (const at of [bytes.length - 1, bytes.indexOf('"x"') + 1, bytes.indexOf('"a"') + 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ 1;
      expect(() => checkSeal(decodeSafetensors(changed, "x"), "x")).toThrow("does not match");
    }
  });
});
