/**
 * @file A study, run: its tasks, then all that follows from their records. One that is interrupted leaves
 * its records and a report of them, from which it is resumed.
 */

import { finderTask } from "../arms/finder-task.ts";
import { at } from "../core/at.ts";
import { AddonError, InterruptedError, RangeTestError } from "../core/errors.ts";
import { shellLine } from "../core/shell.ts";
import type { ExperimentRecord, StudySpec } from "../record/index.ts";
import {
  acquireLease,
  createRunDirectory,
  endTask,
  type Run,
  type RunDirectory,
  readDecisions,
  readRun,
  readTrial,
  readTrials,
  recordDecisions,
  sweepRun,
} from "../store/index.ts";
import { emitter } from "../train/emit.ts";
import { planOf } from "../train/plan.ts";
import { isFinished, keepsCheckpoint } from "../train/trial-state.ts";
import { type BudgetReached, budgetReached } from "./budget-reached.ts";
import { claimFolder } from "./default-out.ts";
import { deriveResults } from "./derive.ts";
import type { ExecutorContext } from "./executors/child-process.ts";
import type { Executor } from "./executors/executor.ts";
import { inProcess } from "./executors/in-process.ts";
import { taskRunner } from "./executors/task-runner.ts";
import { runFinder } from "./finder/run-finder.ts";
import { hoursBudget } from "./hours-budget.ts";
import type { Study } from "./open-study.ts";
import { needsThisProcess } from "./own-code/arm-objects.ts";
import { checkOrWritePlan } from "./recorded-plan.ts";
import { runTasks, type StudyRecords } from "./run-tasks.ts";
import type { StudySink } from "./study-sink.ts";

/** What whoever runs the tasks of a study is given. */
export type TaskContext = ExecutorContext;

export interface RunStudyOptions {
  /**
   * Who runs the tasks; default: processes of their own, as many at a time as the study has jobs, or this process where
   * an optimizer is an object that no other has.
   */
  readonly executor?: (context: TaskContext) => Executor;
  readonly sink?: StudySink;
  /** Ends the work after the update under way, with an InterruptedError. */
  readonly signal?: AbortSignal;
}

export interface FinishedStudy {
  /** The run directory. */
  readonly path: string;
  /** Path of the report; "" where there was nothing to report. */
  readonly report: string;
  readonly run: Run;
  /** Where trials failed: the others' results are in the records. */
  readonly failure: AddonError | null;
}

/**
 * Runs a study that was opened, and leaves its records, summary and report in its folder. Trials that
 * failed are in them, and in `failure`.
 * @throws LrscopeError; an InterruptedError after records and report are written
 * @throws StoreError, exit code 2, where another process is at work in the folder
 */
export async function runStudy(
  study: Study,
  options: RunStudyOptions = {},
): Promise<FinishedStudy> {
  // Of a folder that nobody named there may be one by now, of a run that was begun in the same second.
  const path = study.isNamed ? study.path : claimFolder(study.path);
  const lease = await acquireLease(path);
  try {
    const directory = createRunDirectory(path, study.experiment, lease);
    const { emit, settled } = emitter(options.sink?.event);
    emit({ type: "recording", path });
    const { arms, spec, experiment } = study;
    if (spec.kind !== "find" && arms.length * spec.seeds.length > 1)
      emit({
        ...{ type: "planned", arms: arms.length, seeds: spec.seeds.length, epochs: spec.epochs },
        updatesPerEpoch: experiment.protocol.updatesPerEpoch,
        ...(study.whyJobs === undefined
          ? {}
          : { atATime: { jobs: study.jobs, threads: spec.threads ?? 1, why: study.whyJobs } }),
      });
    await settled();
    return await recordedStudy(study, { ...options, directory, tasks: true });
  } finally {
    lease.release();
  }
}

/** The work, and then all that follows from its records, whether it was done or interrupted. */
export async function recordedStudy(
  study: Study,
  options: RunStudyOptions & {
    readonly directory: RunDirectory;
    /** false: its tasks have all run. */
    readonly tasks: boolean;
  },
): Promise<FinishedStudy> {
  const { directory, sink = {} } = options;
  const signal = options.signal ?? study.setup.signal;
  const { emit, settled } = emitter(sink.event);
  try {
    await together(
      options.tasks ? runAll(study, options) : undefined,
      // While the first run's process starts, which takes it as long.
      keepSamples(study, directory),
    );
    sweepFinished(directory, study.spec);
    const { writeConfusions } = await import("./artefacts/confusions.ts");
    await writeConfusions(
      { setup: study.setup, directory },
      {
        onDamaged: (message) => emit({ type: "damaged-weights", message }),
        onProgress: (done, total) => {
          const what = `the best weights of ${total} ${total === 1 ? "run" : "runs"}`;
          emit({ type: "data", phase: "classify", done, total, what });
        },
      },
    );
    const { keepWeights } = await import("./artefacts/keep-weights.ts");
    keepWeights(directory, study.spec.keep);
    await settled();
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof RangeTestError || signal?.aborted) {
      const { report } = await deriveResults(directory, { ended: false });
      const { path } = directory;
      const command = error instanceof RangeTestError ? null : resumeCommand(study.spec, path);
      emit({ type: "interrupted", path, report, command, ...finishedOf(study, path) });
      await settled();
    }
    throw error;
  }
  const { run, report } = await deriveResults(directory, { ended: true });
  const { path } = directory;
  const spent = budgetReached(path, run);
  if (spent) emit({ type: "budget-reached", path, ...spent, command: moreCommand(path, spent) });
  await settled();
  return finishedStudy({ path, report: report ?? "", run });
}

