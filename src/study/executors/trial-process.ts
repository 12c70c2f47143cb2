/**
 * @file The process of one trial or range test, forked by trial-pool.ts. It writes its own trial's
 * folder and nothing else of the run directory, says what it does to its parent, and ends with it.
 */

import { differences } from "../../core/differences.ts";
import { InterruptedError, LrscopeError, StoreError } from "../../core/errors.ts";
import type { DatasetRecord, EpochMetrics, Plan, StudyEvent, Task } from "../../record/index.ts";
import {
  acquireLease,
  diskFailure,
  fenceOf,
  type Lease,
  openRunDirectory,
  readRun,
} from "../../store/index.ts";
import { planDifferences } from "../../train/plan.ts";
import { runRangeTest, runTrial } from "../../train/run-trial.ts";
import { recordTrial } from "../recorder.ts";
import { restoreTrial } from "../restore-trial.ts";
import { openSetup } from "../setup.ts";
import { garbageCollector } from "./collect-garbage.ts";
import type { Assignment, FromTrial, ReportedError, ToTrial } from "./trial-messages.ts";

/** Milliseconds between two reports of updates: enough for a bar that moves. */
const REPORT_EVERY = 100;

/** Milliseconds that a parent has to say what a signal to all of its processes means. */
const GRACE = 1000;

const stop = new AbortController();
let ending = false;

process.on("message", (message: ToTrial) => {
  if (message.type === "start") void run(message.assignment);
  else stop.abort();
});
// Without a parent nobody reads what is said here, and a resumed comparison wants the folder.
const die = () => {
  if (!ending) process.kill(process.pid, "SIGKILL");
};
process.on("disconnect", die);
// A terminal sends Ctrl-C to all of its processes; the parent says what it means.
process.on("SIGINT", () => undefined);
// So do service managers with SIGTERM. Where the parent says nothing, it was meant for this one alone.
process.once("SIGTERM", () => {
  setTimeout(() => {
    if (!stop.signal.aborted) process.kill(process.pid, "SIGTERM");
  }, GRACE).unref();
});

async function run(assignment: Assignment): Promise<void> {
  let error: ReportedError | null = null;
  try {
    await work(assignment);
  } catch (thrown) {
    error = reported(diskFailure(thrown) ?? thrown);
    if (error.code === null) process.stderr.write(`${(thrown as Error).stack}\n`);
  }
  say({ type: "end", error }, () => {
    ending = true;
    process.exit(0);
  });
}

const say = (message: FromTrial, then?: () => void) =>
  process.send!(message, undefined, undefined, (error) => (error ? die() : then?.()));

async function work(assignment: Assignment): Promise<void> {
  const { signal } = stop;
  const { task } = assignment;
  let lease: Lease | undefined;
  const run =
    assignment.lease === undefined ? undefined : fenceOf(assignment.directory, assignment.lease);
  const directory = openRunDirectory(assignment.directory, {
    token: assignment.lease ?? "",
    // A parent that was taken for dead has lost its directory, and with it its children's trials.
    check() {
      run?.check();
      lease?.check();
    },
  });
  const { setup, dataset } = await openSetup(assignment.setup, { signal });
  try {
    checkDataset(assignment.dataset, dataset.record);
    const recorder = recordTrial(directory);
    const report = throttled();
    const collectGarbage = garbageCollector();
    const onEvent = (event: StudyEvent) => {
      if (event.type === "plan") checkPlan(assignment.plan, event.plan);
      const recorded = recorder.onEvent(event);
      report(event);
      // Written by now.
      if (event.type === "checkpoint") collectGarbage();
      return recorded;
    };
    if (task.kind === "range-test") {
      await runRangeTest(task, { ...setup, onEvent });
      return;
    }
    lease = await leaseTrial(directory.trialFile(task.slug, task.seed, "."));
    const from = await restoreTrial(directory, task);
    if (signal.aborted) throw new InterruptedError();
    const others = () => otherMetrics(assignment.directory, task);
    await runTrial(task, { ...setup, onEvent, sink: recorder.sink, others }, from ?? undefined);
  } finally {
    lease?.release();
    dataset.close();
  }
}

/** Of the trials of the same seed, as far as they have come. */
const otherMetrics = (directory: string, { slug, seed }: Task<"trial">): EpochMetrics[][] =>
  readRun(directory)
    .trials.filter(({ trial }) => trial.seed === seed && trial.slug !== slug)
    .map(({ metrics }) => [...metrics]);

/**
 * The process of the same trial that an earlier parent left behind dies as soon as it notices: it is
 * waited for, a little.
 */
async function leaseTrial(folder: string): Promise<Lease> {
  for (let wait = 10; ; wait *= 2) {
    try {
      return await acquireLease(folder);
    } catch (error) {
      if (!(error instanceof StoreError && error.exitCode === 2) || wait > 5000) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** @throws StoreError naming the difference */
function checkDataset(recorded: DatasetRecord, found: DatasetRecord): void {
  const [difference] = differences(recorded, found);
  if (difference)
    throw new StoreError(`the data changed while the experiment was running: ${difference}`);
}

/** @throws StoreError naming the difference */
function checkPlan(planned: Plan, found: Plan): void {
  const [difference] = planDifferences(planned, found);
  if (difference)
    throw new StoreError(`the engine changed while the experiment was running: ${difference}`);
}

function throttled(): (event: StudyEvent) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type === "update" || event.type === "range-test-update") {
      const now = performance.now();
      if (now - last < REPORT_EVERY) return;
      last = now;
    }
    say({ type: "event", event });
  };
}

function reported(error: unknown): ReportedError {
  if (error instanceof LrscopeError)
    return { code: error.code, message: error.message, exitCode: error.exitCode };
  const message = error instanceof Error ? error.message : String(error);
  return { code: null, message: `internal: ${message}`, exitCode: 1 };
}
