/** @file compileNetwork: the passes in order, for the programs that share one network's memory. */

import {
  checkHalfOpen,
  checkNonNegative,
  checkNonNegativeInteger,
  checkPositiveInteger,
} from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { elementCount } from "../core/shapes.ts";
import type { DifferentiatedGraph, Graph } from "../ir/index.ts";
import {
  AVERAGE,
  accumulate,
  clipByValue,
  type Optimizer,
  optimizerScalars,
  runScalars,
  withAverage,
} from "../optimizers/index.ts";
import type { Program } from "../program/index.ts";
import { encode, inputBytes, outputBytes } from "./encode/encode.ts";
import { updateBytes } from "./encode/encode-update.ts";
import { parameterScales } from "./encode/parameter-groups.ts";
import { countFlops } from "./graph/flops.ts";
import { writeFolded } from "./graph/fold.ts";
import { firstBlockCosts, fuseFirstBlock } from "./graph/fuse-first-block.ts";
import {
  evaluationGraph,
  predictionGraph,
  recalibrationGraph,
  trainingGraph,
} from "./graph/passes.ts";
import { checkPrecision } from "./graph/precision.ts";
import { planOrdered } from "./memory/delay-gradients.ts";
import { type LaidOutGraph, layOut } from "./memory/lay-out.ts";
import { initializeTensors, persistentTensors } from "./memory/persistent.ts";
import type { CompiledNetwork, CompileOptions, PersistentTensor, ScalarValues } from "./types.ts";

/**
 * Compiles a network's programs for a backend.
 * @throws ArgumentError for a batch that gives batch norm one value per channel, a parameter group or
 *   `trainFrom` that matches nothing, or an option outside its domain
 * @throws ShapeError naming the layer
 */
