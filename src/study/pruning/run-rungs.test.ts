/**
 * @file Rungs with a runner whose trials have given curves: what is decided, against plain re-implementations, in
 * whatever order trials end, and after an interruption at whatever moment.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rungsOf } from "../../arms/pruning.ts";
import { InterruptedError } from "../../core/errors.ts";
import type { Planned, RungDecision, Task, TrialHistory, TrialRecord } from "../../record/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import type { StudyRecords, TaskRunner } from "../run-tasks.ts";
import { runRungs } from "./run-rungs.ts";

/** By arm and seed the accuracies of each epoch. */
type Curves = readonly (readonly (readonly number[])[])[];

function records() {
  const trials = new Map<string, TrialHistory>();
  const decisions: RungDecision[] = [];
  const keyOf = ({ slug, seed }: Pick<TrialRecord, "slug" | "seed">) => `${slug}-${seed}`;
  const keep = (history: TrialHistory) => trials.set(keyOf(history.trial), history);
  const store: StudyRecords = {
    read: () => ({ rangeTests: [], trials: [...trials.values()] }),
    neverBegan: () => undefined,
    history: (of) => trials.get(keyOf(of)) ?? null,
    decisions: () => decisions,
    decided: (taken) => void decisions.push(...taken),
    pruned: (trial) => keep({ trial, metrics: trials.get(keyOf(trial))!.metrics }),
  };
  return { store, decisions, trials, keep };
}

/** Runs one trial after another; those that wait are taken as `pick` says, of the highest rung first. */
function runnerOf(
  curves: Curves,
  kept: ReturnType<typeof records>,
  {
    pick = () => 0,
    stopAfter = Number.POSITIVE_INFINITY,
  }: { pick?: (of: number) => number; stopAfter?: number } = {},
) {
  const ran: string[] = [];
  const runner: TaskRunner = {
    rangeTests: async () => ({ records: [], failed: [] }),
    async trials(tasks, _, more) {
      const queue = [...tasks];
      while (queue.length > 0) {
        const highest = Math.max(...queue.map(({ rung = 0 }) => rung));
        const first = queue.filter(({ rung = 0 }) => rung === highest);
        const task = first[pick(first.length)]!;
        queue.splice(queue.indexOf(task), 1);
        if (ran.length >= stopAfter) throw new InterruptedError();
        ran.push(`${task.arm} ${task.seed} to ${task.until ?? "end"}`);
        const curve = curves[Number(task.arm.slice(1))]![task.seed]!;
        const length = Math.min(task.until ?? curve.length, curve.length);
        kept.keep(historyOf(task, curve.slice(0, length), length === curve.length));
        queue.push(...((await more?.(task)) ?? []));
      }
    },
  };
  return { runner, ran };
}

const historyOf = (task: Task<"trial">, curve: readonly number[], done: boolean) =>
  ({
    trial: { ...task, status: done ? "done" : "paused", divergence: null },
    metrics: curve.map((validationAccuracy, i) => ({ epoch: i + 1, validationAccuracy })),
  }) as unknown as TrialHistory;

const tasksOf = (arms: number, seeds: number, epochs: number): Task<"trial">[] =>
  Array.from({ length: seeds }, (_, seed) =>
    Array.from({ length: arms }, (__, arm) => ({ arm: `a${arm}`, slug: `a${arm}`, seed })),
  )
    .flat()
    .map(
      (of, index, { length }) => ({ kind: "trial", epochs, index, trials: length, ...of }) as never,
    );

type Method = "halving" | "asha" | "median";

const studyOf = (method: Method, epochs: number, finalists = 1): Planned => ({
  epochs,
  pruning: { method, reduction: 3, grace: 1, finalists },
});

const drawn = fc
  .record({ arms: fc.integer({ min: 2, max: 14 }), seeds: fc.integer({ min: 1, max: 3 }) })
  .chain(({ arms, seeds }) =>
    fc.record({
      seeds: fc.constant(seeds),
      curves: fc.array(
        fc.array(
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 }),
          { minLength: seeds, maxLength: seeds },
        ),
        { minLength: arms, maxLength: arms },
      ),
      order: fc.infiniteStream(fc.nat()),
    }),
  );

