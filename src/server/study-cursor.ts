/**
 * @file What of a study a page has not heard yet: a pure step from how far it is, and the records as they are, to
 * events. A cursor is short, and says everything: whoever comes back with one, be it to another server, is told
 * the rest, without gap or repeat.
 */

import { createHash } from "node:crypto";
import {
  type EventBody,
  type ExperimentRecord,
  type MeasuredRun,
  type RangeTestRecord,
  type StudyEvent,
  type TrialHistory,
  type TrialRecord,
  versioned,
} from "../record/index.ts";

/** The records of a study at one moment. */
export interface StudySnapshot {
  readonly experiment: ExperimentRecord;
  readonly rangeTests: readonly RangeTestRecord[];
  /** Seeds of a range test that is not read yet. */
  readonly rangeTestRuns: readonly MeasuredRun[];
  readonly trials: readonly TrialHistory[];
  /** What was asked of it while it ran, oldest first. */
  readonly steering: readonly StudyEvent[];
}

interface Known {
  readonly status: TrialRecord["status"];
  readonly epochs: number;
}

/** How far a page is. */
export interface Cursor {
  /** Digest of the experiment's record. */
  readonly experiment: string;
  readonly steering: number;
  /** Digests of range tests, by the places of their arms; of one that is not read yet "s0s2": its seeds that are measured. */
  readonly rangeTests: readonly string[];
  /** By the places of arms and of seeds; null: it has not begun. */
  readonly trials: readonly (readonly (Known | null)[])[];
}

export const NO_CURSOR: Cursor = { experiment: "", steering: 0, rangeTests: [], trials: [] };

/** The events that lead from a cursor to the records as they are, and the cursor after them. */
export function eventsSince(
  before: Cursor,
  { experiment, rangeTests, rangeTestRuns, trials, steering }: StudySnapshot,
): { readonly events: StudyEvent[]; readonly after: Cursor; readonly isNew: boolean } {
  const arms = armsOf(experiment);
  const { seeds } = experiment.protocol;
  const bodies: EventBody[] = [];
  const tests = arms.map((arm, i) => {
    const record = rangeTests.find((test) => test.arm === arm);
    // Only a range test alone keeps its seeds, and it has one arm.
    if (!record && i === 0 && rangeTestRuns.length > 0) {
      const told = seedsIn(before.rangeTests[i] ?? "");
      for (const { seed, points, seconds } of rangeTestRuns)
        if (!told.includes(seed))
          bodies.push({ type: "range-test-run", arm, run: { seed, points }, seconds });
      return rangeTestRuns.map(({ seed }) => `s${seed}`).join("");
    }
    const digest = record ? digestOf(record) : "";
    if (record && digest !== before.rangeTests[i])
      bodies.push({ type: "range-test-finished", arm, record });
    return digest;
  });
  const found = new Map(
    trials.map((history) => [`${history.trial.arm} ${history.trial.seed}`, history]),
  );
  const known = arms.map((arm, i) =>
    seeds.map((seed, j): Known | null => {
      const history = found.get(`${arm} ${seed}`);
      if (!history) return null;
      const place = { index: i * seeds.length + j, trials: arms.length * seeds.length };
      bodies.push(...news(before.trials[i]?.[j] ?? null, history, place));
      return { status: history.trial.status, epochs: history.metrics.length };
    }),
  );
  const digest = digestOf(experiment);
  return {
    events: [...bodies.map((body) => versioned(body)), ...steering.slice(before.steering)],
    after: { experiment: digest, steering: steering.length, rangeTests: tests, trials: known },
    isNew: digest !== before.experiment,
  };
}

const seedsIn = (known: string) => known.split("s").slice(1).map(Number);

/** Arms that records may be of; of a range test alone the experiment has none. */
const armsOf = ({ arms, specification }: ExperimentRecord): string[] => [
  ...new Set([...arms.map(({ name }) => name), ...(specification?.optimizers ?? [])]),
];

function news(
  before: Known | null,
  { trial, metrics }: TrialHistory,
  place: { index: number; trials: number },
): EventBody[] {
  const goesOn =
    before !== null && before.status === "running" && metrics.length >= before.epochs
      ? before
      : null;
  const isSame =
    before !== null && before.status === trial.status && before.epochs === metrics.length;
  if (isSame) return [];
  const lines = goesOn
    ? metrics.slice(goesOn.epochs).map((line): EventBody => {
        return { type: "epoch", arm: trial.arm, seed: trial.seed, metrics: line };
      })
    : [{ type: "trial-started" as const, trial, metrics: [...metrics], ...place }];
  return trial.status === "running" ? lines : [...lines, { type: "trial-finished", trial }];
}

/** By which a changed record is told from the one before; worked out once for each. */
function digestOf(record: object): string {
  const digest =
    DIGESTS.get(record) ??
    createHash("sha256").update(JSON.stringify(record)).digest("hex").slice(0, 8);
  DIGESTS.set(record, digest);
  return digest;
}

const DIGESTS = new WeakMap<object, string>();

const LETTERS: Readonly<Record<TrialRecord["status"], string>> = {
  running: "r",
  done: "d",
  diverged: "v",
  pruned: "p",
  paused: "w",
  interrupted: "i",
  failed: "f",
};
const STATUSES = new Map(
  Object.entries(LETTERS).map(([status, letter]) => [letter, status as TrialRecord["status"]]),
);

/** "1.<experiment>.<steering>.<range tests>.<arm>~<arm>", of an arm "12r,5d,": epochs and status of each seed. */
export const encodeCursor = ({ experiment, steering, rangeTests, trials }: Cursor): string =>
  [
    "1",
    experiment,
    steering,
    rangeTests.join("~"),
    trials
      .map((seeds) =>
        seeds.map((known) => (known ? `${known.epochs}${LETTERS[known.status]}` : "")).join(","),
      )
      .join("~"),
  ].join(".");

/** What a client sent; null of what is no cursor: that client is told all. */
export function decodeCursor(text: string): Cursor | null {
  const parts =
    /^1\.([0-9a-f]{0,8})\.(\d{1,9})\.((?:[0-9a-f]{8}|(?:s\d{1,9})+|~)*)\.((?:\d{1,9}[rdvpwif]|[,~])*)$/.exec(
      text,
    );
  if (!parts) return null;
  const [, experiment = "", steering = "", tests = "", trials = ""] = parts;
  return {
    experiment,
    steering: Number(steering),
    rangeTests: tests.split("~"),
    trials: trials.split("~").map((arm) =>
      arm.split(",").map((known) => {
        const status = STATUSES.get(known.slice(-1));
        return status ? { status, epochs: Number(known.slice(0, -1)) } : null;
      }),
    ),
  };
}
