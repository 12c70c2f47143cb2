/** @file Final and best accuracy of ours beside the article's, and how the two protocols differ. */

import { spreadOf } from "lrscope/analysis";
import type { ExperimentRecord, TrialHistory } from "lrscope/record";
import {
  BATCH,
  CITATION,
  EXPERIMENTS,
  experimentOf,
  IMAGES,
  isPublishedTransfer,
  type PublishedCurve,
  type PublishedExperiment,
  publishedCurves,
  publishedOptimizer,
} from "./curves.ts";
import type { PublishedComparison, PublishedRow } from "./record.ts";

/**
 * Final and best validation accuracy of each arm beside the article's, both read up to the same epoch: the
 * shorter run's last. null where none of the arms is one of its own, or none has a trial that is done.
 */
export function comparePublished(
  experiment: ExperimentRecord,
  trials: readonly TrialHistory[],
): PublishedComparison | null {
  const kind = experimentOf(experiment.model.name);
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
    citation: CITATION,
    rows,
    notes: notesOn(experiment, kind, rows),
  };
}

type Curve = readonly (number | null)[];

function row(arm: string, curve: PublishedCurve, own: readonly Curve[]): PublishedRow {
  const epochs = Math.min(curve.trainAccuracy.length, ...own.map((values) => values.length));
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

function notesOn(
  { dataset, protocol, model }: ExperimentRecord,
  kind: PublishedExperiment,
  rows: readonly PublishedRow[],
): string[] {
  const { epochs: published } = EXPERIMENTS[kind];
  const shorter = rows.some(({ epochs }) => epochs < published);
  return [
    ...(shorter
      ? [
          `Read up to the same epoch as ours (${Math.min(...rows.map(({ epochs }) => epochs))}); the publication went on to ${published}.`,
        ]
      : []),
    ...(kind === "vanilla" || isPublishedTransfer(model.name)
      ? []
      : [
          `Ours is ${model.name}, the publication’s network a ResNet-34: how high the curves lie is the network’s, how the optimizers lie to each other their own.`,
        ]),
    ...(dataset.images === IMAGES
      ? []
      : [`Ours are ${dataset.images} images, the publication’s ${IMAGES}.`]),
    `Ours are ${dataset.size} pixels wide${dataset.size <= 128 ? ", the publication’s were larger" : ""}; its split was another.`,
    ...(protocol.batch === BATCH
      ? []
      : [`Ours has batch size ${protocol.batch}, the publication ${BATCH}.`]),
    "The publication’s figures are single runs without paired seeds: the differences are described, not tested.",
  ];
}
