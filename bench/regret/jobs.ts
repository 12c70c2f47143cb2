/**
 * @file The runs of the regret study, in the order in which they are worth most: a study that is broken off
 * has the tables of its first priorities.
 */

import { gridOf, OPTIMIZER_NAMES, type OptimizerName } from "./tasks.ts";

/** A training run at one rate of the grid. */
export interface GridJob {
  readonly kind: "grid";
  readonly optimizer: OptimizerName;
  /** Constant, or greatest of a triangular cycle. */
  readonly rate: number;
  /** 0: a constant rate; else cycles over the run. */
  readonly cycles: number;
  /** Greatest over least rate of a cycle; 1 where the rate is constant. */
  readonly ratio: number;
  readonly seed: number;
  readonly priority: number;
}

/** A line that was written of it. */
export type GridResult = Omit<GridJob, "priority"> & { readonly accuracy: number | null };

/** The curve of one range test, without a reading. */
export interface RangeTestJob {
  readonly kind: "range-test";
  readonly optimizer: OptimizerName;
  /** Ends of the ramp; null: it finds them itself. */
  readonly from: number | null;
  readonly to: number | null;
  /** In all, those that find the ends among them. */
  readonly updates: number;
  readonly seed: number;
  readonly priority: number;
}

export type Job = GridJob | RangeTestJob;

const GRID_KEY = ["kind", "optimizer", "rate", "cycles", "ratio", "seed"];
const TEST_KEY = ["kind", "optimizer", "from", "to", "updates", "seed"];

/** What tells runs of a task apart: of a job, or of a line that was written of it. */
export const keyOf = (job: { readonly kind: string }): string =>
  (job.kind === "grid" ? GRID_KEY : TEST_KEY)
    .map((name) => (job as Record<string, unknown>)[name])
    .join(" ");

const SEEDS = [0, 1, 2];
/** Seeds of range tests: others than the grid's, as a user's next run has another seed too. */
const TEST_SEEDS = [10, 11, 12, 13, 14, 15];

/** Cycles over the run, and greatest over least rate: the published 6 once a run; then what they change. */
const CYCLES = [
  { cycles: 1, ratio: 6, varied: false },
  { cycles: 3, ratio: 6, varied: true },
  { cycles: 1, ratio: 25, varied: true },
];

/** Of these tasks and optimizers alone, what cycle length and least rate change. */
const isVaried = (task: string, optimizer: OptimizerName) =>
  ["mnist vanilla", "fashion mlp", "flowers-32 vanilla", "flowers-32 plain"].includes(task) &&
  ["sgd", "momentum", "adam"].includes(optimizer);

export function jobsOf(task: string): Job[] {
  const jobs: Job[] = [];
  for (const seed of SEEDS)
    for (const optimizer of OPTIMIZER_NAMES)
      for (const rate of gridOf(optimizer)) {
        const grid = { kind: "grid", optimizer, rate, seed } as const;
        jobs.push({ ...grid, cycles: 0, ratio: 1, priority: seed === 0 ? 0 : 1 });
        for (const { cycles, ratio, varied } of CYCLES)
          if (!varied) jobs.push({ ...grid, cycles, ratio, priority: seed === 0 ? 0 : 1 });
          else if (isVaried(task, optimizer))
            jobs.push({ ...grid, cycles, ratio, priority: seed === 0 ? 2 : 3 });
      }
  for (const optimizer of OPTIMIZER_NAMES)
    for (const updates of [200, 100, 50])
      for (const to of [0.1, 10, null])
        for (const seed of TEST_SEEDS) {
          const from = to === null ? null : 1e-7;
          const priority = seed < 13 ? 0 : 3;
          jobs.push({ kind: "range-test", optimizer, from, to, updates, seed, priority });
        }
  return jobs;
}

/** Points by which a rate's first seed may lose against the best, for further seeds to come early. */
const NEAR = 0.2;

/**
 * Put off to the last priority: further seeds of rates which the first showed to be far from the best, since
 * hardly anything that is read of the study depends on them.
 * @param lines what was measured of the task
 */
export function inOrder(jobs: readonly Job[], lines: readonly GridResult[]): Job[] {
  const groupOf = ({ optimizer, cycles, ratio }: Pick<GridJob, "optimizer" | "cycles" | "ratio">) =>
    [optimizer, cycles, ratio].join(" ");
  const first = lines.filter(({ kind, seed }) => kind === "grid" && seed === SEEDS[0]);
  const best = new Map<string, number>();
  const found = new Map<string, number>();
  for (const line of first) {
    const accuracy = line.accuracy ?? 0;
    best.set(groupOf(line), Math.max(best.get(groupOf(line)) ?? 0, accuracy));
    found.set(`${groupOf(line)} ${line.rate}`, accuracy);
  }
  const isFar = (job: GridJob) =>
    (found.get(`${groupOf(job)} ${job.rate}`) ?? 1) < (best.get(groupOf(job)) ?? 0) - NEAR;
  return jobs.map((job) =>
    job.kind === "grid" && job.seed !== SEEDS[0] && isFar(job) ? { ...job, priority: 3 } : job,
  );
}
