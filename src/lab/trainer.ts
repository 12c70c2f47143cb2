/** @file A network in memory, ready to train: what fit and the range test share. */

import { type CompiledNetwork, type CompileOptions, compileNetwork } from "../compile/index.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError, ShapeError, WeightsError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shapes.ts";
import { epochOrder } from "../data/index.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { Checkpoint } from "../weights/index.ts";
import { implementationsOf } from "./convolution-choice.ts";
import { defaultThreads } from "./machine.ts";
import { optimizerShare } from "./optimizer-share.ts";
import type { TrainingSetup } from "./options.ts";
import { pipeline } from "./pipeline.ts";

/** Result of one update. */
export interface UpdateResult {
  /** Updates made before this one. */
  readonly update: number;
  readonly learningRate: number;
  /** Mean over the batch; may be NaN or infinite. */
  readonly loss: number;
  /** Right answers of the batch. */
  readonly correct: number;
  /** Images of the batch. */
  readonly examples: number;
  /** Of the step alone, without waiting for data. */
  readonly milliseconds: number;
}

export interface Evaluation {
  /** Mean over the images. */
  readonly loss: number;
  /** In 0 .. 1. */
  readonly accuracy: number;
}

/** A tensor in logical order, as a checkpoint holds it. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Trainer {
  readonly compiled: CompiledNetwork;
  readonly updatesPerEpoch: number;
  /**
   * One pass over the training split in the order of (seed, epoch), from update
   * (epoch - 1) * updatesPerEpoch on; `onUpdate` may return false to end the pass early.
   */
  trainEpoch(options: {
    epoch: number;
    learningRate(update: number): number;
    /** Those that differ from the optimizer's own; default none. */
    hyperparameters?(update: number): Readonly<Record<string, number>>;
    /**
     * `evaluate` is that of the trainer, for use before it returns: it leaves the batch that is being
     * loaded beside it alone.
     */
    onUpdate(
      result: UpdateResult,
      evaluate: Trainer["evaluate"],
    ): boolean | undefined | Promise<boolean | undefined>;
  }): Promise<void>;
  /** Mean loss (neither smoothed nor weighted) and accuracy. @throws InterruptedError between batches */
  evaluate(indices: Int32Array): Promise<Evaluation>;
  /** Parameters and running statistics; with `state`, the optimizer's as well. */
  read(options?: { state?: boolean }): NamedTensor[];
  /** Puts back what `read` with `state` gave. @throws WeightsError where a tensor is missing or of another shape */
  write(checkpoint: Checkpoint): void;
  /**
   * Part of a step that the optimizer's update takes, 0 .. 1, of a few profiled steps. Parameters,
   * statistics and state are afterwards what they were, to the bit; null on the reference backend,
   * whose times mean nothing.
   */
  optimizerShare(): Promise<number | null>;
  dispose(): void;
}

/**
 * Batches and updates of an epoch.
 * @throws ArgumentError where the batch, or what an update takes of them, exceeds the training split
 */
export function planEpoch(setup: TrainingSetup): {
  batch: number;
  /** Size of the last batch where it is smaller, else 0. */
  lastBatch: number;
  /** Batches that an update takes its gradient from; the last update of an epoch may take fewer. */
  accumulate: number;
  /** Images that an epoch trains on: all, unless the last are dropped. */
  images: number;
  updatesPerEpoch: number;
} {
  const { batch = 64, accumulate = 1 } = setup;
  checkPositiveInteger("training", "batch", batch);
  checkPositiveInteger("training", "accumulate", accumulate);
  const all = setup.dataset.train.length;
  if (batch > all)
    throw new ArgumentError(
      `training: batch must not exceed the training split; got ${batch} for ${all} images. Use --batch ${all} or less`,
    );
  const whole = batch * accumulate;
  if (setup.dropLast && whole > all)
    throw new ArgumentError(
      `training: an update takes ${accumulate} batches of ${batch}, more than the ${all} images of the training split, and smaller ones are dropped. Lower --accumulate`,
    );
  const images = setup.dropLast ? all - (all % whole) : all;
  return {
    batch,
    lastBatch: images % batch,
    accumulate,
    images,
    updatesPerEpoch: Math.ceil(images / whole),
  };
}

/** How the network's step is compiled. @throws ArgumentError where the batch exceeds the training split */
export function compileOptions(setup: TrainingSetup, optimizer: Optimizer): CompileOptions {
  const { network, backend } = setup;
  const { batch, lastBatch, accumulate } = planEpoch(setup);
  return {
    network,
    backend,
    batch,
    lastBatch,
    optimizer,
    slots: 2,
    accumulate: accumulate > 1,
    threads: setup.threads ?? defaultThreads(),
    ...(setup.labelSmoothing === undefined ? {} : { labelSmoothing: setup.labelSmoothing }),
    ...(setup.classWeights ? { classWeights: setup.classWeights } : {}),
    ...(setup.clip === undefined ? {} : { clip: setup.clip }),
    ...(setup.convolutions ? { implementations: implementationsOf(setup.convolutions) } : {}),
    trainFrom: setup.trainFrom,
    frozenBatchNorm: setup.frozenBatchNorm,
  };
}

/**
 * Compiles the network, allocates its memory once, and initialises it from the seed.
 * @throws ShapeError where the network's input or output does not fit the data set
 */
