/** @file Which machines took part in a study whose workers may differ, and what may not be said of it then. */

import { counted, listed } from "../core/words.ts";
import type {
  ExperimentRecord,
  MachineShare,
  OptimizerSummary,
  TrainedOn,
  TrialHistory,
} from "../record/index.ts";

export const isSameMachine = (a: TrainedOn, b: TrainedOn): boolean =>
  a.processor === b.processor && a.engine === b.engine && a.threads === b.threads;

/** Whether workers that differ were let in: seconds of its trials are then not compared. */
export const isMixed = (trials: readonly TrialHistory[]): boolean =>
  trials.some(({ trial }) => trial.machines !== undefined);

/**
 * The machines that took part, each with how many trials it had a part in; null where all were like the one on
 * which the study was begun. A trial that names none was trained there.
 */
export function machinesOf(
  { machine, engine, protocol }: ExperimentRecord,
  trials: readonly TrialHistory[],
): MachineShare[] | null {
  if (!isMixed(trials)) return null;
  const home: TrainedOn = { processor: machine.processor, engine, threads: protocol.threads };
  const shares: MachineShare[] = [];
  for (const { trial, metrics } of trials) {
    const own = trial.machines ?? (metrics.length > 0 ? [home] : []);
    for (const one of own) {
      const known = shares.findIndex((share) => isSameMachine(share, one));
      const share = shares[known];
      if (share) shares[known] = { ...share, trials: share.trials + 1 };
      else shares.push({ ...one, trials: 1 });
    }
  }
  return shares.sort((a, b) => b.trials - a.trials);
}

/** "Example 9000 (oneDNN 2.6.3, avx2, 2 threads)" */
export const machineText = ({ processor, engine }: TrainedOn): string => `${processor} (${engine})`;

/** A sentence that names them. */
export const machinesNote = (machines: readonly MachineShare[]): string =>
  `Machines that differ trained the runs of this study: ${listed(machines.map((one) => `${machineText(one)}: ${counted(one.trials, "trial")}`))}. Their roundings differ, as do those of no single machine, so that the same call may give other digits; and seconds are not compared.`;

/** The arm without what was measured by the clock. */
export function withoutSeconds(optimizer: OptimizerSummary): OptimizerSummary {
  const { timeToTarget, optimizerShare: _, ...rest } = optimizer;
  return {
    ...rest,
    msPerStep: null,
    ...(timeToTarget
      ? {
          timeToTarget: timeToTarget.map((target) => ({
            ...target,
            seconds: target.seconds.map(() => null),
            medianSeconds: null,
          })),
        }
      : {}),
  };
}
