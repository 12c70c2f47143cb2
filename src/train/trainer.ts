/** @file A network in memory, ready to train: what fit and the range test share. */

import { type CompiledNetwork, compileNetwork } from "../compile/index.ts";
import { at, get } from "../core/at.ts";
import { InternalError, InterruptedError, WeightsError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shapes.ts";
import { epochOrder } from "../data/order.ts";
import type { Checkpoint } from "../formats/index.ts";
import { AVERAGE, AVERAGE_WEIGHT, type Optimizer } from "../optimizers/index.ts";
import type { LoadedProgram, Program } from "../program/index.ts";
import { batchWeight, checkFits, compileOptions, planEpoch } from "./compile-options.ts";
import { optimizerShare } from "./optimizer-share.ts";
import type { TrainingSetup } from "./options.ts";
import { pipeline } from "./pipeline.ts";
import {
  type NamedBuffer,
  type NamedParts,
  type NamedTensor,
  readTensors,
  tensorsInParts,
} from "./read-tensors.ts";
import { keepStatistics, keepTensors, recalibrate } from "./recalibrate.ts";
import { type ConfusionCounts, likeliestClass, noConfusion } from "./scores.ts";

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
  /** Counts; rows are true classes, columns answers. */
  readonly confusion: ConfusionCounts;
  /** One an image, in the order asked for: 1 where the answer is right, else 0. */
  readonly right: Uint8Array;
}

/** Of some images. */
export interface Probabilities {
  /** images x classes */
  readonly probabilities: Float32Array;
  readonly labels: Int32Array;
}

/** A tensor in logical order, as a checkpoint holds it. */
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
    /** Share of the update's weights in the average, where there is one; default 0. */
    averageWeight?(update: number): number;
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
  /** The same of the average; the running statistics are put back afterwards. */
  evaluateAverage(indices: Int32Array): Promise<Evaluation>;
  /** What `predict` would say of the images, in order. */
  probabilities(indices: Int32Array): Promise<Probabilities>;
  /**
   * Parameters, where the optimizer evaluates with other weights those under the parameters' names, and
   * running statistics; with `state`, the parameters themselves, statistics and the optimizer's state.
   */
  read(options?: { state?: boolean }): Promise<NamedTensor[]>;
  /** The same tensors; a part is there until the next one of any of them is asked for. */
  inParts(options?: { state?: boolean }): NamedParts[];
  /** The average under the parameters' names, with running statistics of its own. */
  readAverage(): Promise<NamedTensor[]>;
  /**
   * Puts back what `read` with `state` gave. With `begun`, state that it lacks is that of parameters which
   * were frozen until now, and begins.
   * @throws WeightsError where a tensor is missing or of another shape
   */
  write(checkpoint: Pick<Checkpoint, "tensors">, options?: { begun?: boolean }): Promise<void>;
  /** Puts back what `read` without `state` gave, to be evaluated; training does not go on from there. */
  writeEvaluated(checkpoint: Checkpoint): Promise<void>;
  /**
   * Part of a step that the optimizer's update takes, 0 .. 1, of a few profiled steps. Parameters,
   * statistics and state are afterwards what they were, to the bit; null on a backend
   * whose profile says nothing.
   */
  optimizerShare(): Promise<number | null>;
  dispose(): void;
}

/** A scalar of a run. */
const scalarOf = (outputs: Readonly<Record<string, Float64Array>>, name: string): number =>
  at(get(outputs, name, "outputs"), 0, name);

/** A program that was loaded as the setup asks for it. */
function known(program: LoadedProgram | null, name: string): LoadedProgram {
  if (!program) throw new InternalError(`trainer: the program "${name}" is not loaded`);
  return program;
}

/** @throws WeightsError where it is missing, or of another shape or type */
function storedTensor(
  { tensors }: Pick<Checkpoint, "tensors">,
  name: string,
  shape: readonly number[],
): Float32Array {
  const stored = tensors.get(name);
  if (stored?.data instanceof Float32Array && sameShape(stored.shape, shape)) return stored.data;
  throw new WeightsError(
    `checkpoint: "${name}" must be ${formatShape(shape)} of float32; got ${stored ? formatShape(stored.shape) : "none"}. It is of another network or optimizer`,
  );
}

/**
 * Compiles the network, allocates its memory once, and initialises it from the seed.
 * @param epoch that is to be trained, where something is unfrozen; default the first
 * @throws ShapeError where the network's input or output does not fit the data set
 */
