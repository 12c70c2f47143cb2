/**
 * @file One attempt at a task, whichever process it is in: opens what it trains, tells what comes of it to a store,
 * and writes no more once another attempt has begun.
 */

import { isSameMachine } from "../../analysis/index.ts";
import { differences } from "../../core/differences.ts";
import { InterruptedError, StoreError } from "../../core/errors.ts";
import { describeMachine } from "../../files/machine.ts";
import type {
  DatasetRecord,
  Plan,
  StudyEvent,
  StudyListener,
  Task,
  TaskFile,
  TrainedOn,
} from "../../record/index.ts";
import type { TrainingSetup } from "../../train/options.ts";
import { planDifferences } from "../../train/plan.ts";
import { runRangeTest, runTrial } from "../../train/run-trial.ts";
import type { OpenedSetup } from "../setup.ts";
import { diskStore, type TaskStore } from "./task-store.ts";

/** What a task needs, wherever its records go. */
export interface TaskWork {
  readonly task: Task;
  /** What the task must find again: the experiment's data and plan. */
  readonly dataset: DatasetRecord;
  readonly plan: Plan;
  /** Whether it may run by another plan: the records then say on which machine it did. */
  readonly mixed?: boolean;
  readonly signal: AbortSignal;
  /** Opens data, network and engine; the data set is closed at the end. */
  open(): Promise<OpenedSetup>;
  /** Hears events once they are recorded. */
  onEvent(event: StudyEvent): void;
}

export interface TaskRun extends Omit<TaskWork, "task"> {
  /** The run directory. */
  readonly path: string;
  readonly file: TaskFile;
  /** Token of the lease under which the run directory is held for this attempt; absent: nobody holds it. */
  readonly lease?: string | undefined;
  /** Seconds that the holder of the trial's folder is waited for; default 10, as one whose parent is gone dies at once. */
  readonly patience?: number;
}

/**
 * Runs it in a run directory that this machine sees, from where its folder says: from the beginning, or from its
 * newest checkpoint. Nothing else of the directory is written.
 * @throws as runWith does
 */
export const runTask = ({ path, file, lease, patience, ...work }: TaskRun): Promise<void> =>
  runWith(
    diskStore({
      ...{ path, file },
      ...(lease === undefined ? {} : { lease }),
      ...(patience === undefined ? {} : { patience }),
    }),
    { ...work, task: file.task },
  );

/**
 * Runs it from where the store says that it stands.
 * @throws StoreError where data, engine or attempt are not the ones that were asked for
 * @throws InterruptedError where `signal` aborts; the trial can be resumed
 */
export async function runWith(
  store: TaskStore,
  { task, signal, open, mixed = false, ...work }: TaskWork,
): Promise<void> {
  const { setup, dataset } = await open();
  try {
    checkDataset(work.dataset, dataset.record);
    let machines: TrainedOn[] = [];
    const onEvent: StudyListener = (said) => {
      if (said.type === "plan" && !mixed) checkPlan(work.plan, said.plan);
      const event = withMachines(said, machines);
      const recorded = store.recorder.onEvent(event);
      work.onEvent(event);
      return recorded;
    };
    const from = await store.begin();
    if (from === "ended") return;
    const earlier = store.machines();
    if (mixed || earlier.length > 0)
      machines = allOf([
        // Begun before machines that differ were let in.
        ...(earlier.length === 0 && from ? [machineOfPlan(work.plan)] : earlier),
        machineOf(setup),
      ]);
    if (task.kind === "range-test") {
      await runRangeTest(task, { ...setup, onEvent, signal });
      return;
    }
    if (signal.aborted) throw new InterruptedError();
    const { weights, weightsInParts, ...checkpoints } = store.recorder.sink;
    const sink = task.keepWeights === false ? checkpoints : store.recorder.sink;
    const { others } = store;
    await runTrial(task, { ...setup, onEvent, sink, signal, others }, from ?? undefined);
  } finally {
    store.release();
    dataset.close();
  }
}

const machineOfPlan = ({ processor, engine, threads }: Plan): TrainedOn => ({
  ...{ processor: processor ?? describeMachine().processor, engine, threads },
});

const machineOf = ({ backend, threads = backend.threads }: TrainingSetup): TrainedOn => ({
  ...{ processor: describeMachine().processor, engine: backend.description, threads },
});

const allOf = (machines: readonly TrainedOn[]): TrainedOn[] =>
  machines.filter((one, i) => machines.findIndex((other) => isSameMachine(one, other)) === i);

/** Of a trial's record, with the machines that have trained it. */
function withMachines(event: StudyEvent, machines: readonly TrainedOn[]): StudyEvent {
  if (machines.length === 0) return event;
  if (event.type !== "trial-started" && event.type !== "trial-finished") return event;
  return { ...event, trial: { ...event.trial, machines: [...machines] } };
}

/** @throws StoreError naming the difference */
function checkDataset(recorded: DatasetRecord, found: DatasetRecord): void {
  // As it would be read back: what is undefined is absent.
  const [difference] = differences(recorded, JSON.parse(JSON.stringify(found)));
  if (difference)
    throw new StoreError(`the data changed while the experiment was running: ${difference}`);
}

/** @throws StoreError naming the difference */
function checkPlan(planned: Plan, found: Plan): void {
  const [difference] = planDifferences(planned, found);
  if (difference)
    throw new StoreError(
      `the engine changed while the experiment was running: ${difference}; have it run by machines that are alike (of Slurm: --slurm-options "--constraint=..."), or let those that differ in by --mixed`,
    );
}
