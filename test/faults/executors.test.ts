/**
 * @file A study by every executor: the same bytes, whoever runs its trials; events that make the state that the
 * records tell; and a trial by its task file alone, which no other attempt can write into.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  inProcess,
  NO_PROGRESS,
  openStudy,
  progress,
  type RunStudyOptions,
  readRun,
  resumeStudy,
  runStudy,
  runTaskFile,
  type StudyEvent,
} from "../../src/index.ts";
import { type StudyRequest, studyEvent, subjectKey } from "../../src/record/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  /** Two arms and two seeds; one arm has a range test, the other diverges. */
  const request: StudyRequest = {
    ...{ formatVersion: 2, kind: "compare", source: "synthetic", model: "vanilla" },
    ...{
      optimizers: ["sgd+clr", "sgd@1e38"],
      seeds: [0, 1],
      epochs: 3,
      to: 1,
      reading: "published",
      force: true,
      jobs: 2,
      threads: 1,
    },
    data: { size: 8, limit: 9, validation: 0.2, splitSeed: 0, augment: "default" },
    modelOptions: { widths: [4], hidden: 8 },
    recipe: { batch: 8 },
    answers: { samples: false },
  };
  async function run(name: string, options: RunStudyOptions = {}) {
    const { signal } = options;
    const study = await openStudy(request, {
      out: within(name),
      ...(signal ? { signal } : {}),
    });
    try {
      return await runStudy(study, options);
    } finally {
      study.close();
    }
  }
  const heard: StudyEvent[] = [];
  let whole: Record<string, string>;
  beforeAll(async () => {
    const { failure } = await run("whole", { sink: { event: (event) => void heard.push(event) } });
    expect(failure).toBeNull();
    whole = resultOf(within("whole"));
  });

  test("what two processes at a time emitted makes the state that the records tell", () => {
    // As it is read back from a file.
    const text = heard.map((event) => JSON.stringify(event)).join("\n");
    const read = text.split("\n").map((line) => studyEvent.parse(JSON.parse(line)));
    expect(read).toEqual(heard);
    const state = read.reduce(progress, NO_PROGRESS);
    const { trials, rangeTests } = readRun(within("whole"));
    expect(trials.map(({ trial }) => trial.status)).toEqual([
      ...["done", "done", "diverged", "diverged"],
    ]);
    expect(state.planned).toBe(trials.length);
    expect(Object.keys(state.trials)).toHaveLength(trials.length);
    for (const { trial, metrics } of trials)
      expect(state.trials[subjectKey(trial)]).toMatchObject({ trial, metrics, update: null });
    expect(Object.values(state.rangeTests)).toEqual(rangeTests);
    expect([state.latest, state.data]).toEqual([null, null]);
  });

  test("nothing is left of the tasks", () =>
    expect(existsSync(join(within("whole"), "tasks"))).toBe(false));

  test("in this process: the same bytes", async () => {
    await run("in-process", { executor: inProcess });
    expect(resultOf(within("in-process"))).toEqual(whole);
  });

  describe("interrupted in its second epoch", () => {
    const path = () => within("interrupted");
    const tasks = () => join(path(), "tasks");
    const trialOf = (key: string) =>
      JSON.parse(readFileSync(join(path(), "trials", key, "trial.json"), "utf8"));

    test("tells the attempt of what has not ended, and no path", async () => {
      const stop = new AbortController();
      await expect(
        run("interrupted", {
          executor: inProcess,
          signal: stop.signal,
          sink: {
            event(event) {
              if (event.type === "update" && event.arm === "sgd+clr" && event.epoch === 2)
                stop.abort();
            },
          },
        }),
      ).rejects.toMatchObject({ code: "INTERRUPTED" });
      expect(readdirSync(tasks())).toContain("sgd-clr-0.json");
      expect(readFileSync(join(tasks(), "sgd-clr-0.json"), "utf8")).not.toContain(path());
      expect(trialOf("sgd-clr-0")).toMatchObject({ status: "interrupted", attempt: 1 });
    });

    test("lrscope trial TASK.json runs it from there, and no other attempt", async () => {
      const file = join(tasks(), "sgd-clr-0.json");
      const text = readFileSync(file, "utf8");
      const copy = within("elsewhere.json");
      writeFileSync(copy, text);
      const refused = await cli(["trial", copy]);
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining("is not tasks/sgd-clr-0.json of a run directory"),
      ]);
      const { code, stdout, stderr } = await cli(["trial", file]);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      expect(stdout).toMatch(/sgd\+clr +seed 0 +epoch +3/);
      expect(stdout).not.toMatch(/epoch +1 /);
      expect(trialOf("sgd-clr-0")).toMatchObject({ status: "done" });
    });

    test("one whose attempt is over is refused before it writes", async () => {
      const file = join(tasks(), "sgd-clr-1.json");
      const text = readFileSync(file, "utf8");
      const work = runTaskFile(file, {
        onEvent(event) {
          // Another process has begun the next attempt.
          if (event.type === "trial-started")
            writeFileSync(file, text.replace('"attempt": 1', '"attempt": 2'));
        },
      });
      await expect(work).rejects.toThrow("attempt 2 has begun");
      expect(existsSync(join(path(), "trials/sgd-clr-1/metrics.jsonl"))).toBe(false);
    });

    test("resumed: the same bytes, and nothing is left of the tasks", async () => {
      const { failure } = await resumeStudy(path());
      expect(failure).toBeNull();
      expect(resultOf(path())).toEqual(whole);
      expect(existsSync(tasks())).toBe(false);
    });
  });
});
