/**
 * @file From an optimizer to the OptimizerProgram that a backend runs: its rules become phases
 * (optimizer-encoder.ts), each for the parameter tensors that it is for.
 */

import { checkPositive } from "../../core/checks.ts";
import { InternalError } from "../../core/errors.ts";
import {
  type Optimizer,
  runScalars,
  type Scalar,
  type SegmentScalar,
  scalar,
  type UpdateExpression,
  Vector,
} from "../../optimizers/index.ts";
import type { Domain, OptimizerPhase, OptimizerProgram, ScalarState } from "../../program/index.ts";
import { type EncoderTables, RuleEncoder } from "./optimizer-encoder.ts";

export interface EncodeOptimizerSegment {
  /** "features.0.weight" */
  readonly name: string;
  /** Buffer ids; state in the order of `optimizer.state`, -1 for what the tensor does not have. */
  readonly parameter: number;
  readonly gradient: number;
  readonly state: readonly number[];
  /** Elements, padding included. */
  readonly elements: number;
  /** Of the logical matrix (out, in); default `elements` rows of one column. */
  readonly rows?: number;
  readonly columns?: number;
  /** Factor of the learning rate for this tensor; default 1. */
  readonly learningRateScale?: number;
  /** Factor of the weight decay for this tensor, 0 for none; default 1. */
  readonly weightDecayScale?: number;
  /** Which of the lists of the run's scalars it has; default the first. */
  readonly list?: number;
  /** Whether it is a weight, rather than a bias or a gamma or beta of a norm; default true. */
  readonly isWeight?: boolean;
  /** Whether it is a weight of a hidden layer, neither the first nor the last; default `isWeight`. */
  readonly isHidden?: boolean;
}

export interface EncodeOptimizerOptions {
  readonly segments: readonly EncodeOptimizerSegment[];
  /** Slot of the first scalar of the optimizer: how many scalars the program has before it. */
  readonly firstSlot: number;
  /** Lists of the optimizer's scalars that a run is given, one after the other; default 1. */
  readonly lists?: number;
  /** Largest global norm of the gradient; default: no clipping. */
  readonly clip?: number;
  /** "perturbation": what runs between the two gradients; default "update". */
  readonly part?: "update" | "perturbation";
  /** Buffer of a new scratch tensor of the segment; needed by optimizers with matrix operations. */
  scratch?(segment: number, domain: Domain): number;
}

export interface EncodedOptimizer {
  readonly program: OptimizerProgram;
  /** Appended to Program.scalars; `optimizerScalars` gives their values in this order. */
  readonly scalarNames: readonly string[];
}

/** Those that every program has, in the order of OptimizerProgram.segmentSlots; others follow. */
const SEGMENT_SCALARS: readonly SegmentScalar[] = [
  "learningRateScale",
  "weightDecayScale",
  "isWeight",
];

/** Whether the tensor follows the optimizer's own rule, rather than that of the rest. */
export const isMatrixOf = (
  { rest }: Optimizer,
  { isWeight = true, isHidden = isWeight }: Pick<EncodeOptimizerSegment, "isWeight" | "isHidden">,
): boolean => rest === null || (rest.matrices === "hidden" ? isHidden : isWeight);

/** @throws ArgumentError where a rule asks for what cannot be computed within a step */
export function encodeOptimizer(
  optimizer: Optimizer,
  options: EncodeOptimizerOptions,
): EncodedOptimizer {
  const { segments, scratch, firstSlot, lists = 1 } = options;
  const rules = encodeRules(optimizer, options);
  const scalarNames = runScalars(optimizer).map(({ name }) => name);
  for (const segment of segments)
    if (segment.state.length !== optimizer.state.length)
      throw new InternalError(
        `optimizer "${optimizer.name}": segment "${segment.name}" has ${segment.state.length} ` +
          `state buffers; it needs ${optimizer.state.length}`,
      );
  const scratchOf = (segment: number) =>
    rules.tables.scratch.map(({ domain, segments: only }) => {
      if (only && !only.includes(segment)) return -1;
      if (!scratch) throw new InternalError(`optimizer "${optimizer.name}": needs scratch memory`);
      return scratch(segment, domain);
    });
  const names = [...rules.tables.segmentSlots.keys()];
  return {
    program: {
      name: optimizer.name,
      registers: rules.registers,
      slots: rules.tables.slots,
      segmentSlots: [...rules.tables.segmentSlots.values()],
      ...(lists > 1 && { runSlots: { first: firstSlot, count: scalarNames.length } }),
      ...(rules.scalarStates.length > 0 && { scalarStates: rules.scalarStates }),
      phases: rules.phases,
      segments: segments.map(({ name, parameter, gradient, state, elements, ...about }, i) => {
        const { rows = elements, columns = 1, isWeight = true } = about;
        const { learningRateScale = 1, weightDecayScale = 1, list = 0 } = about;
        const values: Record<SegmentScalar, number> = {
          learningRateScale,
          weightDecayScale,
          isWeight: isWeight ? 1 : 0,
          rows,
          columns,
        };
        return {
          name,
          parameter,
          gradient,
          state,
          ...(rules.tables.scratch.length > 0 && { scratch: scratchOf(i) }),
          elements,
          rows,
          columns,
          scalars: names.map((scalarName) => values[scalarName]),
          ...(list > 0 && { ownSlots: firstSlot + list * scalarNames.length }),
        };
      }),
    },
    scalarNames,
  };
}