export function openTrainer(setup: TrainingSetup, optimizer: Optimizer, seed: number): Trainer {
  const { dataset, backend } = setup;
  checkFits(setup);
  const { batch, accumulate, images, updatesPerEpoch } = planEpoch(setup);
  const compiled = compileNetwork(compileOptions(setup, optimizer));
  const session = backend.createSession(compiled.sessionOptions);
  const kept = ({ role }: { role: string }, state: boolean) =>
    role === "parameter" || role === "statistic" || (state && role === "state");
  try {
    compiled.initialize(session, seed);
    for (const { name, buffer } of compiled.tensors) {
      const values = setup.pretrained?.tensors.get(name);
      if (values) session.write(buffer, values);
    }
    compiled.prepare(session);
    const train = session.load(compiled.programs.train);
    const trainLast = compiled.programs.trainLast && session.load(compiled.programs.trainLast);
    const gather = compiled.programs.gather && session.load(compiled.programs.gather);
    const evaluation = session.load(compiled.programs.evaluate);

    const fill = (slot: number, indices: Int32Array, epoch?: number) =>
      dataset.fill({
        images: session.images(slot),
        labels: session.labels(slot),
        indices,
        ...(epoch === undefined ? {} : { augment: { seed, epoch } }),
      });

    /** In two slots one batch is loaded while the other is evaluated; in one they take turns. */
    const evaluate = async (indices: Int32Array, slots: readonly number[]): Promise<Evaluation> => {
      const part = (item: number) => indices.subarray(item * batch, (item + 1) * batch);
      const scalars = compiled.scalars({ seed, update: 0, learningRate: 0 });
      let loss = 0;
      let correct = 0;
      await pipeline({
        count: Math.ceil(indices.length / batch),
        slots,
        fill: (item, slot) => fill(slot, part(item)),
        async step(item, slot) {
          const outputs = await evaluation.run({ slot, scalars });
          loss += outputs.loss![0]! * part(item).length;
          correct += outputs.correct![0]!;
          if (setup.signal?.aborted) throw new InterruptedError();
          return true;
        },
      });
      return { loss: loss / indices.length, accuracy: correct / indices.length };
    };

    return {
      compiled,
      updatesPerEpoch,

      async trainEpoch({ epoch, learningRate, hyperparameters, onUpdate }) {
        const order = epochOrder(dataset, seed, epoch).subarray(0, images);
        const part = (item: number) => order.subarray(item * batch, (item + 1) * batch);
        const batches = Math.ceil(images / batch);
        let sum = { loss: 0, correct: 0, milliseconds: 0 };
        await pipeline({
          count: batches,
          fill: (item, slot) => fill(slot, part(item), epoch),
          async step(item, slot) {
            const ofEpoch = Math.floor(item / accumulate);
            const update = (epoch - 1) * updatesPerEpoch + ofEpoch;
            const rate = learningRate(update);
            const examples = Math.min(images - ofEpoch * batch * accumulate, batch * accumulate);
            const share = part(item).length / examples;
            const gathers = item % accumulate < accumulate - 1 && item < batches - 1;
            const whole = gathers ? gather! : train;
            const program = part(item).length === batch ? whole : trainLast!;
            const draw = (epoch - 1) * batches + item;
            const scalars = compiled.scalars({
              seed,
              update,
              learningRate: rate,
              ...(hyperparameters ? { hyperparameters: hyperparameters(update) } : {}),
              ...(gather ? { microBatch: { share, draw, gathers } } : {}),
            });
            const started = performance.now();
            const outputs = await program.run({ slot, scalars });
            sum = {
              loss: sum.loss + share * outputs.loss![0]!,
              correct: sum.correct + outputs.correct![0]!,
              milliseconds: sum.milliseconds + performance.now() - started,
            };
            if (gathers) return true;
            const result = { update, learningRate: rate, ...sum, examples };
            sum = { loss: 0, correct: 0, milliseconds: 0 };
            return onUpdate(result, (indices) => evaluate(indices, [slot]));
          },
        });
      },

      evaluate: (indices) => evaluate(indices, [0, 1]),

      read: ({ state = false } = {}) =>
        compiled.tensors
          .filter((tensor) => kept(tensor, state))
          .map(({ name, buffer }) => ({ name, shape: buffer.shape, data: session.read(buffer) })),

      write({ tensors }) {
        for (const tensor of compiled.tensors.filter((tensor) => kept(tensor, true))) {
          const { name, buffer } = tensor;
          const stored = tensors.get(name);
          if (!(stored?.data instanceof Float32Array) || !sameShape(stored.shape, buffer.shape))
            throw new WeightsError(
              `checkpoint: "${name}" must be ${formatShape(buffer.shape)} of float32; got ${stored ? formatShape(stored.shape) : "none"}. It is of another network or optimizer`,
            );
          session.write(buffer, stored.data);
        }
        compiled.prepare(session);
      },

      async optimizerShare() {
        if (backend.name !== "native") return null;
        const kept = compiled.tensors.map(({ buffer }) => ({ buffer, data: session.read(buffer) }));
        const scalars = compiled.scalars({ seed, update: 0, learningRate: 0 });
        const share = await optimizerShare(train, { slot: 0, scalars });
        for (const { buffer, data } of kept) session.write(buffer, data);
        return share;
      },

      dispose: () => session.dispose(),
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** @throws ShapeError where the network's input or output does not fit the data set */
export function checkFits({ dataset, network }: TrainingSetup): void {
  const [channels, height, width] = network.inputShape;
  if (channels !== dataset.channels || height !== dataset.size || width !== dataset.size)
    throw new ShapeError(
      `model "${network.name}": input [${network.inputShape.join(", ")}] must match the images [${dataset.channels}, ${dataset.size}, ${dataset.size}] of "${dataset.record.name}"; build the model with channels ${dataset.channels} and size ${dataset.size}`,
    );
  if (network.classes !== dataset.classes.length)
    throw new ShapeError(
      `model "${network.name}": ${network.classes} outputs must match the ${dataset.classes.length} classes of "${dataset.record.name}"; build the model with classes ${dataset.classes.length}`,
    );
}
