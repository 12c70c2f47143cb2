/** @file What compiling a network takes and gives. */

import type { Initializer } from "../core/initializer.ts";
import type { Network } from "../ir/network.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { Backend, BufferSpec, Program, Session, SessionOptions } from "../program/index.ts";
import type { ParameterGroup } from "./encode/parameter-groups.ts";
import type { FirstBlockCost } from "./graph/fuse-first-block.ts";
import type { Precision } from "./graph/precision.ts";
import type { ImplementationChoice } from "./memory/lay-out.ts";

export interface CompileOptions {
  readonly network: Network;
  readonly backend: Backend;
  /** Examples of a training step; evaluation and prediction take as many, -1 labels filling up. */
  readonly batch: number;
  /** Size of an epoch's smaller last batch; 0 or omitted: there is none, or it is dropped. */
  readonly lastBatch?: number;
  readonly optimizer: Optimizer;
  /** Label smoothing of the training loss, in [0, 1); default 0. */
  readonly labelSmoothing?: number;
  /** Weight of each class in the training loss; default: all 1. */
  readonly classWeights?: readonly number[];
  /** Largest global norm of the gradient; default: no clipping. */
  readonly clip?: number;
  /** Largest magnitude of each element of the gradient, after `clip`; default: no clipping. */
  readonly clipValue?: number;
  /** An update may take its gradient from several micro-batches; default false. See optimizers/accumulate.ts. */
  readonly accumulate?: boolean;
  /** Parameters with a learning rate or weight decay of their own; default: none. */
  readonly parameterGroups?: readonly ParameterGroup[];
  /** false: biases and the gammas and betas of norms do not decay, under any optimizer; default true. */
  readonly decayBiasesAndNorms?: boolean;
  /**
   * Keep an average of the parameters: `scalars` is given its `averageWeight` for each update, and
   * there are programs that evaluate it. Default false.
   */
  readonly average?: boolean;
  /**
   * Which parameters are trained: "all" (the default), those from a module on ("layer4"), or "head",
   * the layer that makes the logits. What lies before costs a forward pass, and changes by no bit.
   */
  readonly trainFrom?: string | undefined;
  /**
   * Batch norms of frozen scale and shift: "evaluate" (the default) keeps their statistics too, and
   * folds them into their convolutions; with "train" their statistics are the batch's, and move.
   */
  readonly frozenBatchNorm?: "evaluate" | "train" | undefined;
  /**
   * Of parameters that were frozen before, by name: the number of updates that were made without them.
   * Their optimizer's count begins there, as that of a parameter does that PyTorch's `add_param_group`
   * adds. Default 0.
   */
  readonly firstUpdates?: ReadonlyMap<string, number> | undefined;
  /**
   * "bf16": activations, their gradients, and the weights that a product reads are bf16, in every program;
   * the parameters themselves, statistics, loss and optimizer are f32. Default "fp32".
   */
  readonly precision?: Precision | undefined;
  /** Input slots: 2 lets a batch be filled while another is trained on; default 2. */
  readonly slots?: 1 | 2;
  readonly threads: number;
  /**
   * Forces the implementation of single convolutions, in every program of the network; default:
   * the backend's own rule everywhere.
   */
  readonly implementations?: ImplementationChoice | undefined;
}

/** A tensor that outlives a step, and how to begin it. */
export interface PersistentTensor {
  /** PyTorch's name: "features.0.weight"; of optimizer state "features.0.weight:m". */
  readonly name: string;
  readonly role: "parameter" | "statistic" | "state" | "constant" | "folded";
  /** The same buffer, with the same id, in every program of the network. */
  readonly buffer: BufferSpec;
  readonly initializer: Initializer;
  /** Of state that begins as a copy of a parameter: which. Whoever writes that one writes this too. */
  readonly copyOf?: string;
  /** Keys the random stream of the initializer. */
  readonly ordinal: number;
  /** Only of role "constant" (class weights): what to write once, in logical order. */
  readonly values?: readonly number[];
}

/** Values of the scalars that every program of a network takes. */
export interface ScalarValues {
  readonly seed: number;
  /** Updates made so far: 0 for the first. */
  readonly update: number;
  /** Default 0: evaluation and prediction do not look at it. */
  readonly learningRate?: number;
  /** Overrides of the optimizer's hyperparameters, by name; default: the optimizer's own. */
  readonly hyperparameters?: Readonly<Record<string, number>>;
  /** Of a network that accumulates gradients. */
  readonly microBatch?: {
    /** Part of the update's examples that it holds. */
    readonly share: number;
    /** Keys the draws of dropout: micro-batches made so far. */
    readonly draw: number;
    /** For the program "gather", rather than the last of an update: "train" or "trainLast". */
    readonly gathers: boolean;
  };
}

export interface MemorySummary {
  readonly persistentBytes: number;
  /** The arena, shared by all programs: the largest of their peaks. */
  readonly arenaBytes: number;
  /** What no plan could do without: bytes of the buffers alive at the same time, at worst. */
  readonly lowerBoundBytes: number;
}

export interface CompiledNetwork {
  readonly network: Network;
  readonly sessionOptions: SessionOptions;
  /** What persists, but for what `prepare` computes. */
  readonly tensors: readonly PersistentTensor[];
  readonly programs: {
    /** Outputs "loss" (mean over rows whose label is not -1) and "correct" (a count). */
    readonly train: Program;
    /** The same for the smaller last batch. */
    readonly trainLast: Program | null;
    /** Adds the gradient of a micro-batch to the sum and updates nothing; null unless it accumulates. */
    readonly gather: Program | null;
    /**
     * Outputs "loss" (plain cross-entropy: neither smoothed nor weighted) and "correct". Where the
     * optimizer names evaluation weights, this and `predict` read those.
     */
    readonly evaluate: Program;
    /** Outputs "probabilities" (batch x classes). */
    readonly predict: Program;
    /**
     * Where there are evaluation weights, and batch norm: a forward pass of training with them, after
     * which the running statistics are those of its batch alone. Else null.
     */
    readonly recalibrate: Program | null;
    /** The two for the average; null without one. */
    readonly evaluateAverage: Program | null;
    readonly recalibrateAverage: Program | null;
  };
  readonly memory: MemorySummary;
  /** Multiplications and additions of one training step; the optimizer's are not counted. */
  readonly flops: { readonly forward: number; readonly backward: number };
  /** First blocks that the engine could compute in one instruction of a step, and what that saves and costs by rule. */
  readonly firstBlocks: readonly FirstBlockCost[];
  readonly parameterCount: number;
  /** Of those that are not frozen. */
  readonly trainedParameterCount: number;
  /** Scalars of a run: the same list fits every program of this network. */
  scalars(values: ScalarValues): Float64Array;
  /** Begin every persistent tensor: parameters drawn by the seed, statistics and state as declared. */
  initialize(session: Session, seed: number): Promise<void>;
  /**
   * Compute what is folded from the parameters and statistics. To be called after they have been
   * written from outside, as from a checkpoint; `initialize` does it, and a program never needs it.
   */
  prepare(session: Session): Promise<void>;
}
