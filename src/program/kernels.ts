/**
 * @file The vocabulary of every engine: the kinds of instructions, with their operands and attributes.
 * The one table of them. InstructionKind is its keys; the tables of the reference engine, of the C++ engine
 * and of the ONNX writer are checked against it (test/house/kernel-table.test.ts).
 */

/**
 * - number: any finite one
 * - integer: 0 or more
 * - flag: true or false
 * - pair: [h, w], integers of 0 or more
 */
export type AttributeType = "number" | "integer" | "flag" | "pair";

export interface AttributeSpec {
  readonly type: AttributeType;
  /** What an absent one means, a value or another attribute's; without it, the attribute must be there. */
  readonly default?: number | boolean | string;
}

/** Operands in order. A "?" ends the names that may be absent: then the list is shorter. */
export interface KernelSpec {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
}

const relu = { type: "flag", default: false } as const;
const epsilon = { type: "number" } as const;
const momentum = { type: "number" } as const;
const pair = { type: "pair" } as const;
const window = { kernel: pair, stride: pair, padding: pair };
const convolution = {
  stride: pair,
  padding: pair,
  paddingAfter: { type: "pair", default: "padding" },
  groups: { type: "integer", default: 1 },
} as const;
const dropout = { p: { type: "number" }, layerIndex: { type: "integer" } } as const;
const norm = ["x", "gamma", "beta", "runningMean", "runningVariance"] as const;

/**
 * B batch, C channels, H W image, O output channels or features, I input features, K classes. Of a batch
 * norm, gamma, beta, mean and variance are (C), and so are the running ones, which training updates. An output may lie where
 * an input of its layout lies, if the op in ops/ lists the pair as `inPlace`.
 */
export const KERNELS = {
  /** x (B,C,H,W), weight (O,C/groups,kh,kw), bias (O) -> y (B,O,H',W') */
  conv2d: {
    inputs: ["x", "weight", "bias?"],
    outputs: ["y"],
    attributes: { ...convolution, relu },
  },
  conv2dBackwardData: { inputs: ["dy", "weight"], outputs: ["dx"], attributes: convolution },
  conv2dBackwardWeights: {
    inputs: ["x", "dy"],
    outputs: ["dweight", "dbias?"],
    attributes: convolution,
  },
  batchNormTrain: {
    inputs: norm,
    outputs: ["y", "mean", "variance", "workspace?"],
    attributes: { epsilon, momentum, relu },
  },
  batchNormEvaluate: { inputs: norm, outputs: ["y"], attributes: { epsilon, relu } },
  batchNormEvaluateBackward: {
    inputs: ["dy", "gamma", "runningVariance"],
    outputs: ["dx"],
    attributes: { epsilon },
  },
  batchNormBackward: {
    inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "workspace?"],
    outputs: ["dx", "dgamma", "dbeta"],
    attributes: { epsilon, relu },
  },
  /** y (B,C,H',W') */
  batchNormPoolTrain: {
    inputs: norm,
    outputs: ["y", "mean", "variance", "workspace?"],
    attributes: { epsilon, momentum, relu, ...window },
  },
  batchNormPoolBackward: {
    inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "y", "workspace"],
    outputs: ["dx", "dgamma", "dbeta"],
    attributes: { epsilon, relu, ...window },
  },
  batchNormAddTrain: {
    inputs: [...norm, "residual"],
    outputs: ["y", "mean", "variance", "workspace?"],
    attributes: { epsilon, momentum, relu },
  },
  batchNormAddEvaluate: {
    inputs: [...norm, "residual"],
    outputs: ["y"],
    attributes: { epsilon, relu },
  },
  /** dyOther: a second gradient that meets dy at y */
  batchNormAddBackward: {
    inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "workspace", "dyOther?"],
    outputs: ["dx", "dgamma", "dbeta", "dresidual"],
    attributes: { epsilon },
  },
  /** A first block: x (B,C,H,W), weight (O,C,kh,kw), stride 1, ReLU where asked for, 2x2 pooling -> y (B,O,H',W') */
  conv2dNormPoolTrain: {
    inputs: ["x", "weight", ...norm.slice(1), "bias?"],
    outputs: ["y", "mean", "variance", "workspace?"],
    attributes: { padding: pair, epsilon, momentum, relu },
  },
  conv2dNormPoolBackward: {
    inputs: ["x", "weight", "dy", "gamma", "variance", "workspace"],
    outputs: ["dweight", "dgamma", "dbeta", "dbias?"],
    attributes: { padding: pair, epsilon },
  },
  relu: { inputs: ["x"], outputs: ["y"], attributes: {} },
  /** y is the forward's output */
  reluBackward: { inputs: ["y", "dy"], outputs: ["dx"], attributes: {} },
  /** y = min(max(x, 0), 6) */
  relu6: { inputs: ["x"], outputs: ["y"], attributes: {} },
  /** y is the forward's output */
  relu6Backward: { inputs: ["y", "dy"], outputs: ["dx"], attributes: {} },
  maxPool2d: { inputs: ["x"], outputs: ["y", "workspace?"], attributes: window },
  maxPool2dBackward: { inputs: ["dy", "workspace"], outputs: ["dx"], attributes: window },
  /** y = x keep / (1 - p); keep is drawn from (seed, update, layerIndex, logical element) */
  dropout: { inputs: ["x"], outputs: ["y"], attributes: dropout },
  /** the same mask, drawn again */
  dropoutBackward: { inputs: ["dy"], outputs: ["dx"], attributes: dropout },
  /** x (B,I), weight (O,I), bias (O) -> y (B,O) */
  linear: { inputs: ["x", "weight", "bias?"], outputs: ["y"], attributes: { relu } },
  linearBackwardData: { inputs: ["dy", "weight"], outputs: ["dx"], attributes: {} },
  linearBackwardWeights: { inputs: ["x", "dy"], outputs: ["dweight", "dbias?"], attributes: {} },
  /** logits (B,K), labels (B) i32 (-1: row ignored), classWeights (K) -> loss (1), correct (1), dlogits (B,K) */
  softmaxCrossEntropy: {
    inputs: ["logits", "labels", "classWeights?"],
    outputs: ["loss", "correct", "dlogits?"],
    attributes: { labelSmoothing: { type: "number" } },
  },
  /** (B,K) -> (B,K) */
  softmax: { inputs: ["logits"], outputs: ["probabilities"], attributes: {} },
  add: { inputs: ["a", "b"], outputs: ["y"], attributes: { relu } },
  /** x (B,C,H,W) -> y (B,C) */
  globalAveragePool: { inputs: ["x"], outputs: ["y"], attributes: {} },
  globalAveragePoolBackward: { inputs: ["dy"], outputs: ["dx"], attributes: {} },
  /** x (B,C,H,W) -> y (B,C,...outputSize) */
  adaptiveAveragePool2d: { inputs: ["x"], outputs: ["y"], attributes: { outputSize: pair } },
  adaptiveAveragePool2dBackward: {
    inputs: ["dy"],
    outputs: ["dx"],
    attributes: { outputSize: pair },
  },
  /** the same logical tensor in another layout, or as f32 where it was bf16, or the reverse */
  reorder: { inputs: ["x"], outputs: ["y"], attributes: {} },
  /** all segments; its operands are in the instruction's OptimizerProgram */
  optimizer: { inputs: [], outputs: [], attributes: {} },
} as const satisfies Readonly<Record<string, KernelSpec>>;

