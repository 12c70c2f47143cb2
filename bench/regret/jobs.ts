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
  { cycles: 1, ratio: 6, priority: 0 },
  { cycles: 3, ratio: 6, priority: 2 },
  { cycles: 1, ratio: 25, priority: 2 },
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
        const priority = seed === 0 ? 0 : 1;
        jobs.push({ ...grid, cycles: 0, ratio: 1, priority });
        for (const cycle of CYCLES)
          if (cycle.priority === 0) jobs.push({ ...grid, ...cycle, priority });
          else if (isVaried(task, optimizer)) jobs.push({ ...grid, ...cycle });
      }
  for (const optimizer of OPTIMIZER_NAMES)
    for (const updates of [200, 100, 50])
      for (const to of [0.1, 10, null])
        for (const seed of TEST_SEEDS) {
          const from = to === null ? null : 1e-7;
          const priority = seed < 13 ? 0 : 1;
          jobs.push({ kind: "range-test", optimizer, from, to, updates, seed, priority });
        }
  return jobs;
}
