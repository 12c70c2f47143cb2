/**
 * @file Gradients in bf16. Finite differences have no say here, as a rounded loss moves in jumps; what
 * is asked is that the gradient of bf16 points where the one in doubles does, parameter by parameter.
 */

import { expect, test } from "vitest";
import { compileNetwork, type Precision } from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import {
  batchNorm,
  conv2d,
  dropout,
  globalAveragePool,
  linear,
  type Network,
  network,
  residual,
  sequential,
} from "../../src/layers/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import type { Backend } from "../../src/program/index.ts";
import { inTurn } from "../compile/in-turn.ts";
import { littleNetwork, residualNetwork } from "../compile/networks.ts";

const emulating = nativeBackend({ threads: 2, emulateBf16: true });
const reference = referenceBackend({ precision: "f64" });

/** Read off one step of plain SGD at rate 1: parameter before minus parameter after. */
async function gradients(model: Network, backend: Backend, precision: Precision) {
  const compiled = compileNetwork({
    network: model,
    backend,
    batch: 16,
    optimizer: sgd(),
    threads: 2,
    slots: 1,
    precision,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 3);
  const stream = randomStream(5, "synthetic");
  const images = session.images(0);
  for (let i = 0; i < images.length; i++) images[i] = 2 * stream.uniform() - 1;
  for (let i = 0; i < 16; i++) session.labels(0)[i] = i % model.classes;
  const parameters = compiled.tensors.filter(({ role }) => role === "parameter");
  const before = await inTurn(parameters, ({ buffer }) => session.read(buffer));
  const scalars = compiled.scalars({ seed: 1, update: 0, learningRate: 1 });
  await (await session.load(compiled.programs.train)).run({ slot: 0, scalars });
  const moved = await inTurn(parameters, async ({ name, buffer }, p) => {
    const after = await session.read(buffer);
    return [name, before[p]!.map((value, i) => value - after[i]!)] as const;
  });
  session.dispose();
  return new Map(moved);
}

/** Nothing that chooses: neither ReLU nor a maximum, where a rounding may move a gradient elsewhere. */
const smoothNetwork = (): Network =>
  network({
    name: "smooth",
    inputShape: [3, 10, 9],
    classes: 4,
    layer: sequential([
      conv2d({ channels: 12, kernel: 3, padding: 1 }),
      batchNorm(),
      residual({
        branch: sequential([conv2d({ channels: 12, kernel: 3, padding: 1 }), batchNorm()]),
      }),
      dropout({ p: 0.3 }),
      conv2d({ channels: 17, kernel: 3, stride: 2 }),
      globalAveragePool(),
      linear({ features: 20 }),
      linear({ features: 4 }),
    ]),
  });

/** Length of the difference, relative to the expected gradient's, over all parameters together. */
function relativeDistance(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): number {
  let [difference, length] = [0, 0];
  for (const [name, want] of expected)
    want.forEach((value, i) => {
      difference += (value - actual.get(name)![i]!) ** 2;
      length += value ** 2;
    });
  return Math.sqrt(difference / length);
}

test.each([
  // A unit in the last place is 2^-8 to 2^-7 of a number, and a rounding errs by a half of it at most.
  ["nothing that chooses", smoothNetwork, 0.02],
  // One flipped choice in two hundred is a distance of a tenth.
  ["every kind of layer", littleNetwork, 0.2],
  ["residual connections", residualNetwork, 0.2],
] as const)("%s: the gradient in bf16 is near that in doubles", async (_, make, tolerance) => {
  const exact = await gradients(make(), reference, "fp32");
  const rounded = await gradients(make(), reference, "bf16");
  const native = await gradients(make(), emulating, "bf16");
  expect(relativeDistance(rounded, exact)).toBeLessThan(tolerance);
  expect(relativeDistance(native, exact)).toBeLessThan(tolerance);
  expect(relativeDistance(native, rounded)).toBeLessThan(0.01);
});
