/**
 * @file A recorded study that is to have more: epochs, arms, seeds, or runs after a range test. What it will be
 * is worked out without a write; then its runs that had ended are opened again, each where it stopped.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArm, parseArms } from "../../arms/arms.ts";
import { dependsOnLength } from "../../arms/prolonged.ts";
import { armsOf, trialsOf } from "../../arms/trials.ts";
import { at, present } from "../../core/at.ts";
import { ArgumentError, StoreError } from "../../core/errors.ts";
import { greatestOf } from "../../core/extremes.ts";
import { readRegularFile } from "../../files/regular-file.ts";
import { checkSeal } from "../../files/seal.ts";
import { readSafetensors } from "../../files/weight-files.ts";
import type { ExperimentRecord, StudySpec, TrialHistory, TrialRecord } from "../../record/index.ts";
import { scheduleOfSpec } from "../../schedules/text/schedule-of-spec.ts";
import { type Run, type RunDirectory, writeCheckpoint } from "../../store/index.ts";
import { recordedArms } from "../../train/experiment-record.ts";
import { keepsCheckpoint } from "../../train/trial-state.ts";

/** What a study is to have beside what it has. */
export interface StudyExtension {
  /** Of each run, in all. */
  readonly epochs?: number | undefined;
  /**
   * How schedules that depend on the length go on; must be said where an arm has one. "stretch": at the rates
   * of the same schedule stretched to the new length; "continue": as they are past their end.
   */
  readonly schedule?: "stretch" | "continue" | undefined;
  /** Arms of a comparison; those that it has already are passed over. */
  readonly optimizers?: readonly string[] | undefined;
  /** How many, in all. */
  readonly seeds?: number | undefined;
  /** Of a range test: epochs of the runs that tune its rate, or that confirm it. */
  readonly tuneEpochs?: number | undefined;
  readonly confirm?: number | undefined;
  /** Of a comparison that prunes: its arms are pruned no more, and those that were go on to their end. */
  readonly pruning?: "none" | undefined;
  /** What it may spend from now on, in all; see the study's fields of these names. */
  readonly maxTrials?: number | undefined;
  readonly maxHours?: number | undefined;
}

/** A study as it is to be, and its runs with those among them that are not at their end any more. */
export interface ExtendedRun {
  readonly run: Run;
  /** Makes the folder agree with it. Called once it is certain that the study can go on here. */
  write(directory: RunDirectory, now: ExperimentRecord): void;
}

/** "train: --epochs 5": how refusals begin. */
interface Subject {
  readonly command: string;
  readonly path: string;
}

/**
 * Works out what an extension makes of a run.
 * @throws ArgumentError for what would change or take away what was measured, has no effect, or leaves open how
 *   a schedule goes on
 * @throws StoreError, exit code 2, where the last weights of a run are not there to go on from
 */
