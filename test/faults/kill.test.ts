/**
 * @file kill -9 at instants drawn from a seed: of a trial's process, and of the comparison's. Each time the
 * comparison goes on; what it has in the end is what it would have had without.
 *
 * The gate kills 30 + 4 times; `npm run test:long` 90 + 10 times.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type StudyEvent, type Task, trialRecord } from "../../src/record/index.ts";
import { newestCheckpoint, openRunDirectory, readRecord } from "../../src/store/index.ts";
import { readLease } from "../../src/store/lease-file.ts";
import { runTrials } from "../../src/study/executors/task-runner.ts";
import { sweepFinished } from "../../src/study/run-study.ts";
import { openSetup } from "../../src/study/setup.ts";
import { planOf } from "../../src/train/plan.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, runTiny, TINY, TINY_FLAGS, tinyTrial } from "./tiny.ts";

const LONG = process.env.LRSCOPE_TEST_LONG === "1";
const LANES = 2;
const TRIAL_KILLS = LONG ? 90 : 30;
const COMPARISON_KILLS = LONG ? 10 : 4;
/** Milliseconds: a hundred processes have to start, perhaps on a busy machine. */
const PATIENCE = 600_000;
const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));

/** Numbers in 0 .. 1, the same each time. Source: Steele, Lea, Flood 2014 (splitmix), 32 bits. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** When to kill: so many epochs into this life, and so many milliseconds later. */
const instant = (random: () => number) => ({
  epochs: Math.floor(random() * 3),
  milliseconds: random() * 12,
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const spec: Task<"trial"> = tinyTrial({ epochs: 40 });
  let shared: Parameters<typeof runTrials>[1]["shared"];
  let whole: Record<string, string>;
  beforeAll(async () => {
    await runTiny({ directory: within("whole"), spec });
    whole = resultOf(within("whole"));
    const { setup, dataset } = await openSetup(TINY);
    shared = { setup: TINY, dataset: dataset.record, plan: planOf(setup, spec.optimizer) };
    dataset.close();
  });

  /** One life of the trial. @returns whether it was killed, rather than done */
  async function live(path: string, random: () => number): Promise<boolean> {
    const { epochs, milliseconds } = instant(random);
    const directory = openRunDirectory(path);
    const folder = directory.trialFile(spec.slug, spec.seed, ".");
    let seen = 0;
    let began = false;
    const onEvent = (event: StudyEvent) => {
      if (event.type === "trial-started") began = true;
      if (event.type === "epoch") seen++;
      if (!began || seen !== epochs) return;
      seen = Number.NaN;
      // A trial that ended before its event was read here has no lease: its process was done before.
      const pid = readLease(join(folder, "lock"))?.record?.pid;
      if (pid === undefined) return;
      setTimeout(() => {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It was done before.
        }
      }, milliseconds);
    };
    const signal = new AbortController().signal;
    await runTrials([spec], {
      ...{ directory, shared, jobs: 1, updatesPerEpoch: 4, onEvent, signal },
    });
    const trial = readRecord(join(folder, "trial.json"), trialRecord);
    if (trial.status === "done") return false;
    expect(trial.status).toBe("failed");
    expect(trial.failure).toContain("its process was killed (SIGKILL)");
    expect(trial.ended).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    return true;
  }

  test(`a trial's process, ${TRIAL_KILLS} times: the same bytes in the end`, {
    timeout: PATIENCE,
  }, async () => {
    let kills = 0;
    const lane = async (number: number) => {
      const random = numbers(number);
      for (let life = 0; kills < TRIAL_KILLS; life++) {
        const path = within(`trial-${number}-${life}`);
        mkdirSync(path);
        let before = 0;
        while (await live(path, random)) {
          kills++;
          const found = newestCheckpoint(join(path, "trials/adam-0/checkpoints"));
          expect(found?.record.epoch ?? 0).toBeGreaterThanOrEqual(before);
          before = found?.record.epoch ?? 0;
        }
        // As a study does at its end: one that was killed after its last record left its lock behind.
        sweepFinished(openRunDirectory(path));
        expect(resultOf(path)).toEqual(whole);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    expect(kills).toBeGreaterThanOrEqual(TRIAL_KILLS);
  });

  const flags = [
    ...TINY_FLAGS,
    ...["--optimizers", "adam,sgd+clr@1e-2", "--seeds", "1", "--epochs", "15"],
    ...["--threads", "1", "--no-samples"],
  ];

  /** One life of the comparison. @returns its exit code; null: it was killed */
  function begin(path: string, kill?: ReturnType<typeof instant>): Promise<number | null> {
    const argv = existsSync(join(path, "experiment.json"))
      ? ["compare", "--resume", path]
      : ["compare", ...flags, "--out", path];
    const child: ChildProcess = spawn(process.execPath, [bin, ...argv], { stdio: "pipe" });
    let text = "";
    let armed = kill !== undefined;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on("data", (data: Buffer) => {
        text += data;
        if (!armed || !/going on with|records go to/.test(text)) return;
        if ((text.match(/epoch +\d+ /g)?.length ?? 0) < kill!.epochs) return;
        armed = false;
        setTimeout(() => child.kill("SIGKILL"), kill!.milliseconds);
      });
    return new Promise((resolve) => child.once("close", (code) => resolve(code)));
  }

  test(`the comparison, ${COMPARISON_KILLS} times: the same bytes in the end`, {
    timeout: PATIENCE,
  }, async () => {
    expect(await begin(within("comparison"))).toBe(0);
    const expected = resultOf(within("comparison"));
    let kills = 0;
    const lane = async (number: number) => {
      const random = numbers(100 + number);
      // One that was done before it was killed is not to be killed any more: another is begun.
      for (let life = 0; life === 0 || kills < COMPARISON_KILLS; life++) {
        const path = within(`comparison-${number}-${life}`);
        while (kills < COMPARISON_KILLS && (await begin(path, instant(random))) === null) kills++;
        expect(await begin(path)).toBe(0);
        expect(resultOf(path)).toEqual(expected);
        // Nothing is left of those that died.
        expect(existsSync(join(path, "lock"))).toBe(false);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    expect(kills).toBeGreaterThanOrEqual(COMPARISON_KILLS);
  });
});