/** Goes on with twice as much. */
const moreCommand = (path: string, { what, limit }: BudgetReached): string =>
  shellLine(["lrscope", "compare", "--resume", path, `--max-${what}`, String(2 * limit)]);

/** All that is not on the disk yet. */
async function runAll(
  study: Study,
  {
    directory,
    executor,
    sink = {},
    signal: asked,
  }: RunStudyOptions & {
    readonly directory: RunDirectory;
  },
): Promise<void> {
  const { experiment, setup, spec, arms } = study;
  const { updatesPerEpoch } = experiment.protocol;
  const signal = asked ?? setup.signal ?? new AbortController().signal;
  const optimizer =
    spec.kind === "find"
      ? finderTask(spec).optimizer
      : { name: at(arms, 0, "arms").optimizer, hyperparameters: {} };
  const plan = planOf(setup, optimizer);
  checkOrWritePlan(directory, plan);
  const runsTasks = executor ?? (needsThisProcess(arms) ? inProcess : undefined);
  const onEvent = sink.event ?? (() => undefined);
  const budget = hoursBudget(spec.maxHours, readTrials(directory.path), { signal, onEvent });
  const runner = taskRunner({
    ...(runsTasks ? { executor: runsTasks } : {}),
    directory,
    shared: { setup: study.setupSpec, dataset: experiment.dataset, plan },
    jobs: study.jobs,
    updatesPerEpoch,
    signal: budget.signal,
  });
  if (spec.kind === "find")
    return runFinder(study, { directory, runner, updatesPerEpoch, onEvent, signal });
  try {
    await runTasks(spec, {
      ...{ updatesPerEpoch, records: recordsIn(directory), runner, onEvent: budget.onEvent },
    });
  } catch (error) {
    // What is spent ends the call as planned, and not as Ctrl-C does.
    if (!(error instanceof InterruptedError && budget.isSpent()) || signal.aborted) throw error;
  }
}

/** What is left to do is asked of the folder, and what is decided is written there. */
export const recordsIn = (directory: RunDirectory): StudyRecords => ({
  read: () => readRun(directory.path),
  neverBegan(trial) {
    directory.writeTrial(trial);
    const line = `${new Date().toISOString()} never began: ${trial.failure}`;
    directory.appendLog(trial.slug, trial.seed, line);
  },
  history: ({ slug, seed }) => readTrial(directory.path, `${slug}-${seed}`),
  decisions: () => readDecisions(directory.path),
  decided: (decisions) => recordDecisions(directory, decisions),
  pruned(trial) {
    const { slug, seed, rung } = trial;
    directory.writeTrial(trial);
    endTask(directory, `${slug}-${seed}`);
    directory.appendLog(slug, seed, `${new Date().toISOString()} pruned at rung ${rung}`);
  },
});

/** The images for the report, where they are wanted and not there. */
async function keepSamples({ setup, spec }: Study, directory: RunDirectory): Promise<void> {
  const { collectSamples, hasSamples, writeSamples } = await import("./artefacts/samples.ts");
  if (!spec.answers.samples || hasSamples(directory.path)) return;
  const collected = await collectSamples(setup.dataset, at(spec.seeds, 0, "seeds"));
  if (collected.length > 0) writeSamples(directory, collected);
}

/** Ends when all have ended. @throws the reason of the first of them, as they stand, that failed */
async function together(...work: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const ended of await Promise.allSettled(work))
    if (ended.status === "rejected") throw ended.reason;
}

/** Takes away what trials that ended, and processes that were killed, have left in the directory. */
export function sweepFinished(
  { path }: RunDirectory,
  { keep, pruning }: Pick<StudySpec, "keep" | "pruning"> = {},
): void {
  // Where last weights are not kept, neither are those with which a pruned trial could go on.
  const goesOn = pruning !== undefined && (keep === undefined || keep === "last");
  const finished = readTrials(path).filter(
    ({ trial }) => isFinished(trial) && !(goesOn && keepsCheckpoint(trial)),
  );
  sweepRun(path, new Set(finished.map(({ trial }) => `${trial.slug}-${trial.seed}`)));
}

/** What was done, and what of it failed. */
export const finishedStudy = (finished: Omit<FinishedStudy, "failure">): FinishedStudy => ({
  ...finished,
  failure: failureOf(finished),
});

function failureOf({ path, run }: Omit<FinishedStudy, "failure">): AddonError | null {
  const { experiment, trials } = run;
  const failed = trials.filter(({ trial }) => trial.status === "failed");
  const first = failed[0]?.trial;
  if (!first) return null;
  return new AddonError(
    `${failed.length} of ${trials.length} runs failed (${first.arm}, seed ${first.seed}: ${first.failure}); all that was recorded is kept, and ${resumeCommand(experiment, path)} tries again`,
  );
}

/** How many of its trials have ended; nothing of a study without trials. */
function finishedOf({ spec, arms }: Study, path: string) {
  if (spec.kind === "find") return {};
  const finished = readTrials(path).filter(({ trial }) => isFinished(trial)).length;
  return { finished, planned: arms.length * spec.seeds.length };
}

/** The command that resumes studies of a kind. */
export const commandOf = (kind: ExperimentRecord["kind"]): "find" | "train" | "compare" =>
  kind === "find" || kind === "train" ? kind : "compare";

const resumeCommand = ({ kind }: Pick<StudySpec, "kind">, path: string): string =>
  shellLine(["lrscope", commandOf(kind), "--resume", path]);
