/**
 * @file Ours beside the publication's: which of its experiments ours repeats, its curves, and the
 * table that sets both side by side.
 */

import type {
  ArmRecord,
  ExperimentRecord,
  PublishedComparison,
  PublishedRow,
  TrialHistory,
} from "../record/index.ts";
import { bands } from "./bands.ts";
import { TRANSFER_LOGS, VANILLA_LOGS } from "./published-logs.ts";
import { spreadOf } from "./statistics/spread.ts";
import { mean } from "./statistics/statistics.ts";

/** What the curves are of, as a report cites it. */
export const PUBLICATION =
  "“Adaptive and Cyclical Learning Rates using PyTorch” (2019), training logs: Kaggle Flowers Recognition, 3,456 training and 865 validation photos, batch size 64";

export type PublishedExperiment = "vanilla" | "transfer";

/** One optimizer's curves in the publication; index 0 is epoch 1. */
export interface PublishedCurve {
  /** "sgd+clr", "adam", ... */
  readonly optimizer: string;
  /** Validation accuracy of each run, epoch by epoch. */
  readonly runs: readonly (readonly number[])[];
  /** Over the runs. */
  readonly validationAccuracy: { mean: number[]; min: number[]; max: number[] };
  /** Mean over the runs, to a thousandth. */
  readonly trainAccuracy: readonly number[];
}

const EXPERIMENTS = {
  vanilla: { title: "vanilla CNN from scratch, 150 epochs, 3 runs", logs: VANILLA_LOGS },
  transfer: { title: "ResNet-34 transfer learning, 100 epochs, 2 runs", logs: TRANSFER_LOGS },
} as const;

/** Rates of the publication's arms that have one: PyTorch's defaults. */
const PUBLISHED_RATES: Readonly<Record<string, number>> = {
  adam: 1e-3,
  adamax: 2e-3,
  adadelta: 1,
  adagrad: 1e-2,
  rmsprop: 1e-2,
};

const CLASSES = ["daisy", "dandelion", "rose", "sunflower", "tulip"] as const;
const VALIDATION_IMAGES = 865;

const numbers = (line: string) => line.split(" ").map(Number);

/** The publication's curves by optimizer, in its own order of merit. */
export function publishedCurves(experiment: PublishedExperiment): PublishedCurve[] {
  return Object.entries(EXPERIMENTS[experiment].logs).map(([optimizer, log]) => {
    const runs = log.validation.map((line) =>
      numbers(line).map((right) => right / VALIDATION_IMAGES),
    );
    const band = bands(runs).map((point) => point!);
    return {
      optimizer,
      runs,
      validationAccuracy: {
        mean: band.map((point) => point.mean),
        min: band.map((point) => point.min),
        max: band.map((point) => point.max),
      },
      trainAccuracy: numbers(log.training).map((thousandths) => thousandths / 1000),
    };
  });
}

/**
 * Which of the publication's experiments this one repeats, null if none: the data set's classes are
 * its five flowers, whatever the images' number and size, and the model is a vanilla CNN, or a
 * ResNet-34.
 */
export function publishedExperiment({
  dataset,
  model,
}: Pick<ExperimentRecord, "dataset" | "model">): PublishedExperiment | null {
  const names = dataset.classes.map(({ name }) => name.toLowerCase().replace(/s$/, "")).sort();
  if (names.join() !== CLASSES.join()) return null;
  if (/^vanilla/i.test(model.name)) return "vanilla";
  return /^resnet-?34/i.test(model.name) ? "transfer" : null;
}

/**
 * The publication's optimizer that an arm repeats, null if none: the same optimizer at the rate used
 * there (its default) without a schedule; for SGD, the triangular one, whatever its bounds.
 */
export function publishedOptimizer(arm: ArmRecord): string | null {
  if (arm.sensitivity && arm.sensitivity.factor !== 1) return null;
  if (arm.optimizer === "sgd") return arm.schedule === "clr" ? "sgd+clr" : null;
  const rate = PUBLISHED_RATES[arm.optimizer];
  if (rate === undefined || arm.schedule !== null) return null;
  return arm.learningRate === null || arm.learningRate === rate ? arm.optimizer : null;
}

/**
 * Final and best validation accuracy of each arm beside the publication's, both read up to the same
 * epoch: the shorter run's last. null where the experiment is not one of the publication's, or none
 * of its arms is.
 */
export function comparePublished(
  experiment: ExperimentRecord,
  trials: readonly TrialHistory[],
): PublishedComparison | null {
  const kind = publishedExperiment(experiment);
  if (!kind) return null;
  const curves = publishedCurves(kind);
  const rows = experiment.arms.flatMap((arm): PublishedRow[] => {
    // Its adaptive optimizers had their default rates; of SGD the bounds were those of a range test.
    if (experiment.protocol.learningRates === "range-test" && arm.schedule === null) return [];
    const curve = curves.find(({ optimizer }) => optimizer === publishedOptimizer(arm));
    const own = trials
      .filter(({ trial }) => trial.arm === arm.name && trial.status === "done")
      .sort((a, b) => a.trial.seed - b.trial.seed)
      .map(({ metrics }) => metrics.map((line) => line.validationAccuracy))
      .filter((values) => values.some((value) => value !== null));
    return curve && own.length > 0 ? [row(arm.name, curve, own)] : [];
  });
  if (rows.length === 0) return null;
  return {
    experiment: EXPERIMENTS[kind].title,
    citation: PUBLICATION,
    rows,
    notes: notesOn(experiment, kind, rows),
  };
}

type Curve = readonly (number | null)[];

function row(arm: string, curve: PublishedCurve, own: readonly Curve[]): PublishedRow {
  const epochs = Math.min(curve.runs[0]!.length, ...own.map((values) => values.length));
  const read = (ofCurve: (values: readonly number[]) => number | null) => {
    const cut = (values: Curve) =>
      ofCurve(values.slice(0, epochs).filter((value) => value !== null));
    const [ours, theirs] = [spreadOf(own.map(cut)), spreadOf(curve.runs.map(cut))];
    const difference = ours.mean === null || theirs.mean === null ? null : ours.mean - theirs.mean;
    return { ours, theirs, difference };
  };
  return {
    optimizer: curve.optimizer,
    arm,
    final: read((values) => values.at(-1) ?? null),
    best: read((values) => (values.length === 0 ? null : Math.max(...values))),
    epochs,
  };
}

/** Training and validation photos together. */
const PUBLISHED_IMAGES = 4321;

function notesOn(
  { dataset, protocol }: ExperimentRecord,
  kind: PublishedExperiment,
  rows: readonly PublishedRow[],
): string[] {
  const published = mean(publishedCurves(kind).map(({ runs }) => runs[0]!.length));
  const shorter = rows.some(({ epochs }) => epochs < published);
  return [
    ...(shorter
      ? [
          `Read up to the same epoch as ours (${Math.min(...rows.map(({ epochs }) => epochs))}); the publication went on to ${published}.`,
        ]
      : []),
    ...(dataset.images === PUBLISHED_IMAGES
      ? []
      : [`Ours are ${dataset.images} images, the publication’s ${PUBLISHED_IMAGES}.`]),
    `Ours are ${dataset.size} pixels wide${dataset.size <= 128 ? ", the publication’s were larger" : ""}; its split was another.`,
    ...(protocol.batch === 64
      ? []
      : [`Ours has batch size ${protocol.batch}, the publication 64.`]),
    "The publication’s figures are single runs without paired seeds: the differences are described, not tested.",
  ];
}
