/** @file Four charts by the live page's own drawing, from records in memory: arms' means and bands are worked out, too. */

import type {
  EpochMetrics,
  ExperimentRecord,
  TrialHistory,
  TrialRecord,
} from "../../src/record/index.ts";
import { chart } from "../../web/chart.ts";
import { livePlot } from "../../web/live-plot.ts";
import { ARMS, curves, EPOCHS, MEASURES, SEEDS } from "./data.ts";
import { offer, places, timed, WIDTH } from "./timed.ts";

const of = curves();
const arms = Array.from({ length: ARMS }, (_, i) => ({
  name: `adam@${i + 1}e-4`,
  slug: `adam-${i}`,
}));
// Of an experiment and a trial a chart reads these fields, and no others.
const experiment = {
  arms,
  protocol: { epochs: EPOCHS, updatesPerEpoch: 54 },
} as unknown as ExperimentRecord;
const trials = arms.flatMap(({ name }, arm) =>
  Array.from(
    { length: SEEDS },
    (_, seed): TrialHistory => ({
      trial: { arm: name, seed, status: "running" } as unknown as TrialRecord,
      metrics: Array.from({ length: EPOCHS }, (_, i) => lineOf(arm, seed, i + 1)),
    }),
  ),
);

function lineOf(arm: number, seed: number, epoch: number): EpochMetrics {
  const [validationAccuracy, trainAccuracy, validationLoss, trainLoss] = MEASURES.map((measure) =>
    of(arm, seed, epoch, measure),
  ) as [number, number, number, number];
  return {
    ...{ epoch, update: epoch * 54, lr: 1e-3, seconds: 1 },
    ...{ validationAccuracy, trainAccuracy, validationLoss, trainLoss },
  };
}

const made = MEASURES.map((measure) => chart(measure, () => undefined));
for (const [i, place] of places().entries()) {
  place.style.width = `${WIDTH}px`;
  if (made[i]) place.append(made[i].figure);
}
const draw = (histories: readonly TrialHistory[]) => () => {
  const options = {
    ...{ experiment, trials: histories, smoothing: 0, colours: new Map<string, string>() },
    ...{ band: "range", failed: true },
  };
  for (const [i, measure] of MEASURES.entries()) {
    const live = livePlot(measure, options);
    if (live) made[i]?.show(live.plot, { x: 0, y: 0, band: "range", hidden: [] }, live.seeds);
  }
};
// One epoch of one trial is new.
const longer = trials.map((history, i) =>
  i > 0 ? history : { ...history, metrics: [...history.metrics, lineOf(0, 0, EPOCHS + 1)] },
);
offer({ paint: () => timed(draw(trials)), update: () => timed(draw(longer)) });