export async function extendedRun(
  run: Run,
  spec: StudySpec,
  extension: StudyExtension,
  subject: Subject,
): Promise<ExtendedRun> {
  const { experiment } = run;
  const more = {
    ...longer(run, spec, extension, subject),
    ...wider(spec, extension, subject),
    ...spending(spec, extension),
  };
  const after = followed(spec, extension, subject);
  const { pruning, ...unpruned } = spec;
  const stops = extension.pruning === "none" && pruning !== undefined;
  const now: StudySpec = { ...(stops ? unpruned : spec), ...more, ...after };
  if (Object.keys({ ...more, ...after }).length === 0 && !stops)
    throw new ArgumentError(
      `${subject.command}: nothing is asked for that ${subject.path} does not have already (${spec.epochs} epochs, ${spec.seeds.length} ${spec.seeds.length === 1 ? "seed" : "seeds"}, ${spec.optimizers.join(", ")}); ask for more, or leave the flags out`,
    );
  checkRates(run, now, subject);
  const reopened = new Map<TrialHistory, string>();
  for (const history of run.trials)
    if (goesOn(history, now)) reopened.set(history, await lastOf(history, subject));
  /** They ended at their checkpoints. */
  const unpruning = stops ? run.trials.filter(({ trial }) => keepsCheckpoint(trial)) : [];
  const trials = run.trials.map((history) =>
    reopened.has(history) || unpruning.includes(history)
      ? { ...history, trial: openedAgain(history.trial) }
      : history,
  );
  const arms = recordedArms(armsOf(now).slice(experiment.arms.length));
  return {
    run: {
      ...run,
      trials,
      experiment: {
        ...experiment,
        arms: [...experiment.arms, ...arms],
        protocol: {
          ...withoutPruning(experiment.protocol),
          ...(now.pruning ? { pruning: now.pruning } : {}),
          ...{ epochs: now.epochs, seeds: [...now.seeds] },
        },
        specification: now,
      },
    },
    write(directory, found) {
      for (const [{ trial, metrics }, file] of reopened) {
        const { slug, seed, updatesPerEpoch, msPerStep, seconds } = trial;
        const epoch = metrics.length;
        writeCheckpoint(directory.checkpoints(slug, seed), {
          record: {
            ...{ formatVersion: 1, epoch, update: epoch * updatesPerEpoch },
            ...{ metrics: [...metrics], msPerStep, seconds: seconds ?? 0 },
          },
          weights: present(readRegularFile(file), file),
        });
        directory.writeTrial({ ...trial, status: "interrupted" });
      }
      for (const { trial } of unpruning) directory.writeTrial(openedAgain(trial));
      // Last: until it says so the study is what it was, and a run that was opened again ends at once.
      const { protocol, specification } = found;
      const added = found.arms.slice(experiment.arms.length);
      const record = {
        ...experiment,
        arms: [...experiment.arms, ...added],
        protocol,
        specification,
      };
      directory.writeText("experiment.json", `${JSON.stringify(record, null, 2)}\n`);
    },
  };
}

/** More epochs; and the study's memory of having been shorter, where a schedule depends on that. */
function longer(
  { experiment, trials }: Run,
  spec: StudySpec,
  { epochs, schedule }: StudyExtension,
  { command, path }: Subject,
): Partial<StudySpec> {
  const refuse = (why: string) => {
    throw new ArgumentError(`${command}: ${why}`);
  };
  if (epochs === undefined || epochs === spec.epochs) {
    if (schedule !== undefined)
      refuse(`--${schedule} has no effect without more --epochs than ${path} has (${spec.epochs})`);
    return {};
  }
  if (spec.kind === "find")
    refuse(
      "--epochs would change the ramp, whose rates depend on its length; begin a range test anew, or add --seeds",
    );
  if (epochs < spec.epochs)
    refuse(
      `--epochs ${epochs} is less than the ${spec.epochs} that ${path} has; what was trained is kept, so give more, or begin a new run`,
    );
  const fitted = experiment.arms.filter((arm) => dependsOnLength(arm, spec));
  const [first] = fitted;
  if (!first) {
    if (schedule !== undefined)
      refuse(
        `--${schedule} has no effect here, as no schedule of ${path} depends on the length of the run; leave it out`,
      );
    return { epochs };
  }
  const after = greatestOf([0, ...trials.map(({ metrics }) => metrics.length)]);
  // Nothing was trained: it is as if it had been asked for so from the beginning.
  if (after === 0) return { epochs };
  if (schedule === undefined)
    refuse(
      `--epochs ${epochs} leaves open how the schedule of ${first.name} goes on, which was made for ${spec.epochs} epochs; say --stretch (at the rates of the same schedule stretched to ${epochs} epochs) or --continue (as it is past its end)`,
    );
  return {
    epochs,
    prolonged: [
      ...(spec.prolonged ?? []),
      { epochs: spec.epochs, after, schedule: schedule as "stretch" | "continue" },
    ],
  };
}

/** More arms and seeds. */
function wider(
  spec: StudySpec,
  { optimizers = [], seeds }: StudyExtension,
  { command, path }: Subject,
): Partial<StudySpec> {
  const known = new Set(parseArms(spec.optimizers).map(({ name }) => name));
  const added = optimizers.filter((text) => !known.has(parseArm(text).name));
  if (added.length > 0 && spec.kind !== "compare" && spec.kind !== "demo")
    throw new ArgumentError(`${command}: ${path} has one arm, and keeps it; begin a comparison`);
  const count = spec.seeds.length;
  if (seeds !== undefined && seeds < count)
    throw new ArgumentError(
      `${command}: --seeds ${seeds} is less than the ${count} that ${path} has; what was trained is kept, so give more, or begin a new run`,
    );
  if (seeds !== undefined && seeds > count && spec.kind === "train")
    throw new ArgumentError(`${command}: ${path} has one seed, and keeps it; begin a comparison`);
  const last = at(spec.seeds, -1, "seeds");
  const more = Array.from({ length: (seeds ?? count) - count }, (_, i) => last + 1 + i);
  return {
    ...(added.length > 0 ? { optimizers: [...spec.optimizers, ...added] } : {}),
    ...(more.length > 0 ? { seeds: [...spec.seeds, ...more] } : {}),
  };
}