async function run(
  method: Method,
  { curves, seeds }: { curves: Curves; seeds: number },
  options = {},
) {
  const kept = records();
  const { runner, ran } = runnerOf(curves, kept, options);
  await runRungs(studyOf(method, 10), tasksOf(curves.length, seeds, 10), {
    ...{ records: kept.store, runner, onEvent: () => undefined },
  });
  return { ...kept, ran };
}

/** Epochs that each arm's trials came to. */
const lengths = ({ trials }: ReturnType<typeof records>, arms: number) =>
  Array.from({ length: arms }, (_, arm) =>
    [...trials.values()]
      .filter(({ trial }) => trial.arm === `a${arm}`)
      .map(({ metrics }) => metrics.length),
  );

describe("halving", () => {
  test("leaves at each rung the best third by the mean of the seeds, as a plain loop has it", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ curves, seeds }) => {
        const { ran: _, ...kept } = await run("halving", { curves, seeds });
        const came = new Array<number>(curves.length).fill(10);
        let left = curves.map((own, arm) => ({ own, arm }));
        for (const epoch of [1, 3, 9]) {
          const scored = left.map(({ own, arm }) => {
            let sum = 0;
            for (const curve of own) sum += curve[epoch - 1]!;
            return { own, arm, score: sum / seeds };
          });
          scored.sort((a, b) => b.score - a.score || a.arm - b.arm);
          const stay = Math.max(1, Math.floor(scored.length / 3));
          for (const { arm } of scored.slice(stay)) came[arm] = epoch;
          left = scored.slice(0, stay);
        }
        expect(lengths(kept, curves.length)).toEqual(
          came.map((epochs) => new Array<number>(seeds).fill(epochs)),
        );
        for (const { trial, metrics } of kept.trials.values())
          expect(trial.status).toBe(metrics.length === 10 ? "done" : "pruned");
      }),
      { numRuns: 60 },
    );
  });

  test.each(["halving", "median"] as const)(
    "%s decides the same in whatever order trials end",
    async (method) => {
      await fc.assert(
        fc.asyncProperty(drawn, async ({ curves, seeds, order }) => {
          const inTurn = await run(method, { curves, seeds });
          const pick = (of: number) => order.next().value! % of;
          const mixed = await run(method, { curves, seeds }, { pick });
          expect(mixed.decisions).toEqual(inTurn.decisions);
        }),
        { numRuns: 40 },
      );
    },
  );
});

describe("asha", () => {
  test("with one worker runs what algorithm 2 of Li et al. runs, in its order", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ curves }) => {
        const single = curves.map((own) => own.slice(0, 1));
        const { ran } = await run("asha", { curves: single, seeds: 1 });
        const wanted = algorithm2(single.map(([curve]) => curve!));
        // What follows is of the arms that are let through so that one comes to its end.
        expect(ran.slice(0, wanted.length)).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  test("an arm is decided on once all its seeds are there, and every arm has its end", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ curves, seeds, order }) => {
        const pick = (of: number) => order.next().value! % of;
        const { decisions, trials } = await run("asha", { curves, seeds }, { pick });
        for (const decision of decisions) expect(decision.seeds).toHaveLength(seeds);
        for (const { trial } of trials.values()) expect(isFinished(trial)).toBe(true);
        expect(
          [...trials.values()].filter(({ trial }) => trial.status === "done").length,
        ).toBeGreaterThanOrEqual(seeds);
        const keys = decisions.map(({ arm, rung }) => `${arm} ${rung}`);
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 60 },
    );
  });
});