export type InstructionKind = keyof typeof KERNELS;

/**
 * What a network is made of before it is compiled: the kinds that the compiler does not make of others, the
 * batch norm whose mode is not decided, and the op that needs no instruction. Files that hold networks have an
 * entry for each: ONNX, and the graph of a checkpoint.
 */
export type LayerOp =
  | Exclude<
      InstructionKind,
      | `${string}Backward${string}`
      | `batchNorm${string}`
      | `conv2dNorm${string}`
      | "softmax"
      | "softmaxCrossEntropy"
      | "reorder"
      | "optimizer"
    >
  | "batchNorm"
  | "flatten";

/** The least and the most of a list of operands. */
export const operandCounts = (names: readonly string[]): readonly [number, number] => [
  names.filter((name) => !name.endsWith("?")).length,
  names.length,
];

const FITS: Readonly<Record<AttributeType, (value: unknown) => boolean>> = {
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  flag: (value) => typeof value === "boolean",
  pair: (value) => Array.isArray(value) && value.length === 2 && value.every(FITS.integer),
};

/** What an instruction holds against the table, as sentences without a subject; empty where it obeys. */
export function kernelFaults(instruction: {
  readonly kind: string;
  readonly inputs: readonly unknown[];
  readonly outputs: readonly unknown[];
  readonly attributes: Readonly<Record<string, unknown>>;
}): string[] {
  const { kind, attributes } = instruction;
  const spec: KernelSpec | undefined = Object.hasOwn(KERNELS, kind)
    ? KERNELS[kind as InstructionKind]
    : undefined;
  if (!spec) return [`no kernel is called "${kind}"`];
  const faults: string[] = [];
  for (const side of ["inputs", "outputs"] as const) {
    const [least, most] = operandCounts(spec[side]);
    const count = instruction[side].length;
    if (count < least || count > most)
      faults.push(
        `expects ${least === most ? least : `${least} to ${most}`} ${side}; got ${count}`,
      );
  }
  for (const [name, { type, default: absent }] of Object.entries(spec.attributes)) {
    const value = attributes[name];
    if (value === undefined ? absent === undefined : !FITS[type](value))
      faults.push(`attribute ${name} must be of type ${type}; got ${String(value)}`);
  }
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && !Object.hasOwn(spec.attributes, name))
      faults.push(`takes no attribute ${name}`);
  return faults;
}
