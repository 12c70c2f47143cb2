/** @file Small texts of the command line: numbers, near words, the command to go on with. */

import { describe, expect, test } from "vitest";
import { accuracy, duration, lossText, plural, rate } from "../../src/cli/text/format.ts";
import { nextCommands } from "../../src/cli/text/next-command.ts";
import { nearest } from "../../src/core/nearest-name.ts";
import type { RangeTestRecord } from "../../src/record/index.ts";
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
    flags: { size: 64, dropLast: true, seed: 3, momentum: undefined },
    given: new Set(["size", "dropLast", "seed", "out"]),
  };
  const found = { rule: "minimum/10", low: 0.004, high: 0.004, interval: null };
  const suggestion = {
    constant: { ...found, rate: 0.004 },
    peak: { ...found, rate: 0.012, baseLr: 0.002 },
  };

  test("train at the constant rate or about the peak, with the flags that bear on them", () =>
    expect(nextCommands({ ...record, suggestion }, call)).toEqual([
      "lrscope train 'my photos/a'\\''b' --optimizer adam --lr 4e-3 --size 64 --drop-last",
      "lrscope train 'my photos/a'\\''b' --optimizer adam --schedule clr --max-lr 0.012 --base-lr 2e-3 --size 64 --drop-last",
    ]));

  test("scales of the rate as they are typed", () => {
    const lrScale = [
      { name: "features", scale: 0.1 },
      { name: "classifier", scale: 1 },
    ];
    const given = new Set(["lrScale"]);
    const [command] = nextCommands(
      { ...record, suggestion },
      { ...call, flags: { lrScale }, given },
    );
    expect(command).toContain("--lr-scale features=0.1,classifier=1");
  });

  test("find again, further or longer, where it cannot say", () => {
    const cannotSay = (remedy: RangeTestRecord["verdict"]["remedy"]) =>
      nextCommands(
        { ...record, suggestion: null, verdict: { kind: "too-flat", message: "", remedy } },
        call,
      );
    const find = "lrscope find 'my photos/a'\\''b' --optimizer adam";
    expect(cannotSay({ to: 1 })).toEqual([`${find} --to 1 --size 64 --drop-last`]);
    expect(cannotSay({ updates: 600, from: 1e-9 })).toEqual([
      `${find} --updates 600 --from 1e-9 --size 64 --drop-last`,
    ]);
  });
});