export async function openTrainer(
  setup: TrainingSetup,
  optimizer: Optimizer,
  seed: number,
  epoch = 1,
): Promise<Trainer> {
  const { dataset, backend } = setup;
  checkFits(setup);
  const { batch, accumulate, images, updatesPerEpoch } = planEpoch(setup);
  const options = compileOptions(setup, optimizer, epoch);
  const compiled = compileNetwork(options);
  const weightOf = batchWeight(dataset, options.classWeights);
  const session = await backend.openSession(compiled.sessionOptions);
  const isKept =
    (state: boolean) =>
    ({ role }: { role: string }) =>
      role === "parameter" || role === "statistic" || (state && role === "state");
  try {
    await compiled.initialize(session, seed);
    for (const { name, copyOf = name, buffer } of compiled.tensors) {
      const values = setup.pretrained?.tensors.get(copyOf);
      if (values) await session.write(buffer, values);
    }
    await compiled.prepare(session);
    const load = async (program: Program | null) => program && session.load(program);
    const train = await session.load(compiled.programs.train);
    const trainLast = await load(compiled.programs.trainLast);
    const gather = await load(compiled.programs.gather);
    const evaluation = await session.load(compiled.programs.evaluate);
    const recalibration = await load(compiled.programs.recalibrate);
    const ofAverage = await load(compiled.programs.evaluateAverage);
    const recalibrationOfAverage = await load(compiled.programs.recalibrateAverage);
    const prediction = setup.snapshots ? await load(compiled.programs.predict) : null;

    const fill = (slot: number, indices: Int32Array, epoch?: number) =>
      dataset.fill({
        images: session.images(slot),
        labels: session.labels(slot),
        indices,
        ...(epoch === undefined ? {} : { augment: { seed, epoch } }),
      });

    /** Always the same batches, augmented and ordered as those of no epoch that is trained on. */
    const takeStatistics = async (program: LoadedProgram | null): Promise<void> => {
      if (!program) return;
      const order = epochOrder(dataset, seed, 0);
      await recalibrate({
        compiled,
        session,
        program,
        seed,
        batches: Math.floor(order.length / batch),
        slots: [0, 1],
        fill: (item, slot) => fill(slot, order.subarray(item * batch, (item + 1) * batch), 0),
      });
    };

    /** What a forward pass says of each batch of the images. */
    const forEachBatch = (
      indices: Int32Array,
      program: LoadedProgram,
      slots: readonly number[],
      use: (outputs: Record<string, Float64Array>, images: Int32Array, slot: number) => void,
    ) => {
      const part = (item: number) => indices.subarray(item * batch, (item + 1) * batch);
      const scalars = compiled.scalars({ seed, update: 0, learningRate: 0 });
      return pipeline({
        count: Math.ceil(indices.length / batch),
        slots,
        fill: (item, slot) => fill(slot, part(item)),
        async step(item, slot) {
          use(await program.run({ slot, scalars }), part(item), slot);
          if (setup.signal?.aborted) throw new InterruptedError();
          return true;
        },
      });
    };
    /** In two slots one batch is loaded while the other is evaluated; in one they take turns. */
    const evaluate = async (
      indices: Int32Array,
      slots: readonly number[],
      program = evaluation,
    ): Promise<Evaluation> => {
      let loss = 0;
      let correct = 0;
      const classes = dataset.classes.length;
      const confusion = noConfusion(classes);
      const right = new Uint8Array(indices.length);
      let done = 0;
      await forEachBatch(indices, program, slots, (outputs, images) => {
        loss += scalarOf(outputs, "loss") * images.length;
        correct += scalarOf(outputs, "correct");
        for (const [row, image] of images.entries()) {
          const label = at(dataset.labels, image, "labels");
          const answers = at(confusion, label, "confusion");
          const answer = likeliestClass(get(outputs, "probabilities", "outputs"), { row, classes });
          answers[answer] = (answers[answer] ?? 0) + 1;
          right[done++] = answer === label ? 1 : 0;
        }
      });
      return { loss: loss / indices.length, accuracy: correct / indices.length, confusion, right };
    };

    /** The state that stands for a parameter, where there is one. */
    const evaluatedOf = (name: string, state: string | null) =>
      compiled.tensors.find((tensor) => state !== null && tensor.name === `${name}:${state}`);

    /** Parameters, or a state of them under their names, and running statistics. */
    const weightsOf = (state: string | null): NamedBuffer[] =>
      compiled.tensors.filter(isKept(false)).map(({ name, role, buffer }) => ({
        name,
        buffer: (role === "parameter" ? evaluatedOf(name, state)?.buffer : undefined) ?? buffer,
      }));

    /** What `read` reads. */
    const keptOf = ({ state = false }: { state?: boolean }): NamedBuffer[] =>
      state ? compiled.tensors.filter(isKept(true)) : weightsOf(optimizer.evaluationWeights);

    return {
      compiled,
      updatesPerEpoch,

      async trainEpoch({ epoch, learningRate, hyperparameters, averageWeight, onUpdate }) {
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
            const first = ofEpoch * batch * accumulate;
            const ofUpdate = order.subarray(first, first + batch * accumulate);
            const examples = ofUpdate.length;
            const share = gather ? weightOf(part(item)) / weightOf(ofUpdate) : 1;
            const gathers = item % accumulate < accumulate - 1 && item < batches - 1;
            const whole = gathers && gather ? gather : train;
            const program = part(item).length === batch || !trainLast ? whole : trainLast;
            const draw = (epoch - 1) * batches + item;
            const scalars = compiled.scalars({
              seed,
              update,
              learningRate: rate,
              hyperparameters: {
                ...hyperparameters?.(update),
                ...(setup.average ? { [AVERAGE_WEIGHT]: averageWeight?.(update) ?? 0 } : {}),
              },
              ...(gather ? { microBatch: { share, draw, gathers } } : {}),
            });
            const started = performance.now();
            const outputs = await program.run({ slot, scalars });
            sum = {
              loss: sum.loss + share * scalarOf(outputs, "loss"),
              correct: sum.correct + scalarOf(outputs, "correct"),
              milliseconds: sum.milliseconds + performance.now() - started,
            };
            if (gathers) return true;
            const result = { update, learningRate: rate, ...sum, examples };
            sum = { loss: 0, correct: 0, milliseconds: 0 };
            return onUpdate(result, (indices) => evaluate(indices, [slot]));
          },
        });
      },

      async evaluate(indices) {
        await takeStatistics(recalibration);
        return evaluate(indices, [0, 1]);
      },

      async evaluateAverage(indices) {
        const putBack = await keepStatistics(compiled, session);
        await takeStatistics(recalibrationOfAverage);
        const evaluated = await evaluate(indices, [0, 1], known(ofAverage, "average"));
        await putBack();
        return evaluated;
      },

      async probabilities(indices) {
        const { classes } = compiled.network;
        const probabilities = new Float32Array(indices.length * classes);
        const labels = new Int32Array(indices.length);
        let done = 0;
        await forEachBatch(
          indices,
          known(prediction, "predict"),
          [0, 1],
          (outputs, { length }, slot) => {
            const rows = get(outputs, "probabilities", "outputs").subarray(0, length * classes);
            probabilities.set(rows, done * classes);
            labels.set(session.labels(slot).subarray(0, length), done);
            done += length;
          },
        );
        return { probabilities, labels };
      },

      read: (options = {}) => readTensors(session, keptOf(options)),

      inParts: (options = {}) => tensorsInParts(session, keptOf(options)),

      async readAverage() {
        const putBack = await keepStatistics(compiled, session);
        await takeStatistics(recalibrationOfAverage);
        const weights = await readTensors(session, weightsOf(AVERAGE));
        await putBack();
        return weights;
      },

      async write(checkpoint, { begun = false } = {}) {
        const isNew = ({ name, role }: { name: string; role: string }) =>
          begun && role === "state" && !checkpoint.tensors.has(name);
        for (const tensor of compiled.tensors.filter(isKept(true))) {
          const { name, copyOf, buffer } = tensor;
          if (!isNew(tensor))
            await session.write(buffer, storedTensor(checkpoint, name, buffer.shape));
          else if (copyOf !== undefined)
            await session.write(buffer, storedTensor(checkpoint, copyOf, buffer.shape));
        }
        await compiled.prepare(session);
      },

      async writeEvaluated(checkpoint) {
        for (const { name, buffer } of compiled.tensors.filter(isKept(false)))
          await session.write(
            evaluatedOf(name, optimizer.evaluationWeights)?.buffer ?? buffer,
            storedTensor(checkpoint, name, buffer.shape),
          );
        await compiled.prepare(session);
      },

      async optimizerShare() {
        if (!backend.capabilities.profile) return null;
        const putBack = await keepTensors(compiled.tensors, session);
        const scalars = compiled.scalars({ seed, update: 0, learningRate: 0 });
        const share = await optimizerShare(train, { slot: 0, scalars });
        await putBack();
        return share;
      },

      dispose: () => session.dispose(),
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}
