/** @file Small texts of the command line: numbers, near words, the command to go on with. */

import { describe, expect, test } from "vitest";
import { accuracy, duration, lossText, plural, rate } from "../../src/cli/text/format.ts";
import { nextCommand } from "../../src/cli/text/next-command.ts";
import { nearest } from "../../src/core/nearest-name.ts";
import { fakeRangeTest } from "../report/fake-records.ts";

test.each([
  [accuracy(0.6134), "61.3%"],
  [accuracy(null), "-"],
  [accuracy(Number.NaN), "-"],
  [rate(0.0123), "0.0123"],
  [rate(1e-3), "1e-3"],
  [lossText(1.23456), "1.2346"],
  [lossText(3.5e32), "3.5e32"],
  [lossText(null), "not finite"],
  [duration(4.21), "4.2 s"],
  [duration(75), "1 min 15 s"],
  [duration(3 * 3600 + 125), "3 h 2 min"],
  [plural(1, "epoch"), "1 epoch"],
  [plural(2934, "image"), "2,934 images"],
])("%s is %s", (found, wanted) => expect(found).toBe(wanted));

test("the nearest word, unless none is near", () => {
  const known = ["find", "train", "compare"];
  expect(nearest("fnid", known)).toBe("find");
  expect(nearest("TRAIN", known)).toBe("train");
  expect(nearest("xyzzy", known)).toBeNull();
});

describe("after a range test", () => {
  const record = fakeRangeTest({ seeds: 1 });
  const call = {
    source: "my photos/a'b",
    optimizer: "adam",
    epochs: 2,
    to: 0.1,
    flags: { size: 64, dropLast: true, seed: 3, momentum: undefined },
    given: new Set(["size", "dropLast", "seed", "out"]),
  };
  const suggestion = { ...record.suggestion, maxLr: 0.012, baseLr: 0.002, bracketed: true };

  test("train, with the bounds and the flags that bear on them", () =>
    expect(nextCommand({ ...record, suggestion, warnings: [] }, call)).toBe(
      "lrscope train 'my photos/a'\\''b' --optimizer adam --schedule clr --max-lr 0.012 --base-lr 2e-3 --size 64 --drop-last",
    ));

  test("scales of the rate as they are typed", () =>
    expect(
      nextCommand(
        { ...record, suggestion, warnings: [] },
        {
          ...call,
          flags: {
            lrScale: [
              { name: "features", scale: 0.1 },
              { name: "classifier", scale: 1 },
            ],
          },
          given: new Set(["lrScale"]),
        },
      ),
    ).toContain("--lr-scale features=0.1,classifier=1"));

  test("find again, further, where the minimum is not bracketed", () =>
    expect(
      nextCommand({ ...record, suggestion: { ...suggestion, bracketed: false } }, call),
    ).toContain("lrscope find 'my photos/a'\\''b' --optimizer adam --to 1 --size 64"));

  test("find again, longer, where the curve is flat", () =>
    expect(
      nextCommand({ ...record, suggestion, warnings: ["too flat to tell: ..."] }, call),
    ).toContain("--epochs 6"));
});
