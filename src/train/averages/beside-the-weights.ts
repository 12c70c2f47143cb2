/** @file What a trial may validate beside its weights: an average of them, an ensemble of snapshots. */

import type { Checkpoint } from "../../formats/index.ts";
import type { EpochMetrics } from "../../record/index.ts";
import { constant } from "../../schedules/index.ts";
import type { FitOptions } from "../options.ts";
import type { NamedTensor } from "../read-tensors.ts";
import type { Trainer } from "../trainer.ts";
import { averageBegins, averageWeights, type Run, snapshotEpochs } from "./averages.ts";
import { openSnapshots } from "./snapshots.ts";

export interface BesideTheWeights {
  averageWeight(update: number): number;
  /** Whether there is an average after an epoch: of stochastic weight averaging, of two points or more. */
  isAveraged(epoch: number): boolean;
  /** After an epoch's validation: what its line of the metrics has besides. */
  validate(epoch: number): Promise<Partial<EpochMetrics>>;
  /** What a checkpoint has to hold besides optimizer state. */
  read(): NamedTensor[];
  write(checkpoint: Checkpoint): void;
}

/** The schedule that averages and snapshots follow, over the whole run. */
export function followedRun(
  { epochs, schedule: given, optimizer }: Pick<FitOptions, "epochs" | "schedule" | "optimizer">,
  updatesPerEpoch: number,
): Run {
  // A reduction on plateaus has no cycles either.
  const schedule =
    given && !("initial" in given) ? given : constant(optimizer.hyperparameters.learningRate);
  return { schedule, updates: Math.round(epochs * updatesPerEpoch), updatesPerEpoch };
}

/** @throws ArgumentError for a decay outside [0, 1), or snapshots where no cycle ends with an epoch */
export function besideTheWeights(
  options: Pick<
    FitOptions,
    "average" | "snapshots" | "dataset" | "epochs" | "schedule" | "optimizer"
  >,
  /** The one at hand: unfreezing opens another. */
  trainer: () => Trainer,
): BesideTheWeights {
  const { average, dataset } = options;
  const { updatesPerEpoch } = trainer();
  const run = followedRun(options, updatesPerEpoch);
  const weights = average ? averageWeights(average, run) : () => 0;
  const begins = average ? averageBegins(average, run) : Number.POSITIVE_INFINITY;
  const { validation } = dataset;
  const isAveraged = (epoch: number) => epoch * updatesPerEpoch >= begins;
  const taken = options.snapshots ? new Set(snapshotEpochs(run)) : null;
  const snapshots = taken && openSnapshots(validation.length, dataset.classes.length);
  return {
    averageWeight: weights,
    isAveraged,
    async validate(epoch) {
      const line: Partial<EpochMetrics> = {};
      if (isAveraged(epoch)) {
        const { loss, accuracy } = await trainer().evaluateAverage(validation);
        line.averagedValidationLoss = Number.isFinite(loss) ? loss : null;
        line.averagedValidationAccuracy = Number.isFinite(loss) ? accuracy : null;
      }
      if (snapshots && taken?.has(epoch)) {
        line.ensembleValidationAccuracy = snapshots.add(await trainer().probabilities(validation));
        line.ensembleSnapshots = snapshots.count;
      }
      return line;
    },
    read: () => snapshots?.read() ?? [],
    write: (checkpoint) => snapshots?.write(checkpoint),
  };
}
