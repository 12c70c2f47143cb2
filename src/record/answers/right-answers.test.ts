import { expect, test } from "vitest";
import { MOST_ANSWERS, packAnswers, unpackAnswers } from "./answer-bits.ts";
import { rightAnswers } from "./right-answers.ts";

test("by hand: the first image is the least bit of the first byte", () => {
  const right = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, 1);
  // Bytes 1 and 3: 0x01 0x03.
  expect(packAnswers(right, 4)).toEqual({ formatVersion: 1, epoch: 4, images: 10, bits: "AQM=" });
});

test.each([1, 7, 8, 9, 24, 173, MOST_ANSWERS])("%i images come back as they were", (images) => {
  const right = Uint8Array.from({ length: images }, (_, i) => ((i * i + 3 * i) >> 2) & 1);
  const packed = packAnswers(right, 1)!;
  expect(rightAnswers.parse(packed)).toEqual(packed);
  expect(unpackAnswers(packed)).toEqual(right);
});

test("none of no images, nor of too many", () => {
  expect(packAnswers(new Uint8Array(0), 1)).toBeNull();
  expect(packAnswers(new Uint8Array(MOST_ANSWERS + 1), 1)).toBeNull();
});

test("bits of fewer images, or of more, are none", () => {
  const packed = { formatVersion: 1 as const, epoch: 1, images: 10 };
  expect(unpackAnswers({ ...packed, bits: "AQ==" })).toBeNull();
  expect(unpackAnswers({ ...packed, bits: "AQMB" })).toBeNull();
});

test.each([
  ["no base64", { bits: "%QM=", images: 10 }],
  ["padding within", { bits: "A=M=", images: 10 }],
  ["no images", { bits: "", images: 0 }],
  ["another version", { formatVersion: 2, bits: "AQM=", images: 10 }],
])("refuses %s", (_, change) => {
  const { success } = rightAnswers.safeParse({ formatVersion: 1, epoch: 1, ...change });
  expect(success).toBe(false);
});
