/**
 * @file What the regret study trains: data sets, networks and optimizers, each run a matter of seconds. A
 * third of the tasks is held out: rules are designed on the others, and judged on both.
 */

import type { Dataset } from "../../src/data/types.ts";
import {
  batchNorm,
  conv2d,
  flatten,
  globalAveragePool,
  linear,
  maxPool2d,
  type Network,
  network,
  relu,
  residual,
  sequential,
} from "../../src/layers/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { createOptimizer, type Optimizer } from "../../src/optimizers/index.ts";

/** Images of every batch: that of the published experiments is 64, of small data sets 32. */
export const BATCH = 32;

export interface Task {
  readonly name: string;
  /** Judged, never looked at while a rule is designed. */
  readonly heldOut: boolean;
  readonly data: DataName;
  readonly epochs: number;
  readonly network: (dataset: Dataset) => Network;
}

export const DATA = [
  "mnist",
  "fashion",
  "flowers-32",
  "flowers-64",
  "synthetic",
  "features",
] as const;
export type DataName = (typeof DATA)[number];

/** Accuracy of guessing. */
export const CHANCE: Readonly<Record<DataName, number>> = {
  ...{ mnist: 0.1, fashion: 0.1, synthetic: 0.25 },
  ...{ "flowers-32": 0.2, "flowers-64": 0.2, features: 0.2 },
};

const shapeOf = (dataset: Dataset) => ({
  classes: dataset.classes.length,
  channels: dataset.channels,
  size: dataset.size,
});

const small = (widths: readonly number[]) => (dataset: Dataset) =>
  vanilla({ ...shapeOf(dataset), widths, hidden: 64, dropout: 0.25 });

const mlp =
  (...hidden: readonly number[]) =>
  (dataset: Dataset): Network => {
    const { classes, channels, size } = shapeOf(dataset);
    const inner = hidden.flatMap((features) => [linear({ features }), relu()]);
    return network({
      name: hidden.length === 0 ? "linear" : "mlp",
      inputShape: [channels, size, size],
      classes,
      layer: sequential([flatten(), ...inner, linear({ features: classes })]),
    });
  };

const unit = (channels: number) =>
  sequential([
    residual({
      branch: sequential([
        conv2d({ channels, kernel: 3, padding: 1, bias: false }),
        batchNorm(),
        relu(),
        conv2d({ channels, kernel: 3, padding: 1, bias: false }),
        batchNorm(),
      ]),
    }),
    relu(),
  ]);

/** Two residual blocks, after a convolution and a pooling each. */
const residualNet = (dataset: Dataset): Network => {
  const { classes, channels, size } = shapeOf(dataset);
  const stage = (width: number) => [
    conv2d({ channels: width, kernel: 3, padding: 1, bias: false }),
    batchNorm(),
    relu(),
    maxPool2d({ kernel: 2 }),
    unit(width),
  ];
  return network({
    name: "residual",
    inputShape: [channels, size, size],
    classes,
    layer: sequential([
      ...stage(16),
      ...stage(32),
      globalAveragePool(),
      flatten(),
      linear({ features: classes }),
    ]),
  });
};

/** The same without batch norm, which hides much of what a rate does. */
const plain = (dataset: Dataset): Network => {
  const { classes, channels, size } = shapeOf(dataset);
  const block = (width: number) => [
    conv2d({ channels: width, kernel: 3, padding: 1 }),
    relu(),
    maxPool2d({ kernel: 2 }),
  ];
  return network({
    name: "plain",
    inputShape: [channels, size, size],
    classes,
    layer: sequential([
      ...block(16),
      ...block(32),
      flatten(),
      linear({ features: 64 }),
      relu(),
      linear({ features: classes }),
    ]),
  });
};

const task = (name: string, data: DataName, build: Task["network"], heldOut = false): Task => ({
  ...{ name, heldOut, data, network: build },
  epochs: data.startsWith("flowers") ? 5 : 6,
});

/** Held out before anything was measured: every kind of data and of network is on both sides, but for plain. */
export const TASKS: readonly Task[] = [
  task("mnist vanilla", "mnist", small([16, 32])),
  task("mnist mlp", "mnist", mlp(64)),
  task("mnist residual", "mnist", residualNet, true),
  task("mnist plain", "mnist", plain),
  task("fashion vanilla", "fashion", small([16, 32]), true),
  task("fashion mlp", "fashion", mlp(128, 64)),
  task("fashion residual", "fashion", residualNet),
  task("flowers-32 vanilla", "flowers-32", small([16, 32, 64])),
  task("flowers-32 residual", "flowers-32", residualNet),
  task("flowers-32 plain", "flowers-32", plain, true),
  task("flowers-64 vanilla", "flowers-64", small([16, 32, 64])),
  task("synthetic vanilla", "synthetic", small([8, 16])),
  task("synthetic mlp", "synthetic", mlp(64), true),
  task("features linear", "features", mlp()),
  task("features mlp", "features", mlp(64), true),
];

/** Optimizers as the command line names them, each with the greatest rate of its grid. */
const OPTIMIZERS = {
  sgd: { top: 10, make: () => createOptimizer("sgd", { momentum: 0 }) },
  momentum: { top: 5, make: () => createOptimizer("sgd", { momentum: 0.9 }) },
  adam: { top: 0.5, make: () => createOptimizer("adam") },
  adamw: { top: 0.5, make: () => createOptimizer("adamw") },
  rmsprop: { top: 0.5, make: () => createOptimizer("rmsprop") },
  adagrad: { top: 2, make: () => createOptimizer("adagrad") },
} as const satisfies Record<string, { top: number; make: () => Optimizer }>;
export type OptimizerName = keyof typeof OPTIMIZERS;
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as OptimizerName[];

export const optimizerOf = (name: OptimizerName): Optimizer => OPTIMIZERS[name].make();

/** Rates of a grid: factor 2 over five powers of ten, greatest first. */
export const gridOf = (name: OptimizerName): number[] =>
  Array.from({ length: 17 }, (_, k) => OPTIMIZERS[name].top / 2 ** k);