/** Domains of the scratch tensors that a segment needs during the update. */
export function scratchDomains(
  optimizer: Optimizer,
  segments: readonly Pick<EncodeOptimizerSegment, "isWeight" | "isHidden">[],
): readonly (readonly Domain[])[] {
  const { tables } = encodeRules(optimizer, { segments, firstSlot: 0 });
  return segments.map((_, i) =>
    tables.scratch.flatMap(({ domain, segments: only }) =>
      !only || only.includes(i) ? [domain] : [],
    ),
  );
}

interface Rules {
  readonly tables: EncoderTables;
  readonly phases: readonly OptimizerPhase[];
  readonly registers: number;
  readonly scalarStates: readonly ScalarState[];
}

function encodeRules(
  optimizer: Optimizer,
  {
    segments,
    firstSlot,
    lists = 1,
    clip,
    part = "update",
  }: Pick<EncodeOptimizerOptions, "firstSlot" | "lists" | "clip" | "part"> & {
    readonly segments: readonly Pick<EncodeOptimizerSegment, "isWeight" | "isHidden">[];
  },
): Rules {
  if (clip !== undefined) checkPositive(optimizer.name, "clip", clip);
  const names = runScalars(optimizer).map(({ name }) => name);
  const afterRun = firstSlot + lists * names.length;
  const tables: EncoderTables = {
    slots: afterRun + SEGMENT_SCALARS.length,
    runSlots: new Map(names.map((name, i) => [name, firstSlot + i])),
    segmentSlots: new Map(SEGMENT_SCALARS.map((name, i) => [name, afterRun + i])),
    scratch: [],
  };
  if (part === "perturbation") {
    const encoder = new RuleEncoder({ optimizer, tables });
    return finish(tables, [encoder], [encoder.encode(optimizer.perturbation ?? {})]);
  }
  if (!optimizer.rest) {
    // The norm's pass computes whatever else is known without it.
    const encoder = new RuleEncoder({
      optimizer,
      tables,
      gradient: clip === undefined ? undefined : (g) => g.mul(clipScale(clip, g)),
    });
    return finish(tables, [encoder], [encoder.encode(optimizer.expression)]);
  }

  // The norm is that of all tensors together, so it comes before either rule.
  const own = new Vector({ kind: "source", name: "gradient" });
  const scale = clip === undefined ? undefined : clipScale(clip, own);
  const norm = new RuleEncoder({ optimizer, tables });
  const clipping = scale && norm.encodeScalar(scale);
  const { rest } = optimizer;
  const rules: [UpdateExpression, number[]][] = [
    [optimizer.expression, []],
    [rest.expression, []],
  ];
  for (const [i, segment] of segments.entries())
    rules[isMatrixOf(optimizer, segment) ? 0 : 1]![1].push(i);
  const used = rules.filter(([, only]) => only.length > 0);
  const encoders = used.map(
    ([, only]) =>
      new RuleEncoder({
        optimizer,
        tables,
        segments: only,
        ...(scale &&
          clipping && { gradient: (g) => g.mul(scale), given: new Map([[scale, clipping.slot]]) }),
      }),
  );
  const phases = encoders.map((encoder, i) => encoder.encode(used[i]![0]));
  return finish(tables, [norm, ...encoders], [clipping?.phases ?? [], ...phases]);
}

const finish = (
  tables: EncoderTables,
  encoders: readonly RuleEncoder[],
  phases: readonly (readonly OptimizerPhase[])[],
): Rules => ({
  tables,
  phases: phases.flat(),
  registers: Math.max(0, ...encoders.map(({ registers }) => registers)),
  scalarStates: encoders.flatMap(({ scalarStates }) => scalarStates),
});

/** As torch.nn.utils.clip_grad_norm_ does: min(1, clip / (norm + 1e-6)). */
function clipScale(clip: number, gradient: Vector): Scalar {
  const norm = gradient.square().sum("all").sqrt();
  return scalar(clip).div(norm.add(1e-6)).min(1);
}
