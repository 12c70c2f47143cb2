/** @file docs/tour.md: the value of a schedule at an update is one double, in the step, the event and the record. */

import { expect, test } from "vitest";
import { arrayDataset } from "../../src/data/array-dataset.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { flatten, linear, network, sequential } from "../../src/layers/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import type { Backend } from "../../src/program/index.ts";
import type { StudyEvent } from "../../src/record/index.ts";
import { cosineDecay } from "../../src/schedules/index.ts";
import { fit } from "../../src/train/fit.ts";

/** The reference engine; the rate that each run of a training step is handed is kept. */
function heardEngine(rates: (number | undefined)[]): Backend {
  const backend = referenceBackend();
  return {
    ...backend,
    async openSession(options) {
      const session = await backend.openSession(options);
      return {
        ...session,
        async load(program) {
          const loaded = await session.load(program);
          const place = program.scalars.indexOf("learningRate");
          return {
            ...loaded,
            run(call) {
              if (program.name === "train") rates.push(call.scalars[place]);
              return loaded.run(call);
            },
          };
        },
      };
    },
  };
}

test("a schedule's value reaches the step, the event and the record unrounded", async () => {
  const rates: (number | undefined)[] = [];
  const events: StudyEvent[] = [];
  const dataset = await arrayDataset({
    images: Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
    labels: Int32Array.from({ length: 20 }, (_, i) => i % 2),
    classes: ["a", "b"],
  });
  const [epochs, batch] = [3, 4];
  const updatesPerEpoch = dataset.train.length / batch;
  // No peak that float32 could hold.
  const schedule = cosineDecay({ peak: 0.1 / 3, steps: epochs * updatesPerEpoch });
  const { metrics } = await fit({
    dataset,
    network: network({
      name: "logistic",
      inputShape: [2, 1, 1],
      classes: 2,
      layer: sequential([flatten(), linear({ features: 2 })]),
    }),
    backend: heardEngine(rates),
    optimizer: sgd(),
    schedule,
    epochs,
    batch,
    onEvent: (event) => void events.push(event),
  });
  const expected = Array.from({ length: epochs * updatesPerEpoch }, (_, t) => schedule(t));
  expect(expected.every((rate) => rate === 0 || Math.fround(rate) !== rate)).toBe(true);
  expect(rates).toEqual(expected);
  expect(events.flatMap((event) => (event.type === "update" ? [event.lr] : []))).toEqual(expected);
  expect(metrics.map(({ lr }) => lr)).toEqual(
    expected.filter((_, t) => (t + 1) % updatesPerEpoch === 0),
  );
});
