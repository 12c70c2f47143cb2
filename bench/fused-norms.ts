/**
 * @file What fusing batch norm with its neighbours saves: the instructions one after the other and as
 * one, forward and backward, in turns on the same tensors. Run: npx jiti bench/fused-norms.ts
 */

import { nativeBackend } from "../src/engine/native/index.ts";
import type { AttributeValue } from "../src/program/index.ts";
import { inTurn } from "../test/compile/in-turn.ts";
import {
  type Case,
  prepareCase,
  type StepCase,
  type TensorCase,
} from "../test/conformance/harness.ts";

const backend = nativeBackend();
const ROUNDS = 15;
const LAYOUT = "aBcd8b";
const STATISTICS = ["gamma", "beta", "runningMean", "runningVariance"];
const train = { epsilon: 1e-5, momentum: 0.1 };

const step = (
  kind: StepCase["kind"],
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): StepCase => ({ kind, inputs, outputs, attributes });

/** Tensors of x's shape, of the pooled shape, and one value a channel. */
function tensorsOf(
  x: readonly number[],
  pooled: readonly number[],
  large: readonly string[],
  small: readonly string[],
) {
  const noise = (shape: readonly number[]): TensorCase => ({
    shape,
    layout: LAYOUT,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) =>
      Math.sin(i * 12.9898),
    ),
  });
  const vectors = [...STATISTICS, "mean", "variance", "dgamma", "dbeta"];
  const ones: TensorCase = { shape: [x[1]!], values: new Float32Array(x[1]!).fill(1) };
  return Object.fromEntries([
    ...large.map((name) => [name, noise(x)] as const),
    ...small.map((name) => [name, noise(pooled)] as const),
    ...vectors.map((name) => [name, ones] as const),
  ]);
}

function poolCases(x: readonly number[]): readonly [Case, Case] {
  const pooled = [x[0]!, x[1]!, x[2]! / 2, x[3]! / 2];
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
  const relu = { ...train, relu: true };
  const workspace: TensorCase = { shape: pooled, dtype: "u8" };
  const shared = ["gamma", "beta", "mean", "variance"];
  const apart: Case = {
    tensors: { ...tensorsOf(x, pooled, ["x", "z", "dz", "dx"], ["y", "dy"]), workspace },
    steps: [
      step("batchNormTrain", ["x", ...STATISTICS], ["z", "mean", "variance"], relu),
      step("maxPool2d", ["z"], ["y", "workspace"], window),
      step("maxPool2dBackward", ["dy", "workspace"], ["dz"], window),
      step("batchNormBackward", ["x", "dz", ...shared], ["dx", "dgamma", "dbeta"], relu),
    ],
  };
  const both = { ...relu, ...window };
  const asOne: Case = {
    tensors: { ...tensorsOf(x, pooled, ["x", "dx"], ["y", "dy"]), workspace },
    steps: [
      step(
        "batchNormPoolTrain",
        ["x", ...STATISTICS],
        ["y", "mean", "variance", "workspace"],
        both,
      ),
      step(
        "batchNormPoolBackward",
        ["x", "dy", ...shared, "y", "workspace"],
        ["dx", "dgamma", "dbeta"],
        both,
      ),
    ],
  };
  return [apart, asOne];
}

function addCases(x: readonly number[]): readonly [Case, Case] {
  const shared = ["gamma", "beta", "mean", "variance"];
  const apart: Case = {
    tensors: tensorsOf(x, x, ["x", "z", "residual", "sum", "y", "dyA", "dyB", "dy", "d", "dx"], []),
    steps: [
      step("batchNormTrain", ["x", ...STATISTICS], ["z", "mean", "variance"], train),
      step("add", ["z", "residual"], ["sum"]),
      step("relu", ["sum"], ["y"]),
      step("add", ["dyA", "dyB"], ["dy"]),
      step("reluBackward", ["y", "dy"], ["d"]),
      step("batchNormBackward", ["x", "d", ...shared], ["dx", "dgamma", "dbeta"], train),
    ],
  };
  const relu = { ...train, relu: true };
  const asOne: Case = {
    tensors: {
      ...tensorsOf(x, x, ["x", "residual", "y", "dyA", "dyB", "dresidual", "dx"], []),
      workspace: { shape: x, dtype: "u8" },
    },
    steps: [
      step(
        "batchNormAddTrain",
        ["x", ...STATISTICS, "residual"],
        ["y", "mean", "variance", "workspace"],
        relu,
      ),
      step(
        "batchNormAddBackward",
        ["x", "dyA", ...shared, "workspace", "dyB"],
        ["dx", "dgamma", "dbeta", "dresidual"],
        relu,
      ),
    ],
  };
  return [apart, asOne];
}

const describe = (times: number[]) => {
  const sorted = times.sort((a, b) => a - b);
  return [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!]
    .map((ms) => ms.toFixed(2).padStart(8))
    .join(" ");
};

async function measure(name: string, cases: readonly [Case, Case]): Promise<void> {
  const sides = await inTurn(cases, async (given) => {
    const { session, program } = await prepareCase(backend, given);
    return { session, loaded: await session.load(program), times: [] as number[] };
  });
  for (let round = 0; round < ROUNDS + 2; round++)
    for (const { loaded, times } of sides) {
      const parts = await loaded.profile({ slot: 0, scalars: new Float64Array(2) });
      if (round >= 2) times.push(parts.reduce((sum, ms) => sum + ms, 0));
    }
  console.log(
    `${name.padEnd(44)} apart ${describe(sides[0]!.times)}   as one ${describe(sides[1]!.times)}`,
  );
  for (const { session } of sides) session.dispose();
}

console.log(`${backend.description}; milliseconds, forward and backward: least, median, greatest`);
for (const [C, size] of [
  [32, 128],
  [64, 64],
  [128, 32],
  [128, 16],
] as const)
  await measure(
    `batch norm, ReLU, 2x2 pooling [64, ${C}, ${size}, ${size}]`,
    poolCases([64, C, size, size]),
  );
for (const [C, size] of [
  [64, 56],
  [128, 28],
  [256, 14],
  [512, 7],
] as const)
  await measure(
    `batch norm, residual, ReLU [16, ${C}, ${size}, ${size}]`,
    addCases([16, C, size, size]),
  );
