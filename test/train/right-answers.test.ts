/** @file Which images a trial answers rightly: as many as its last accuracy says, and the same after a resumption. */

import { expect, test } from "vitest";
import { randomStream } from "../../src/core/random.ts";
import { arrayDataset } from "../../src/data/array-dataset.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { adam } from "../../src/optimizers/index.ts";
import { unpackAnswers } from "../../src/record/index.ts";
import { fit } from "../../src/train/fit.ts";
import type { TrialState } from "../../src/train/trial-state.ts";
import { network } from "./tiny-transfer.ts";

test("a trial that went on from its last epoch records the same answers", async () => {
  const stream = randomStream(1, "synthetic", 31);
  const labels = Array.from({ length: 24 }, (_, i) => i % 2);
  const images = Uint8Array.from({ length: 24 * 8 * 8 * 3 }, (_, i) =>
    stream.below(labels[Math.floor(i / 192)] === 0 ? 150 : 250),
  );
  const dataset = await arrayDataset({
    images,
    labels,
    classes: ["dark", "bright"],
    validation: 0.5,
  });
  let state: TrialState | undefined;
  const options = {
    dataset,
    network: network({ classes: 2, size: 8 }),
    backend: referenceBackend(),
    batch: 6,
    optimizer: adam(),
    epochs: 2,
  };
  const whole = await fit({
    ...options,
    sink: {
      checkpoint({ record, weights }) {
        const { metrics, msPerStep, seconds } = record;
        state = { metrics, msPerStep, seconds, checkpoint: weights, bestKept: null };
      },
    },
  });
  const { rightAnswers } = whole.trial;
  expect(rightAnswers).toMatchObject({ formatVersion: 1, epoch: 2, images: 12 });
  const right = unpackAnswers(rightAnswers!)!;
  const accuracy = right.reduce((sum, one) => sum + one, 0) / 12;
  expect(accuracy).toBe(whole.metrics.at(-1)!.validationAccuracy);
  const resumed = await fit({ ...options, from: state! });
  expect(resumed.metrics).toHaveLength(2);
  expect(resumed.trial.rightAnswers).toEqual(rightAnswers);
});
