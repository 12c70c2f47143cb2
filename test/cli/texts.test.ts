/** @file Small texts of the command line: numbers, near words, the command to go on with. */

import { describe, expect, test } from "vitest";
import { accuracy, duration, lossText, plural, rate } from "../../src/cli/text/format.ts";
import { afterCompare, afterFind, afterTrain, nextLine } from "../../src/cli/text/next-command.ts";
import { nearest } from "../../src/core/nearest-name.ts";
import {
  type RangeTestRecord,
  type StudySpec,
  type SummaryRecord,
  studySpec,
  type TrialRecord,
} from "../../src/record/index.ts";
import { fakeRangeTest } from "../report/fake-records.ts";
import { studyOfCall } from "./study-calls.ts";

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
  const use = { rule: "minimum/10", low: 0.004, high: 0.004, interval: null };
  const suggestion = {
    constant: { ...use, rate: 0.004 },
    peak: { ...use, rate: 0.012, baseLr: 0.002 },
  };
  const found = { ...record, suggestion };
  const places = { source: "my photos/a'b" };
  const START = "Next: lrscope train 'my photos/a'\\''b' --optimizer";

  /** The command that follows a range test that was asked for so. */
  async function next(of: RangeTestRecord, flags: string[] = [], threads?: number) {
    const { study } = await studyOfCall(["find", places.source, ...flags]);
    return afterFind(of, studySpec.parse(study) as StudySpec).map((next) =>
      nextLine(next, { places, threads }),
    );
  }

  test("train at the constant rate or about the peak, with the flags that bear on them", async () => {
    const given = ["--optimizer", "adam", "--size", "64", "--drop-last", "--split-seed", "3"];
    const own = ["--seeds", "3", "--ramp", "linear", "--stop-factor", "4", "--confirm"];
    const kept = "--size 64 --split-seed 3 --batch 64 --drop-last";
    expect(await next(found, [...given, ...own, "--jobs", "2", "--loss", "validation"])).toEqual([
      `${START} adam --lr 4e-3 --epochs 10 ${kept}`,
      `${START} adam --schedule clr --epochs 10 --max-lr 0.012 --base-lr 2e-3 --step-size 5e ${kept}`,
    ]);
  });

  test("scales of the rate as they are typed; cores where they were said", async () =>
    expect((await next(found, ["--lr-scale", "features=0.1,classifier=1"], 4))[1]).toMatch(
      /--lr-scale features=0.1,classifier=1 --threads 4$/,
    ));

  test("the rate that short runs found to be better", async () => {
    const confirmation = { best: 0.012 } as RangeTestRecord["confirmation"];
    const [constant, cycle] = await next({ ...found, confirmation });
    expect(constant).toContain("--lr 0.012");
    expect(cycle).toContain("--max-lr 0.036 --base-lr 6e-3");
  });

  test("the rate that was tuned, on the schedule that it was tuned for", async () => {
    const tuned = (schedule: string | null) => {
      const tuning = { rate: 0.0484, schedule } as RangeTestRecord["tuning"];
      return { ...found, tuning };
    };
    const flags = ["--optimizer", "adam", "--tune", "--tune-epochs", "3"];
    expect(await next(tuned(null), flags)).toEqual([
      `${START} adam --lr 0.0484 --epochs 10 --batch 64`,
    ]);
    expect(await next(tuned("1cycle"), [...flags, "--schedule", "1cycle"])).toEqual([
      `${START} adam --schedule 1cycle --lr 0.0484 --epochs 10 --batch 64`,
    ]);
    expect(await next(tuned("clr"), [...flags, "--schedule", "clr"])).toEqual([
      `${START} adam --schedule clr --epochs 10 --max-lr 0.0484 --step-size 5e --batch 64`,
    ]);
  });

  test("find again with all that it had, further or longer, where it cannot say", async () => {
    const silent = (remedy: RangeTestRecord["verdict"]["remedy"]) => ({
      ...{
        ...record,
        suggestion: null,
        verdict: { kind: "too-flat", message: "", remedy } as const,
      },
    });
    const flags = ["--optimizer", "adam", "--seeds", "3", "--seed", "5", "--size", "64"];
    const start = "Next: lrscope find 'my photos/a'\\''b' --optimizer adam --seeds 3 --seed 5";
    expect(await next(silent({ to: 1 }), [...flags, "--confirm"])).toEqual([
      `${start} --to 1 --confirm --size 64 --batch 64`,
    ]);
    expect(await next(silent({ updates: 600, from: 1e-9 }), [...flags, "--epochs", "2"])).toEqual([
      `${start} --from 1e-9 --updates 600 --size 64 --batch 64`,
    ]);
  });
});

