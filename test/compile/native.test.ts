/**
 * @file The four programs of a network, compiled for the native backend with its blocked layouts,
 * reorders and in-place results, against the same network on the reference backend in float64.
 */

import { describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type { Network } from "../../src/layers/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import type { Backend } from "../../src/program/index.ts";
import { CONVOLUTION_TOLERANCE } from "../conformance/agreement.ts";
import { inTurn } from "./in-turn.ts";
import { littleNetwork, residualNetwork } from "./networks.ts";

/** Losses of five training steps, one of them with the small batch; then evaluation and prediction. */
async function outcome(model: Network, backend: Backend) {
  const [batch, lastBatch] = [8, 5];
  const compiled = compileNetwork({
    network: model,
    backend,
    batch,
    lastBatch,
    optimizer: sgd({ momentum: 0.9, weightDecay: 0.01 }),
    labelSmoothing: 0.1,
    threads: 2,
    slots: 1,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 4);
  const stream = randomStream(4, "synthetic");
  const images = session.images(0);
  for (let i = 0; i < batch * elementCount(model.inputShape); i++)
    images[i] = 2 * stream.uniform() - 1;
  session.labels(0).set([0, 1, 2, 3, 3, 2, 1, 0]);

  const { train, trainLast, evaluate, predict } = compiled.programs;
  const [full, last] = [await session.load(train), await session.load(trainLast!)];
  const losses: number[] = [];
  for (let update = 0; update < 5; update++) {
    const scalars = compiled.scalars({ seed: 4, update, learningRate: 0.01 });
    const { loss } = await (update === 2 ? last : full).run({ slot: 0, scalars });
    losses.push(loss![0]!);
  }
  session.labels(0).set([-1, -1], 6);
  const scalars = compiled.scalars({ seed: 4, update: 5 });
  const evaluated = await (await session.load(evaluate)).run({ slot: 0, scalars });
  const predicted = await (await session.load(predict)).run({ slot: 0, scalars });
  const statistics = compiled.tensors.filter(({ role }) => role === "statistic");
  const values = {
    losses,
    evaluated: [evaluated.loss![0]!, evaluated.correct![0]!],
    probabilities: [...predicted.probabilities!],
    statistics: (
      await inTurn(statistics, async ({ buffer }) => [...(await session.read(buffer))])
    ).flat(),
  };
  session.dispose();
  return values;
}

describe("native programs agree with reference programs", () => {
  test.each([
    ["every kind of layer, channels beside the block", littleNetwork],
    ["residual connections, odd sizes", residualNetwork],
    [
      "the vanilla CNN",
      () => vanilla({ classes: 4, channels: 1, size: 16, widths: [16, 17, 32], hidden: 24 }),
    ],
  ])("%s", async (_, make) => {
    const expected = await outcome(make(), referenceBackend({ precision: "f64" }));
    const actual = await outcome(make(), nativeBackend({ threads: 2 }));
    for (const key of ["losses", "evaluated", "probabilities", "statistics"] as const) {
      expect(actual[key]).toHaveLength(expected[key].length);
      const worst = Math.max(...actual[key].map((value, i) => Math.abs(value - expected[key][i]!)));
      expect(worst, key).toBeLessThan(CONVOLUTION_TOLERANCE);
    }
    expect(Math.abs(expected.losses[1]! - expected.losses[0]!)).toBeGreaterThan(0.01);
  });
});
