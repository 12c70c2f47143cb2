/** @file A learning-rate range test of a compiled tf.LayersModel, read by lrscope's rules. */

import type * as tf from "@tensorflow/tfjs";
import { type RangeTestRun, type Suggestions, smoothing, suggest } from "lrscope/analysis";
import { exponential } from "lrscope/schedules";
import { setLearningRate } from "./schedule-callback.ts";

export interface ModelRangeTest {
  /** The batch of each update, `update` from 0; disposed of after it. */
  batch(update: number): { xs: tf.Tensor; ys: tf.Tensor };
  /** Rates of the first and of the last update. */
  readonly from: number;
  readonly to: number;
  readonly updates: number;
}

/**
 * Trains the model while the rate rises from `from` to `to`, and puts weights (moving statistics of
 * batch normalisation included) and optimizer back as they were. Stops at a loss that is not finite.
 * @throws Error, before anything moves, for Adamax, whose state tf.js 4.22 does not give out
 */
export async function modelRangeTest(
  model: tf.LayersModel,
  { batch, from, to, updates }: ModelRangeTest,
): Promise<Suggestions & { points: RangeTestRun["points"] }> {
  const { optimizer } = model;
  const weights = model.getWeights().map((weight) => weight.clone());
  const [count, ...variables] = await optimizer.getWeights();
  // The first, the count of updates, is a copy already.
  const state = [
    count!,
    ...variables.map(({ name, tensor }) => ({ name, tensor: tensor.clone() })),
  ];
  const { learningRate } = optimizer as unknown as { learningRate: number };
  const ramp = exponential({ rate: from, factor: to / from, every: updates - 1 });
  const smooth = smoothing();
  const points: RangeTestRun["points"] = [];
  try {
    for (let update = 0; update < updates; update++) {
      setLearningRate(optimizer, ramp(update));
      const { xs, ys } = batch(update);
      const [loss, accuracy] = [await model.trainOnBatch(xs, ys)].flat();
      xs.dispose();
      ys.dispose();
      const lr = ramp(update);
      if (!Number.isFinite(loss)) {
        points.push({ update, lr, loss: null, smoothedLoss: null });
        break;
      }
      const measured = accuracy === undefined ? {} : { accuracy };
      points.push({ update, lr, loss: loss!, smoothedLoss: smooth(loss!), ...measured });
    }
  } finally {
    model.setWeights(weights);
    await optimizer.setWeights(state);
    setLearningRate(optimizer, learningRate);
    for (const weight of weights) weight.dispose();
    for (const { tensor } of state) tensor.dispose();
  }
  return { points, ...suggest([{ seed: 0, points }], { from, to }) };
}