/** get_job and run_then_return_val_loss, on a list of arms in place of random ones. */
function algorithm2(curves: readonly (readonly number[])[]): string[] {
  const epochs = [1, 3, 9];
  const rungs = epochs.map(() => new Map<number, number>());
  const promoted = epochs.map(() => new Set<number>());
  const jobs: string[] = [];
  let fresh = 0;
  const getJob = (): { arm: number; level: number } | null => {
    for (let k = epochs.length - 1; k >= 0; k--) {
      const all = [...rungs[k]!].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const top = all.slice(0, Math.floor(all.length / 3)).map(([arm]) => arm);
      const candidate = top.find((arm) => !promoted[k]!.has(arm));
      if (candidate === undefined) continue;
      promoted[k]!.add(candidate);
      return { arm: candidate, level: k + 1 };
    }
    return fresh < curves.length ? { arm: fresh++, level: 0 } : null;
  };
  for (let job = getJob(); job; job = getJob()) {
    const epoch = epochs[job.level];
    jobs.push(`a${job.arm} 0 to ${epoch ?? "end"}`);
    if (epoch !== undefined) rungs[job.level]!.set(job.arm, curves[job.arm]![epoch - 1]!);
  }
  return jobs;
}

test.each(["halving", "median"] as const)(
  "%s, interrupted after any trial and gone on with, is what it would have been",
  async (method) => {
    await fc.assert(
      fc.asyncProperty(
        drawn,
        fc.integer({ min: 0, max: 40 }),
        async ({ curves, seeds }, stopAfter) => {
          const whole = await run(method, { curves, seeds });
          const kept = records();
          const study = studyOf(method, 10);
          const tasks = tasksOf(curves.length, seeds, 10);
          const call = (runner: TaskRunner) =>
            runRungs(study, tasks, { records: kept.store, runner, onEvent: () => undefined });
          await call(runnerOf(curves, kept, { stopAfter }).runner).catch((error) => {
            expect(error).toBeInstanceOf(InterruptedError);
          });
          const before = [...kept.decisions];
          await call(runnerOf(curves, kept).runner);
          expect(kept.decisions.slice(0, before.length)).toEqual(before);
          expect(kept.decisions).toEqual(whole.decisions);
          expect(lengths(kept, curves.length)).toEqual(lengths(whole, curves.length));
        },
      ),
      { numRuns: 40 },
    );
  },
);

test("asha, gone on with, keeps what was decided", async () => {
  const curves = Array.from({ length: 9 }, (_, arm) => [new Array<number>(10).fill(arm / 10)]);
  const kept = records();
  const call = (runner: TaskRunner) =>
    runRungs(studyOf("asha", 10), tasksOf(9, 1, 10), {
      ...{ records: kept.store, runner, onEvent: () => undefined },
    });
  await expect(call(runnerOf(curves, kept, { stopAfter: 5 }).runner)).rejects.toThrow(
    InterruptedError,
  );
  const before = [...kept.decisions];
  expect(before.length).toBeGreaterThan(0);
  await call(runnerOf(curves, kept).runner);
  expect(kept.decisions.slice(0, before.length)).toEqual(before);
});

test("a decision that a crash came after is carried out", async () => {
  const curves = [[[0.1, 0.1, 0.1]], [[0.9, 0.9, 0.9]], [[0.5, 0.5, 0.5]]];
  const kept = records();
  const study = studyOf("halving", 3);
  const [, , task] = tasksOf(3, 1, 3);
  kept.keep(historyOf(task!, [0.5], false));
  kept.decisions.push({
    ...{ arm: "a2", rung: 1, epoch: 1, decision: "pruned", seeds: [0], score: 0.5 },
    ...{ rank: 2, of: 3, reason: "" },
  });
  const { runner } = runnerOf(curves, kept);
  await runRungs(study, tasksOf(3, 1, 3), {
    records: kept.store,
    runner,
    onEvent: () => undefined,
  });
  expect(kept.trials.get("a2-0")).toMatchObject({
    trial: { status: "pruned", endedBy: "pruned", rung: 1 },
  });
  expect(kept.decisions.filter(({ arm }) => arm === "a2")).toHaveLength(1);
});

test("rungs lie at powers of the reduction, or at equal steps, all before the end", () => {
  const of = (method: Method, grace: number | undefined, epochs: number) =>
    rungsOf({ method, reduction: 3, finalists: 2, ...(grace ? { grace } : {}) }, { epochs });
  expect(of("halving", 1, 27)).toEqual([1, 3, 9]);
  expect(of("asha", undefined, 27)).toEqual([3, 9]);
  expect(of("median", 4, 12)).toEqual([4, 8]);
  expect(of("median", undefined, 10)).toEqual([2, 4, 6, 8]);
});
