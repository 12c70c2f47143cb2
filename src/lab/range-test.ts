/**
 * @file The learning-rate range test: raise the rate from update to update, watch the loss.
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186,
 * section 3.3; exponential ramp and smoothing as the 2019 publication has them.
 */

import { smoothing, suggest } from "../analysis/index.ts";
import { checkNonNegativeInteger, checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import type { RangeTestPoint, RangeTestRecord } from "../record/index.ts";
import { announcer } from "./announce.ts";
import type { RangeTestOptions } from "./options.ts";
import { describePlan } from "./plan.ts";
import { openTrainer } from "./trainer.ts";

/**
 * Rate of update i of n: `from (to / from)^(i / (n - 1))`, or linear; the last is `to` itself.
 * @throws ArgumentError unless 0 < from < to and n >= 2
 */
export function ramp(options: {
  from: number;
  to: number;
  updates: number;
  kind?: "exponential" | "linear";
}): (update: number) => number {
  const { from, to, updates, kind = "exponential" } = options;
  checkPositive("range test", "from", from);
  checkPositive("range test", "to", to);
  if (from >= to)
    throw new ArgumentError(
      `range test: from must be below to; got from ${from} and to ${to}. Swap them, or raise --to`,
    );
  if (updates < 2)
    throw new ArgumentError(
      `range test: the ramp needs at least 2 updates; got ${updates}. Raise --epochs or lower --batch`,
    );
  return (update) => {
    if (update >= updates - 1) return to;
    const part = update / (updates - 1);
    return kind === "linear" ? from + (to - from) * part : from * (to / from) ** part;
  };
}

/**
 * Runs the range test once a seed, each from fresh weights, and reads every rule off the curves.
 * A network, data set or random stream used afterwards is as if the test had not been made.
 * Runs to the end of the ramp unless the loss is not finite, or `stopFactor` is given.
 *
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws InterruptedError where `signal` aborts
 */
export async function rangeTest(options: RangeTestOptions): Promise<RangeTestRecord> {
  const { optimizer, from = 1e-7, to = 0.1, epochs = 2, seeds = [0], stopFactor } = options;
  const { arm = optimizer.name, signal } = options;
  checkPositiveInteger("range test", "epochs", epochs);
  if (seeds.length === 0) throw new ArgumentError("range test: at least one seed must be given");
  for (const seed of seeds) checkNonNegativeInteger("range test", "seed", seed);
  if (stopFactor !== undefined && !(stopFactor > 1))
    throw new ArgumentError(`range test: stop factor must be above 1; got ${stopFactor}`);
  const announce = announcer(options.onEvent);
  const started = performance.now();
  const runs: RangeTestRecord["runs"] = [];

  for (const seed of seeds) {
    const trainer = openTrainer(options, optimizer, seed);
    try {
      const updates = epochs * trainer.updatesPerEpoch;
      const learningRate = ramp({
        from,
        to,
        updates,
        ...(options.ramp ? { kind: options.ramp } : {}),
      });
      const points: RangeTestPoint[] = [];
      const smooth = smoothing();
      announce.say({ type: "plan", plan: describePlan(options, trainer.compiled) });
      announce.say({ type: "range-test-started", arm, seed, updates });
      let least = Number.POSITIVE_INFINITY;
      let examples = 0;
      let goOn = true;
      const runStarted = performance.now();
      for (let epoch = 1; epoch <= epochs && goOn; epoch++)
        await trainer.trainEpoch({
          epoch,
          learningRate,
          onUpdate({ update, learningRate: lr, loss, examples: count }) {
            const finite = Number.isFinite(loss);
            const smoothedLoss = finite ? smooth(loss) : Number.NaN;
            points.push({
              update,
              lr,
              loss: finite ? loss : null,
              smoothedLoss: finite ? smoothedLoss : null,
            });
            examples += count;
            const imagesPerSecond = examples / ((performance.now() - runStarted) / 1000);
            announce.say({
              type: "range-test-update",
              arm,
              seed,
              update: update + 1,
              updates,
              lr,
              loss,
              smoothedLoss,
              imagesPerSecond,
            });
            if (signal?.aborted) throw new InterruptedError();
            least = Math.min(least, finite ? smoothedLoss : least);
            goOn = finite && !(stopFactor !== undefined && smoothedLoss > stopFactor * least);
            return goOn;
          },
        });
      runs.push({ seed, points });
    } finally {
      trainer.dispose();
    }
  }

  const record: RangeTestRecord = {
    formatVersion: 1,
    arm,
    optimizer: optimizer.name,
    from,
    to,
    epochs,
    runs,
    ...suggest(runs),
    seconds: (performance.now() - started) / 1000,
  };
  await announce.sayAndWait({ type: "range-test-finished", arm, record });
  return record;
}