describe("after a comparison", () => {
  const next = async (proposed: SummaryRecord["next"], ...flags: string[]) => {
    const asked = await studyOfCall(["compare", "photos", ...flags]);
    const study = studySpec.parse(asked.study) as StudySpec;
    const of = afterCompare({ next: proposed } as SummaryRecord, study);
    return nextLine(of, { places: { source: "photos" }, threads: undefined });
  };
  const flags = ["--optimizers", "sgd+clr,adam,rmsprop@1e-3", "--epochs", "7", "--clip", "1"];

  test("the two arms alone over new seeds, with all flags", async () => {
    const arms = ["adam", "sgd+clr"];
    const line = await next(
      { kind: "compare", arms, seeds: { first: 3, count: 9 } },
      ...[...flags, "--jobs", "2", "--max-lr", "0.1", "--test", "0.2", "--no-samples"],
    );
    expect(line).toBe(
      "Next: lrscope compare photos --optimizers adam,sgd+clr --seeds 9 --seed 3 --epochs 7 --max-lr 0.1 --test 0.2 --batch 64 --clip 1 --no-samples --jobs 2",
    );
    await studyOfCall(line!.split(" ").slice(2));
  });

  test("how it depends on the rates", async () =>
    expect(await next({ kind: "compare", arms: ["adam"], sensitivity: 5 }, ...flags)).toContain(
      "--optimizers adam --seeds 3 --epochs 7 --sensitivity 5",
    ));

  test("a range test of the arm that guesses, with its settings", async () => {
    const line = await next({ kind: "find", arms: ["sgd(momentum=0.9)+clr"] }, ...flags);
    expect(line).toBe(
      "Next: lrscope find photos --optimizer 'sgd(momentum=0.9)' --seeds 1 --batch 64 --clip 1",
    );
  });

  test("nothing, where no study gives what is proposed", async () =>
    expect(await next(undefined)).toBeNull());
});

describe("after a run", () => {
  const study = async (...flags: string[]) => {
    const asked = await studyOfCall(["train", "photos", ...flags]);
    return studySpec.parse(asked.study) as StudySpec;
  };
  const ended = (status: TrialRecord["status"]) =>
    ({ status, optimizer: { name: "sgd", hyperparameters: {} } }) as TrialRecord;
  const said = { places: { source: "photos" }, threads: undefined };

  test("the same over three seeds", async () => {
    const flags = ["--schedule", "cosine", "--lr", "0.1", "--seed", "4", "--clip", "1"];
    expect(nextLine(afterTrain(ended("done"), await study(...flags)), said)).toBe(
      "Next: lrscope compare photos --optimizers sgd+cosine@0.1 --seeds 3 --seed 4 --epochs 10 --batch 64 --clip 1",
    );
  });

  test("a range test, where it diverged", async () => {
    const flags = ["--schedule", "clr", "--max-lr", "9", "--test", "0.1", "--average", "swa"];
    const line = nextLine(afterTrain(ended("diverged"), await study(...flags)), said);
    expect(line).toBe("Next: lrscope find photos --optimizer sgd --seeds 1 --batch 64");
    await studyOfCall(line!.split(" ").slice(2));
  });

  test("nothing, where it failed", async () =>
    expect(afterTrain(ended("failed"), await study())).toBeNull());
});
