/** @file Runs that hold parts of one study's trials, as on several machines, put together as one run. */

import { isSameMachine } from "../../analysis/index.ts";
import { at } from "../../core/at.ts";
import { differences } from "../../core/differences.ts";
import type {
  ArmConfusion,
  ExperimentRecord,
  ProtocolRecord,
  TrainedOn,
  TrialHistory,
} from "../../record/index.ts";
import type { Run } from "../../store/index.ts";

/** What may differ between the parts of a study: which seeds, and how many cores. */
const OF_A_PART: readonly (keyof ProtocolRecord)[] = ["seeds", "threads"];

/**
 * One run of all their trials, where they are parts of one study: of one protocol, network, data set and version; arms
 * of one name are one and the same arm, learning rates included; and no trial came to its end in two of them. Of a
 * trial that was begun in several, the one that came furthest counts. Where machines, engines or cores differ, each
 * trial says on what it was trained.
 * @returns null where they are different studies
 */
export function joinRuns(runs: readonly Run[]): Run | null {
  const [first, ...others] = runs;
  if (!first || others.length === 0) return null;
  if (others.some(({ experiment }) => differs(study(first.experiment), study(experiment))))
    return null;
  const arms = distinctBy(
    runs.flatMap(({ experiment }) => experiment.arms),
    ({ name }) => name,
  );
  const trials = distinctBy(
    runs.flatMap((run) => withMachine(run, runs)),
    ({ trial }) => `${trial.seed} ${trial.arm}`,
    further,
  );
  if (!arms || !trials?.every((one) => isOneArm(one, trials))) return null;
  return {
    experiment: {
      ...first.experiment,
      kind: "compare",
      protocol: {
        ...first.experiment.protocol,
        seeds: [...new Set(runs.flatMap(({ experiment }) => experiment.protocol.seeds))].sort(
          (a, b) => a - b,
        ),
      },
      arms,
    },
    rangeTests: runs.flatMap(({ rangeTests }) => rangeTests),
    trials,
    summary: null,
  };
}

/** Of arms that several parts have trained: counts are added, of mistakes the surest stay. */
export function joinConfusions(confusions: readonly ArmConfusion[]): ArmConfusion[] {
  const joined = new Map<string, ArmConfusion>();
  for (const entry of confusions) {
    const known = joined.get(entry.arm);
    joined.set(entry.arm, known ? added(known, entry) : entry);
  }
  return [...joined.values()];
}

function added(a: ArmConfusion, b: ArmConfusion): ArmConfusion {
  const mistakes = [...(a.mistakes ?? []), ...(b.mistakes ?? [])];
  const most = Math.max(a.mistakes?.length ?? 0, b.mistakes?.length ?? 0);
  return {
    ...a,
    counts: a.counts.map((row, i) =>
      row.map((count, j) => count + at(at(b.counts, i, "counts"), j, "counts")),
    ),
    mistakes: mistakes.sort((x, y) => y.probability - x.probability).slice(0, most),
  };
}

/** What the parts of one study have in common. */
function study({ protocol, model, dataset, lrscope }: ExperimentRecord): unknown {
  const shared = Object.entries(protocol).filter(
    ([name]) => !(OF_A_PART as readonly string[]).includes(name),
  );
  return { ...Object.fromEntries(shared), model, data: dataset.fingerprint, lrscope };
}

const differs = (a: unknown, b: unknown) => differences(a, b).length > 0;

/**
 * The first of each name; `better` chooses among those of one name, else all of them have to be equal.
 * @returns null where two of one name cannot be one
 */
function distinctBy<T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  better: (a: T, b: T) => T | null = (a, b) => (differs(a, b) ? null : a),
): T[] | null {
  const found = new Map<string, T>();
  for (const one of all) {
    const known = found.get(nameOf(one));
    const kept = known === undefined ? one : better(known, one);
    if (kept === null) return null;
    found.set(nameOf(one), kept);
  }
  return [...found.values()];
}

const hasEnded = ({ trial }: TrialHistory) => ["done", "diverged", "pruned"].includes(trial.status);

/** Of two records of one trial the one that came to its end, else the longer; null where both came to it. */
function further(a: TrialHistory, b: TrialHistory): TrialHistory | null {
  if (hasEnded(a) && hasEnded(b)) return null;
  if (hasEnded(a) || hasEnded(b)) return hasEnded(a) ? a : b;
  return b.metrics.length > a.metrics.length ? b : a;
}

/** Whether its arm was trained in one and the same way wherever it was: ranges are found anew on every machine. */
function isOneArm({ trial }: TrialHistory, all: readonly TrialHistory[]): boolean {
  const first = all.find((other) => other.trial.arm === trial.arm)?.trial ?? trial;
  const how = ({ optimizer, schedule, hyperparameterSchedules, epochs }: typeof trial) => ({
    ...{ optimizer, schedule, hyperparameterSchedules, epochs },
  });
  return !differs(how(first), how(trial));
}

/** Its trials; each with its machine where not all runs were made on one like it. */
function withMachine({ experiment, trials }: Run, runs: readonly Run[]): readonly TrialHistory[] {
  const home = machineOf(experiment);
  if (runs.every((other) => isSameMachine(machineOf(other.experiment), home))) return trials;
  return trials.map((entry) => ({
    ...entry,
    trial: { ...entry.trial, machines: entry.trial.machines ?? [home] },
  }));
}

const machineOf = ({ machine, engine, protocol }: ExperimentRecord): TrainedOn => ({
  ...{ processor: machine.processor, engine, threads: protocol.threads },
});
