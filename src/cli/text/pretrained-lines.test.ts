/** @file What is said of weights from elsewhere. */

import { expect, test } from "vitest";
import { pretrainedLines } from "./pretrained-lines.ts";

const note = {
  ...({ formatVersion: 1, type: "pretrained" } as const),
  ...{ source: "x.pth", tensors: 6, replaced: [] },
};

test("events of version 0.1 read as they did", () => {
  expect(pretrainedLines(note)).toEqual(["weights of x.pth: 6 tensors"]);
  expect(pretrainedLines({ ...note, replaced: ["fc.weight"] })).toEqual([
    "weights of x.pth: 6 tensors; the last layer has another width there, and begins anew (fc.weight)",
  ]);
});

test("what images are normalised by", () => {
  const normalization = { mean: [0.498, 0.498, Math.fround(0.498)], std: [0.502, 0.502, 0.502] };
  expect(pretrainedLines({ ...note, normalization })).toEqual([
    "weights of x.pth: 6 tensors",
    "images are normalised as these weights know them: mean 0.498 0.498 0.498, deviation 0.502 0.502 0.502",
  ]);
});

test("where they lay, what was taken for the last layer, and what was left", () => {
  const lines = pretrainedLines({
    ...note,
    ...{ part: "model", prefix: "encoder.", state: "x", lastLayer: "other-classes" },
    ...{ replaced: ["fc.weight", "fc.bias"], otherParts: ["model_ema", ""], leftOut: ['"q"'] },
  });
  expect(lines).toEqual([
    'weights of x.pth: 6 tensors ("model", behind "encoder.", those that it was evaluated with, "x"); the last layer is of other classes there, and begins anew (fc.weight, fc.bias)',
    `not taken: "model_ema", tensors at the file's top (save the one that you want alone)`,
    'left out: "q"',
  ]);
});