export function compileNetwork(options: CompileOptions): CompiledNetwork {
  checkOptions(options);
  const { network, backend, batch, lastBatch = 0, clipValue, slots = 2, threads } = options;
  const { implementations, precision } = options;
  const clippedOptimizer =
    clipValue === undefined ? options.optimizer : clipByValue(options.optimizer, clipValue);
  const whole = options.average ? withAverage(clippedOptimizer) : clippedOptimizer;
  const halves = options.accumulate
    ? accumulate(whole, options.clip === undefined ? {} : { clip: options.clip })
    : null;
  const optimizer = halves?.apply ?? whole;
  // What accumulates gradients clips their sum.
  const clip = halves ? undefined : options.clip;
  const loss = { labelSmoothing: options.labelSmoothing ?? 0, classWeights: options.classWeights };
  const { trainFrom, frozenBatchNorm } = options;
  const frozen = { trainFrom, frozenBatchNorm };
  const training = trainingGraph(network, batch, loss, frozen);
  const fused = <G extends Graph | DifferentiatedGraph>(graph: G): G =>
    backend.capabilities.firstBlock ? fuseFirstBlock(graph, precision) : graph;
  const laidOut = layOut(fused(training), { backend, implementations, precision });
  const persistent = persistentTensors(laidOut, optimizer);
  const layouts = new Map(persistent.tensors.map(({ name, buffer }) => [name, buffer.layout]));
  const trainable = [...laidOut.gradients.keys()].map((id) => laidOut.tensors.get(id)!);
  const names = trainable.map(({ name }) => name);
  const { firstUpdates } = options;
  const begins = beginsOf(names, firstUpdates);
  const scalarsOf = (of: Optimizer) => [
    "seed",
    "update",
    ...begins.flatMap((first) =>
      runScalars(of).map((s) => (first === 0 ? s.name : `${s.name}, of update ${first} on`)),
    ),
  ];
  const scales = new Map(parameterScales(network.name, names, options.parameterGroups ?? []));
  if (options.decayBiasesAndNorms === false)
    for (const { name, shape } of trainable)
      if (shape.length < 2) scales.set(name, { ...scales.get(name), weightDecayScale: 0 });

  const memory = { arenaBytes: 0, lowerBoundBytes: 0 };
  const evaluated = optimizer.state.find(({ name }) => name === optimizer.evaluationWeights);
  const average = optimizer.state.find(({ name }) => name === AVERAGE);
  const finish = (
    name: string,
    laidOut: LaidOutGraph,
    { weights = evaluated, rule = optimizer } = {},
  ): Program => {
    const update =
      laidOut.gradients.size > 0
        ? { optimizer: rule, clip, scales, begins, firstUpdates }
        : undefined;
    const { graph, plan: planned } = planOrdered(laidOut, {
      updateBytes: update ? updateBytes(laidOut, update) : 0,
    });
    memory.arenaBytes = Math.max(memory.arenaBytes, planned.peakBytes);
    memory.lowerBoundBytes = Math.max(memory.lowerBoundBytes, planned.lowerBoundBytes);
    const scalars = scalarsOf(rule);
    const about = { name, graph, plan: planned, persistent, scalars };
    return encode(update ? { ...about, update } : { ...about, weights });
  };
  const withLayouts = (graph: Graph) =>
    layOut(fused(graph), { backend, persistent: layouts, implementations, precision });
  const recalibration =
    evaluated || options.average ? recalibrationGraph(network, batch, frozen) : null;
  const recalibrate = (name: string, weights = evaluated) =>
    recalibration && weights ? finish(name, withLayouts(recalibration), { weights }) : null;
  const programs = {
    train: finish("train", laidOut),
    trainLast:
      lastBatch > 0
        ? finish("trainLast", withLayouts(trainingGraph(network, lastBatch, loss, frozen)))
        : null,
    gather: halves && finish("gather", laidOut, { rule: halves.gather }),
    evaluate: finish("evaluate", withLayouts(evaluationGraph(network, batch, frozen))),
    predict: finish("predict", withLayouts(predictionGraph(network, batch, frozen))),
    recalibrate: recalibrate("recalibrate"),
    evaluateAverage: options.average
      ? finish("evaluateAverage", withLayouts(evaluationGraph(network, batch, frozen)), {
          weights: average,
        })
      : null,
    recalibrateAverage: options.average ? recalibrate("recalibrateAverage", average) : null,
  };

  const all = Object.values(programs).filter((program) => program !== null);
  const parameters = persistent.tensors.filter(({ role }) => role === "parameter");
  return {
    network,
    programs,
    tensors: persistent.tensors.filter(({ role }) => role !== "folded"),
    sessionOptions: {
      persistentBytes: persistent.bytes,
      arenaBytes: memory.arenaBytes,
      outputBytes: Math.max(...all.map((program) => outputBytes(program, backend.alignment))),
      ...inputBytes(batch, network.inputShape, backend.alignment),
      slots,
      threads,
    },
    memory: { persistentBytes: persistent.bytes, ...memory },
    flops: countFlops(training),
    firstBlocks: backend.capabilities.firstBlock ? firstBlockCosts(training, precision) : [],
    parameterCount: elementsOf(parameters),
    trainedParameterCount: elementsOf(parameters.filter(({ name }) => names.includes(name))),
    scalars: (values: ScalarValues) => {
      const { seed, update, learningRate = 0, hyperparameters = {}, microBatch } = values;
      checkNonNegativeInteger("scalars", "update", update);
      const share = microBatch && { share: microBatch.share };
      const rule = halves && microBatch?.gathers ? halves.gather : optimizer;
      const given = {
        learningRate,
        hyperparameters: { ...(rule === optimizer ? hyperparameters : {}), ...share },
      };
      // An evaluation may be asked for before the last of them has begun.
      const scalars = begins.flatMap((first) => [
        ...optimizerScalars(rule, { ...given, t: Math.max(1, update + 1 - first) }),
      ]);
      return Float64Array.from([seed, microBatch?.draw ?? update, ...scalars]);
    },
    initialize: (session, seed) => initializeTensors(session, persistent, seed),
    prepare: (session) => writeFolded(session, persistent.folded),
  };
}

/** The updates before which trained parameters were frozen, ascending, each once; 0 is always there. */
const beginsOf = (names: readonly string[], firstUpdates?: ReadonlyMap<string, number>) =>
  [...new Set([0, ...names.map((name) => firstUpdates?.get(name) ?? 0)])].sort((a, b) => a - b);

const elementsOf = (tensors: readonly PersistentTensor[]): number =>
  tensors.reduce((sum, { buffer }) => sum + elementCount(buffer.shape), 0);

function checkOptions(options: CompileOptions): void {
  const { network, batch, lastBatch = 0, labelSmoothing = 0, classWeights, threads } = options;
  const subject = network.name;
  checkPositiveInteger(subject, "batch", batch);
  checkNonNegativeInteger(subject, "lastBatch", lastBatch);
  if (lastBatch >= batch)
    throw new ArgumentError(
      `${subject}: lastBatch must be smaller than batch (${batch}); got ${lastBatch}: use 0 if there is none`,
    );
  checkHalfOpen(subject, "labelSmoothing", labelSmoothing, 0, 1);
  checkPositiveInteger(subject, "threads", threads);
  checkPrecision(subject, options.backend, options.precision);
  if (!classWeights) return;
  if (classWeights.length !== network.classes)
    throw new ArgumentError(
      `${subject}: classWeights must be ${network.classes} numbers, one a class; got ${classWeights.length}`,
    );
  for (const weight of classWeights) checkNonNegative(subject, "each class weight", weight);
  if (!classWeights.some((weight) => weight > 0))
    throw new ArgumentError(`${subject}: one class weight at least must be above 0`);
}
