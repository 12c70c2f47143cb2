/** @file A study that is given more after it had ended, or been stopped: as if it had been asked for so at once. */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandOfStudy } from "../../src/arms/study-command.ts";
import { present } from "../../src/core/at.ts";
import {
  inProcess,
  openStudy,
  readRun,
  resumeStudy,
  runStudy,
  type StudyExtension,
  type StudyRequest,
} from "../../src/index.ts";
import { scheduleOfSpec } from "../../src/schedules/text/schedule-of-spec.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, TINY_FLAGS } from "../faults/tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const asked = (rest: Partial<StudyRequest>): StudyRequest => ({
    formatVersion: 2,
    kind: "compare",
    optimizers: ["adam@0.01"],
    seeds: [0],
    epochs: 2,
    source: "synthetic",
    data: { size: 8, limit: 9, validation: 0.2, splitSeed: 0, augment: "default" },
    model: "vanilla",
    modelOptions: { widths: [4], hidden: 8 },
    recipe: { batch: 8 } as StudyRequest["recipe"],
    answers: { samples: false },
    threads: 1,
    ...rest,
  });

  async function made(name: string, rest: Partial<StudyRequest>, stopAfter?: number) {
    const out = within(name);
    const controller = new AbortController();
    const event = (said: { type: string; epoch?: number }) => {
      if (said.type === "update" && said.epoch === (stopAfter ?? 0) + 1 && stopAfter !== undefined)
        controller.abort();
    };
    const study = await openStudy(asked(rest), { out });
    try {
      const run = runStudy(study, {
        executor: inProcess,
        sink: { event },
        signal: controller.signal,
      });
      if (stopAfter === undefined) expect((await run).failure).toBeNull();
      else await expect(run).rejects.toThrow("interrupted");
    } finally {
      study.close();
    }
    return out;
  }

  async function extended(path: string, extension: StudyExtension) {
    const epochs: string[] = [];
    await resumeStudy(path, {
      executor: inProcess,
      extension,
      sink: {
        event(said) {
          if (said.type === "epoch") epochs.push(`${said.arm} ${said.seed} ${said.metrics.epoch}`);
        },
      },
    });
    return epochs;
  }

  /** Records, without what only time or the order of asking changes. */
  const recordsOf = (path: string) => {
    const { experiment, summary, trials } = readRun(path);
    const { created, features, machine, ...rest } = experiment;
    return {
      experiment: rest,
      conclusions: summary?.optimizers.map(({ name, finalValidationAccuracy }) => ({
        name,
        accuracies: finalValidationAccuracy.values,
      })),
      trials: trials.map(({ trial }) => `${trial.arm} ${trial.seed} ${trial.status}`),
    };
  };

  const expectSame = (path: string, whole: string) => {
    expect(resultOf(path)).toEqual(resultOf(whole));
    expect(recordsOf(path)).toEqual(recordsOf(whole));
  };

  test("more epochs at a constant rate are those of the longer run, bit for bit", async () => {
    const path = await made("two", {});
    const whole = await made("four", { epochs: 4 });
    expect(await extended(path, { epochs: 4 })).toEqual(["adam@0.01 0 3", "adam@0.01 0 4"]);
    expectSame(path, whole);
    expect(existsSync(join(path, "trials/adam-0.01-0/checkpoints"))).toBe(false);
  });

  test("a run that was stopped goes on from where it stopped, into the longer one", async () => {
    const path = await made("stopped", {}, 1);
    const whole = await made("three", { epochs: 3 });
    expect(await extended(path, { epochs: 3 })).toEqual(["adam@0.01 0 2", "adam@0.01 0 3"]);
    expectSame(path, whole);
  });

  test("more arms and seeds train what is new alone", async () => {
    const path = await made("one-arm", {});
    const whole = await made("two-arms", {
      optimizers: ["adam@0.01", "sgd+cosine@0.1"],
      seeds: [0, 1],
    });
    const trained = await extended(path, {
      optimizers: ["adam@0.01", "sgd+cosine@0.1"],
      seeds: 2,
    });
    expect(trained.filter((line) => line.startsWith("adam@0.01 0"))).toEqual([]);
    expect(trained).toHaveLength(6);
    expectSame(path, whole);
  });

  test("a schedule as long as the run goes on stretched, or past its end, as it is said", async () => {
    const rates = (path: string) =>
      readFileSync(join(path, "trials/sgd-1cycle-0.1-0/metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).lr as number);
    const optimizers = ["sgd+1cycle@0.1"];
    const path = await made("cycle", { optimizers });
    const before = rates(path);
    const first = scheduleOfSpec(readRun(path).trials[0]!.trial.schedule) as (t: number) => number;
    await expect(extended(path, { epochs: 4 })).rejects.toThrow(
      /--epochs 4 leaves open how the schedule of sgd\+1cycle@0.1 goes on.*--stretch.*--continue/,
    );
    await extended(path, { epochs: 4, schedule: "stretch" });
    // What was trained keeps its rates; what follows has those of the schedule stretched over four epochs.
    expect(rates(path).slice(0, 2)).toEqual(before);
    const updates = readRun(path).trials[0]!.metrics.map(({ update }) => update - 1);
    for (const [i, rate] of rates(path).slice(2).entries())
      expect(rate).toBeCloseTo(first(updates[i + 2]! / 2), 12);
    // The schedule in the records is the one that was used.
    const { trial, metrics } = readRun(path).trials[0]!;
    const schedule = scheduleOfSpec(trial.schedule) as (t: number) => number;
    expect(metrics.map(({ update }) => schedule(update - 1))).toEqual(rates(path));
    expect(readRun(path).experiment.specification?.prolonged).toEqual([
      { epochs: 2, after: 2, schedule: "stretch" },
    ]);
    const report = readFileSync(join(path, "report.html"), "utf8");
    // No flag says the widths of this tiny network.
    const { modelOptions: _, ...sayable } = present(
      readRun(path).experiment.specification,
      "study",
    );
    const command = commandOfStudy(sayable);
    expect(command.words?.join(" ")).toMatch(/--epochs 2 .*--out RUN$/);
    expect(command).toMatchObject({
      followedBy: [["lrscope", "compare", "--resume", "RUN", "--epochs", "4", "--stretch"]],
    });
    expect(report).toContain("made longer from 2 after epoch 2, schedules stretched");

    const past = await made("past", { optimizers });
    await extended(past, { epochs: 3, schedule: "continue" });
    expect(rates(past)[2]).toBeCloseTo(before[1]!, 6);
  });

  test("a momentum that follows a cycle goes on as the cycle does", async () => {
    const optimizers = ["sgd+1cycle@0.1"];
    const path = await made("momentum", { optimizers, momentum: 0.9, momentumSchedule: "inverse" });
    const before = readRun(path).trials[0]!.trial;
    await extended(path, { epochs: 4, schedule: "stretch" });
    const after = readRun(path).trials[0]!.trial;
    const momentum = (of: typeof before) =>
      of.hyperparameterSchedules?.momentum
        ? (scheduleOfSpec(of.hyperparameterSchedules.momentum) as (t: number) => number)
        : (t: number) => {
            throw new Error(`no momentum at ${t}`);
          };
    const updates = 2 * before.updatesPerEpoch;
    const [first, then] = [momentum(before), momentum(after)];
    for (let t = 0; t < updates; t++) expect(then(t)).toBe(first(t));
    for (let t = updates; t < 2 * updates; t++) expect(then(t)).toBeCloseTo(first(t / 2), 12);
  });

  test("a rate of 0, what has no effect and what would take away are refused", async () => {
    const path = await made("falls", { optimizers: ["sgd+cosine@0.1"] });
    const records = () => readFileSync(join(path, "experiment.json"), "utf8");
    const before = records();
    await expect(extended(path, { epochs: 3, schedule: "continue" })).rejects.toThrow(
      "--continue would train sgd+cosine@0.1 at a rate of 0",
    );
    await expect(extended(path, { epochs: 1 })).rejects.toThrow("--epochs 1 is less than the 2");
    await expect(extended(path, { schedule: "stretch" })).rejects.toThrow("without more --epochs");
    await expect(extended(path, { epochs: 2, seeds: 1 })).rejects.toThrow("nothing is asked for");
    await expect(extended(path, { optimizers: ["nadamm"] })).rejects.toThrow(
      'no optimizer "nadamm"',
    );
    const last = join(path, "trials/sgd-cosine-0.1-0/last.safetensors");
    rmSync(last);
    await expect(extended(path, { epochs: 3, schedule: "stretch" })).rejects.toThrow(
      "the last weights of sgd+cosine@0.1, seed 0, are not there",
    );
    expect(records()).toBe(before);
  });

  test("a run that its target ended has nothing to go on with", async () => {
    const path = await made("reached", { epochs: 3, targetAccuracy: 0.01 });
    await expect(extended(path, { epochs: 9 })).rejects.toThrow("nothing of");
    // A new seed has.
    expect(await extended(path, { seeds: 2 })).toEqual(["adam@0.01 1 1"]);
  });

  test("a range test takes more seeds, and its rate is tuned, to what one asked for so says", async () => {
    const call = ["find", ...TINY_FLAGS, "--updates", "40", "--threads", "1", "--no-samples"];
    const [path, whole] = [within("find"), within("find-whole")];
    expect((await cli([...call, "--seeds", "1", "--out", path])).code).toBe(0);
    const tuned = ["--seeds", "3", "--tune", "--tune-epochs", "1", "--force"];
    expect((await cli([...call, ...tuned, "--out", whole])).code).toBe(0);
    const resumed = await cli(["find", "--resume", path, "--seeds", "3"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).not.toContain("seed 0: ");
    const recordOf = (folder: string) => {
      const record = JSON.parse(readFileSync(join(folder, "range-test.json"), "utf8"));
      const { seconds, tuning, ...rest } = record;
      return rest;
    };
    expect(recordOf(path)).toEqual(recordOf(whole));
    expect(readRun(path).experiment.protocol.seeds).toEqual([0, 1, 2]);
    const again = await cli(["find", "--resume", path, "--epochs", "3"]);
    expect([again.code, again.stderr.includes("--epochs has no effect")]).toEqual([2, true]);
  }, 300_000);

  test("a range test goes on to tune its rate, as if it had been asked for at once", async () => {
    const call = [
      ...["find", "synthetic", "--size", "16", "--limit", "60", "--batch", "16"],
      ...["--updates", "100", "--seeds", "2", "--threads", "1", "--no-samples"],
    ];
    const [path, whole] = [within("tuned-later"), within("tuned-at-once")];
    const tune = ["--tune", "--tune-epochs", "1"];
    expect((await cli([...call, "--out", path])).code).toBe(0);
    expect((await cli([...call, ...tune, "--out", whole])).code).toBe(0);
    const resumed = await cli(["find", "--resume", path, ...tune]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stdout).toContain("Tuned rate: ");
    const recordOf = (folder: string) => {
      const text = readFileSync(join(folder, "range-test.json"), "utf8");
      const { seconds, ...rest } = JSON.parse(text);
      return rest;
    };
    expect(recordOf(path)).toEqual(recordOf(whole));
    const confirmed = await cli(["find", "--resume", path, "--confirm"]);
    expect([confirmed.code, confirmed.stderr]).toEqual([
      2,
      expect.stringContaining("has runs of --tune, which are those of --confirm"),
    ]);
  }, 300_000);

  test("from the command line: longer by flags, and what stands beside a new run is refused", async () => {
    const path = within("train");
    const call = ["train", ...TINY_FLAGS, "--threads", "1", "--no-samples", "--optimizer", "adam"];
    expect((await cli([...call, "--epochs", "2", "--out", path])).code).toBe(0);
    const longer = await cli(["train", "--resume", path, "--epochs", "3"]);
    expect(longer.code, longer.stderr).toBe(0);
    expect(readRun(path).trials[0]!.metrics).toHaveLength(3);
    const wrong = await cli(["train", "--resume", path, "--epochs", "4", "--batch", "9"]);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining("--batch has no effect"),
    ]);
    const fresh = await cli([...call, "--stretch"]);
    expect([fresh.code, fresh.stderr]).toEqual([2, expect.stringContaining("without --resume")]);
    const both = await cli(["train", "--resume", path, "--epochs", "4", "--stretch", "--continue"]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("leave one out")]);
  }, 300_000);
});
