/** @file Which weights a path means to prediction and evaluation: a checkpoint, or those of a run's leading arm. */

import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ranked, summarize } from "../../analysis/index.ts";
import { ArgumentError, WeightsError } from "../../core/errors.ts";
import { meantHint } from "../../core/nearest-name.ts";
import { percent } from "../../core/words.ts";
import type { TrialHistory } from "../../record/index.ts";
import { type Run, readRun } from "../../store/index.ts";
import { bestEpoch } from "../../train/trial-state.ts";

/** Which of a run's trials is meant; of no use beside a checkpoint's own path. */
export interface TrialChoice {
  /** An arm's name; default the only one, or the one that leads by final validation accuracy. */
  readonly arm?: string | undefined;
  /** Default the one whose kept weights have the best validation accuracy. */
  readonly seed?: number | undefined;
}

export interface ChosenWeights {
  /** Path of a checkpoint. */
  readonly checkpoint: string;
  /** Which weights they are, and why these; null where the path itself says it. */
  readonly why: string | null;
}

/** The directory of the run that a checkpoint lies in, RUN/trials/ARM-SEED/; null where it lies elsewhere. */
export function runOfCheckpoint(checkpoint: string): string | null {
  const trials = dirname(dirname(resolve(checkpoint)));
  const run = dirname(trials);
  return basename(trials) === "trials" && existsSync(join(run, "experiment.json")) ? run : null;
}

/** Best first: what a trial keeps. */
const KEPT = ["best.safetensors", "last.safetensors"] as const;

interface KeptTrial {
  readonly history: TrialHistory;
  readonly checkpoint: string;
  /** Validation accuracy of those weights; null where it is not recorded. */
  readonly accuracy: number | null;
}

/**
 * @param path a checkpoint, a trial's folder, or a run directory of train, compare or demo
 * @param command what messages begin with
 * @throws WeightsError where there is nothing, or where the run keeps no weights
 * @throws ArgumentError for an arm or a seed that the run does not have, or beside a path that has no choice
 * @throws StoreError for records that cannot be read
 */
export function chooseWeights(
  command: string,
  path: string,
  { arm, seed }: TrialChoice = {},
): ChosenWeights {
  if (!existsSync(path))
    throw new WeightsError(
      `${command}: no checkpoint "${path}"; give the directory of a run, or best.safetensors of a trial, which lies in RUN/trials/ARM-SEED/`,
    );
  const isFolder = statSync(path).isDirectory();
  if (isFolder && existsSync(join(path, "experiment.json")))
    return ofRun(command, path, { arm, seed });
  if (arm !== undefined || seed !== undefined)
    throw new ArgumentError(
      `${command}: ${arm === undefined ? "--seed" : "--arm"} chooses among the trials of a run, and ${path} is ${isFolder ? "no run directory" : "one checkpoint"}; leave it out, or give the run's directory`,
    );
  if (!isFolder) return { checkpoint: path, why: null };
  const kept = keptIn(path);
  if (kept !== null) return { checkpoint: kept, why: `the weights are ${kept}` };
  throw new WeightsError(
    `${command}: ${path} is neither a run directory (it has no experiment.json) nor a trial's folder with weights (${KEPT.join(" or ")}); give the directory of a run, or a checkpoint`,
  );
}

function keptIn(folder: string): string | null {
  const name = KEPT.find((each) => existsSync(join(folder, each)));
  return name === undefined ? null : join(folder, name);
}

function ofRun(command: string, path: string, { arm, seed }: TrialChoice): ChosenWeights {
  const run = readRun(path);
  const trials = run.trials.flatMap((history): KeptTrial[] => {
    const { slug, seed: own } = history.trial;
    const checkpoint = keptIn(join(path, "trials", `${slug}-${own}`));
    return checkpoint === null ? [] : [{ history, checkpoint, accuracy: accuracyOf(history) }];
  });
  if (trials.length === 0)
    throw new WeightsError(
      `${command}: ${path} keeps no weights: ${run.experiment.kind === "find" ? "it is a range test; give a run of train or compare" : "none of its trials has best.safetensors or last.safetensors; give a run that kept them"}`,
    );
  const names = [...new Set(trials.map(({ history }) => history.trial.arm))];
  const name =
    arm === undefined ? leading(run, names) : named(command, path, { arm, trials, names });
  const own = trials.filter(({ history }) => history.trial.arm === name);
  const chosen = seed === undefined ? best(own) : seeded(command, path, { seed, own });
  const { trial } = chosen.history;
  const reasons = [
    ...(names.length > 1 && arm === undefined ? ["it leads by final validation accuracy"] : []),
    ...(own.length > 1 && seed === undefined
      ? [
          `of ${own.length} seeds its weights have the best validation accuracy${chosen.accuracy === null ? "" : `, ${percent(chosen.accuracy)}`}`,
        ]
      : []),
  ];
  return {
    checkpoint: chosen.checkpoint,
    why: `the weights are ${chosen.checkpoint} (arm ${trial.arm}, seed ${trial.seed}${reasons.map((reason) => `; ${reason}`).join("")})`,
  };
}

/** Of the weights that a trial keeps: its best epoch's. */
function accuracyOf({ metrics }: TrialHistory): number | null {
  const epoch = bestEpoch(metrics);
  return metrics.find((line) => line.epoch === epoch)?.validationAccuracy ?? null;
}

/** The first of the ranking that keeps weights; the only one where there is one. */
function leading({ experiment, trials, summary }: Run, names: readonly string[]): string {
  const [first = ""] = names;
  if (names.length === 1) return first;
  const { optimizers } = summary ?? summarize(experiment, trials);
  return ranked(optimizers).find(({ name }) => names.includes(name))?.name ?? first;
}

function named(
  command: string,
  path: string,
  { arm, trials, names }: { arm: string; trials: readonly KeptTrial[]; names: readonly string[] },
): string {
  const found = trials.find(({ history: { trial } }) => trial.arm === arm || trial.slug === arm);
  if (found) return found.history.trial.arm;
  throw new ArgumentError(
    `${command}: ${path} has no arm "${arm}" with weights${meantHint(arm, names)} (it has: ${names.join(", ")})`,
  );
}

/** The first of those with the highest accuracy. */
const best = (own: readonly KeptTrial[]): KeptTrial =>
  own.reduce((most, entry) => ((entry.accuracy ?? -1) > (most.accuracy ?? -1) ? entry : most));

function seeded(
  command: string,
  path: string,
  { seed, own }: { seed: number; own: readonly KeptTrial[] },
): KeptTrial {
  const found = own.find(({ history }) => history.trial.seed === seed);
  if (found) return found;
  const [{ history }] = own as [KeptTrial];
  throw new ArgumentError(
    `${command}: ${path} keeps no weights of ${history.trial.arm} with seed ${seed} (it has: ${own.map((entry) => entry.history.trial.seed).join(", ")})`,
  );
}
