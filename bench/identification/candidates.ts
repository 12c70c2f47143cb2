/**
 * @file Networks and settings that the article's plain CNN may have been: the one that its first epochs point to,
 * and each of its parts changed alone.
 */

import { isDeepStrictEqual } from "node:util";

/** What a run of a candidate is made with. */
export interface Candidate {
  readonly name: string;
  /** Channels of the blocks. */
  readonly widths: readonly number[];
  /** Features of the hidden linear layers. */
  readonly hidden: readonly number[];
  /** Probabilities of dropping: after each block, before the first linear layer and before each other. */
  readonly dropout: readonly [number, number, number];
  /** What follows each convolution, in turn; "pool" takes the maximum and "average" the mean of 2x2. */
  readonly block: readonly ("norm" | "relu" | "pool" | "average")[];
  readonly size: number;
  readonly augment: "default" | "none";
  /** Bounds of the triangular cycle. */
  readonly bounds: readonly [base: number, peak: number];
  readonly splitSeed: number;
}

/** Three blocks at 224 pixels; the cycle's top is ten times the article's, its base a sixth of that. */
export const CENTRE: Candidate = {
  name: "centre",
  widths: [32, 64, 128],
  hidden: [512],
  dropout: [0, 0.5, 0.5],
  block: ["norm", "relu", "pool"],
  size: 224,
  augment: "default",
  bounds: [5e-3, 3e-2],
  splitSeed: 0,
};

const but = (name: string, changed: Partial<Candidate>): Candidate => ({
  ...CENTRE,
  ...changed,
  name,
});

/** The centre first; then each change, those that the first epochs tell apart before the others. */
export const CANDIDATES: readonly Candidate[] = [
  CENTRE,
  but("dropout-first-only", { dropout: [0, 0.5, 0] }),
  but("dropout-second-only", { dropout: [0, 0, 0.5] }),
  but("no-dropout", { dropout: [0, 0, 0] }),
  but("dropout-.2", { dropout: [0, 0.2, 0.2] }),
  but("dropout-in-blocks", { dropout: [0.2, 0.5, 0.5] }),
  but("hidden-256", { hidden: [256] }),
  but("hidden-1024", { hidden: [1024] }),
  but("pool-before-norm", { block: ["relu", "pool", "norm"] }),
  but("norm-after-relu", { block: ["relu", "norm", "pool"] }),
  but("no-norm", { block: ["relu", "pool"] }),
  but("no-augmentation", { augment: "none" }),
  but("split-1", { splitSeed: 1 }),
  but("split-2", { splitSeed: 2 }),
  but("peak-.02", { bounds: [2e-2 / 6, 2e-2] }),
  but("peak-.04", { bounds: [4e-2 / 6, 4e-2] }),
  but("base-.0005", { bounds: [5e-4, 3e-2] }),
  but("base-.003", { bounds: [3e-3, 3e-2] }),
  but("pool-norm-relu", { block: ["pool", "norm", "relu"] }),
  but("pool-norm-relu-no-dropout", { block: ["pool", "norm", "relu"], dropout: [0, 0, 0] }),
  but("average-pool", { block: ["norm", "relu", "average"] }),
  but("average-pool-no-dropout", { block: ["norm", "relu", "average"], dropout: [0, 0, 0] }),
  but("two-hidden", { hidden: [512, 128] }),
  but("two-hidden-no-dropout", { hidden: [512, 128], dropout: [0, 0, 0] }),
];

const ADAPTIVE = ["adagrad", "adadelta", "rmsprop", "adam", "adamax"];

/** Whether nothing but the cycle differs from the centre: the other arms' runs would be the centre's, bit for bit. */
export const differsInCycleAlone = (candidate: Candidate): boolean =>
  candidate.name !== CENTRE.name &&
  isDeepStrictEqual({ ...candidate, name: CENTRE.name, bounds: CENTRE.bounds }, CENTRE);

/** The article's arms that tell the candidate from the centre, as `lrscope compare` takes them. */
export const armsOf = (candidate: Candidate): readonly string[] => {
  const [base, peak] = candidate.bounds;
  const cyclical = `sgd+clr(base=${base},stepSize=4e)@${peak}`;
  return differsInCycleAlone(candidate) ? [cyclical] : [cyclical, ...ADAPTIVE];
};

/** The candidate's network as a file for `--model`. */
export function modelFile({ widths, hidden, dropout, block, size }: Candidate): string {
  const [within, first, later] = dropout;
  const dropping = (p: number) => (p > 0 ? [`dropout({ p: ${p} }),`] : []);
  const blocks = widths.flatMap((channels, index) => {
    const after = {
      norm: "batchNorm(),",
      relu: "relu(),",
      pool: "maxPool2d({ kernel: 2 }),",
      average: `adaptiveAveragePool2d({ size: ${size >> (index + 1)} }),`,
    };
    return [
      `conv2d({ channels: ${channels}, kernel: 3, padding: 1 }),`,
      ...block.map((part) => after[part]),
      ...dropping(within),
    ];
  });
  const linears = [...hidden, "classes"].flatMap((features, index) => [
    ...(index > 0 ? ["relu(),"] : []),
    ...dropping(index > 0 ? later : first),
    `linear({ features: ${features} }),`,
  ]);
  return `import { layers } from "lrscope";

const { adaptiveAveragePool2d, batchNorm, conv2d, dropout, flatten, linear, maxPool2d, relu, sequential } = layers;
export const network = ({ classes, channels, size }) =>
  layers.network({
    name: "candidate",
    inputShape: [channels, size, size],
    classes,
    layer: sequential([
      ${[...blocks, "flatten(),", ...linears].join("\n      ")}
    ]),
  });
`;
}
