/** @file A callback of TensorFlow.js that lets any of its optimizers follow schedules of lrscope. */

import type * as tf from "@tensorflow/tfjs";
import type { Schedule } from "lrscope/schedules";

export interface FollowedSchedules {
  /** Learning rate of each update. */
  readonly learningRate: Schedule;
  /** Other settings of the optimizer by tf.js's own names: `momentum`, `beta1`, `rho`. */
  readonly others?: Readonly<Record<string, Schedule>>;
  /** Update that the training begins at; default 0. A run that is taken up again gives its count. */
  readonly firstUpdate?: number;
}

/**
 * For `model.fit(xs, ys, { callbacks: followSchedules(model.optimizer, { learningRate }) })`: sets the
 * rate before each batch. tf.js reads an optimizer's rate anew at every update, so no optimizer is
 * made again, and its state stays.
 * @throws Error if the optimizer has no setting of such a name
 */
export function followSchedules(
  optimizer: tf.Optimizer,
  { learningRate, others = {}, firstUpdate = 0 }: FollowedSchedules,
): tf.CustomCallbackArgs {
  const schedules = Object.entries({ learningRate, ...others });
  for (const [name] of schedules) checkSetting(optimizer, name);
  let update = firstUpdate;
  return {
    async onBatchBegin() {
      for (const [name, schedule] of schedules) set(optimizer, name, schedule(update));
      update += 1;
    },
  };
}

/** Sets the learning rate of the next update. */
export function setLearningRate(optimizer: tf.Optimizer, rate: number): void {
  checkSetting(optimizer, "learningRate");
  set(optimizer, "learningRate", rate);
}

function checkSetting(optimizer: tf.Optimizer, name: string): void {
  if (typeof (optimizer as unknown as Record<string, unknown>)[name] !== "number")
    throw new Error(
      `${optimizer.getClassName()} of tf.js has no "${name}" that could be scheduled`,
    );
}

/** Every optimizer reads these properties at each update; SGD and Momentum keep the rate as a tensor too. */
function set(optimizer: tf.Optimizer, name: string, value: number): void {
  const settings = optimizer as unknown as Record<string, number> & Partial<tf.SGDOptimizer>;
  if (name === "learningRate" && settings.setLearningRate) settings.setLearningRate(value);
  else settings[name] = value;
}