/** As of a run that goes on: what ended it does not hold any more. */
function openedAgain({ endedBy: _, rung: __, ...trial }: TrialRecord): TrialRecord {
  return { ...trial, status: "interrupted" };
}

const withoutPruning = ({ pruning: _, ...protocol }: ExperimentRecord["protocol"]) => protocol;

/** Another budget, where it is another. */
const spending = (
  spec: StudySpec,
  { maxTrials, maxHours }: StudyExtension,
): Partial<StudySpec> => ({
  ...(maxTrials === undefined || maxTrials === spec.maxTrials ? {} : { maxTrials }),
  ...(maxHours === undefined || maxHours === spec.maxHours ? {} : { maxHours }),
});

/** Runs after a range test, where it has none of the kind yet. */
function followed(
  spec: StudySpec,
  { tuneEpochs, confirm }: StudyExtension,
  { command, path }: Subject,
): Partial<StudySpec> {
  const found: Partial<StudySpec> = {};
  if (confirm !== undefined && confirm !== spec.confirm && spec.tuneEpochs !== undefined)
    throw new ArgumentError(
      `${command}: ${path} has runs of --tune, which are those of --confirm and more where they were needed; leave --confirm out`,
    );
  for (const [name, flag, value] of [
    ["tuneEpochs", "tune", tuneEpochs],
    ["confirm", "confirm", confirm],
  ] as const) {
    if (value === undefined || value === spec[name]) continue;
    if (spec[name] !== undefined)
      throw new ArgumentError(
        `${command}: ${path} has runs of --${flag} already, of ${spec[name]} epochs; begin a new range test for others`,
      );
    Object.assign(found, { [name]: value });
  }
  return found;
}

/** @throws ArgumentError where a schedule that is continued has come to a rate of 0, at which nothing is learnt */
function checkRates({ experiment, rangeTests }: Run, now: StudySpec, { command }: Subject): void {
  const { updatesPerEpoch } = experiment.protocol;
  const newest = now.prolonged?.at(-1);
  if (now.kind === "find" || newest?.schedule !== "continue") return;
  for (const { arm, schedule: spec } of trialsOf(now, rangeTests, updatesPerEpoch)) {
    const schedule = scheduleOfSpec(spec);
    if ("initial" in schedule || schedule(newest.epochs * updatesPerEpoch) > 0) continue;
    throw new ArgumentError(
      `${command}: --continue would train ${arm} at a rate of 0, to which its schedule has come by epoch ${newest.epochs}; use --stretch`,
    );
  }
}

/** Whether a run that had ended has more to do: one that was ended by time, target or patience has not. */
const goesOn = ({ trial, metrics }: TrialHistory, { epochs }: StudySpec): boolean =>
  trial.status === "done" && trial.endedBy === undefined && metrics.length < epochs;

/** Path of its last weights and optimizer state. @throws StoreError where they are not whole */
async function lastOf({ trial }: TrialHistory, { command, path }: Subject): Promise<string> {
  const name = join("trials", `${trial.slug}-${trial.seed}`, "last.safetensors");
  const file = join(path, name);
  const refuse = (why: string, cause?: unknown) =>
    new StoreError(
      `${command}: ${path} cannot be made longer, as the last weights of ${trial.arm}, seed ${trial.seed}, ${why} (${name}); bring the file back, or begin a new run`,
      { exitCode: 2, cause },
    );
  if (!existsSync(file)) throw refuse("are not there");
  try {
    checkSeal(await readSafetensors(file), file);
  } catch (error) {
    throw refuse("cannot be read", error);
  }
  return file;
}
