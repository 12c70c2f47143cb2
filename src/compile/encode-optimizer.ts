/**
 * @file From an optimizer's expression to the OptimizerProgram that a backend runs.
 *
 * Equal subexpressions are computed once. Phases follow from the reductions: a vector belongs to
 * the first phase in which every scalar it needs is known; what later phases need again is
 * computed again, from sources that only the last phase writes. Scalars known before the step
 * come in as slots of the run; those that depend on the segment or on a reduction are computed
 * by scalar code at the end of a phase.
 */

import { checkPositive } from "../core/checks.ts";
import { ArgumentError, InternalError } from "../core/errors.ts";
import {
  formatScalar,
  isRunScalar,
  type Optimizer,
  runScalars,
  type Scalar,
  type SegmentScalar,
  scalar,
  Vector,
} from "../optimizers/index.ts";
import type {
  ElementwisePhase,
  OptimizerProgram,
  Reduction,
  ScalarInstruction,
  Slot,
} from "../program/index.ts";
import { linearise, type Value } from "./optimizer-code.ts";
import { allocateRegisters } from "./optimizer-registers.ts";

export { optimizerScalars } from "../optimizers/index.ts";

export interface EncodeOptimizerSegment {
  /** "features.0.weight" */
  readonly name: string;
  /** Buffer ids; state in the order of `optimizer.state`. */
  readonly parameter: number;
  readonly gradient: number;
  readonly state: readonly number[];
  /** Elements, padding included. */
  readonly elements: number;
  /** Factor of the learning rate for this tensor; default 1. */
  readonly learningRateScale?: number;
  /** Factor of the weight decay for this tensor, 0 for none; default 1. */
  readonly weightDecayScale?: number;
  /** Whether it is a weight, rather than a bias or a gamma or beta of a norm; default true. */
  readonly isWeight?: boolean;
}

export interface EncodeOptimizerOptions {
  readonly segments: readonly EncodeOptimizerSegment[];
  /** Slot of the first scalar of the optimizer: how many scalars the program has before it. */
  readonly firstSlot: number;
  /** Largest global norm of the gradient; default: no clipping. */
  readonly clip?: number;
}

export interface EncodedOptimizer {
  readonly program: OptimizerProgram;
  /** Appended to Program.scalars; `optimizerScalars` gives their values in this order. */
  readonly scalarNames: readonly string[];
}

/** Order of OptimizerProgram.segmentSlots. */
const SEGMENT_SCALARS: readonly SegmentScalar[] = [
  "learningRateScale",
  "weightDecayScale",
  "isWeight",
];

/**
 * @throws ArgumentError if the optimizer needs what no backend runs yet: state of another shape
 *   than the parameter's, a matrix operation, a second gradient, evaluation weights of its own
 */
export function encodeOptimizer(
  optimizer: Optimizer,
  { segments, firstSlot, clip }: EncodeOptimizerOptions,
): EncodedOptimizer {
  refuseWhatCannotRun(optimizer);
  if (clip !== undefined) checkPositive(optimizer.name, "clip", clip);
  const encoder = new Encoder(optimizer, firstSlot, clip);
  const phases = encoder.encode();
  for (const segment of segments)
    if (segment.state.length !== optimizer.state.length)
      throw new InternalError(
        `optimizer "${optimizer.name}": segment "${segment.name}" has ${segment.state.length} ` +
          `state buffers; it needs ${optimizer.state.length}`,
      );
  return {
    program: {
      name: optimizer.name,
      registers: Math.max(0, ...phases.map((phase) => phase.registers)),
      slots: encoder.slots,
      segmentSlots: SEGMENT_SCALARS.map((name) => encoder.segmentSlot(name)),
      phases: phases.map((phase) => phase.phase),
      segments: segments.map(({ name, parameter, gradient, state, elements, ...scales }) => {
        const { learningRateScale = 1, weightDecayScale = 1, isWeight = true } = scales;
        const scalars = [learningRateScale, weightDecayScale, isWeight ? 1 : 0];
        return { name, parameter, gradient, state, elements, scalars };
      }),
    },
    scalarNames: runScalars(optimizer).map(({ name }) => name),
  };
}

function refuseWhatCannotRun({ name, state, evaluationWeights, gradientEvaluations }: Optimizer) {
  const refuse = (what: string): never => {
    throw new ArgumentError(
      `optimizer "${name}": ${what}, which lrscope cannot run yet; ` +
        "use an optimizer whose update is elementwise, such as adam",
    );
  };
  for (const { name: stateName, shape } of state)
    if (shape !== "parameter") refuse(`its state "${stateName}" has shape "${shape}"`);
  if (evaluationWeights !== null) refuse(`it evaluates with its state "${evaluationWeights}"`);
  if (gradientEvaluations !== 1) refuse(`it needs ${gradientEvaluations} gradients an update`);
}

/** The gradient scaled as torch.nn.utils.clip_grad_norm_ does: by min(1, clip / (norm + 1e-6)). */
function clipped(gradient: Vector, clip: number): Vector {
  const norm = gradient.square().sum("all").sqrt();
  return gradient.mul(scalar(clip).div(norm.add(1e-6)).min(1));
}

/** A scalar's slot, and the phase at whose end it is known; -1: before the first. */
interface ScalarValue {
  readonly slot: Slot;
  readonly known: number;
}

/** What a phase does besides its vector code, gathered while expressions are numbered. */
interface PhaseDraft {
  readonly reductions: { readonly of: Value; readonly reduction: Omit<Reduction, "register"> }[];
  readonly scalarCode: ScalarInstruction[];
}

class Encoder {
  readonly #optimizer: Optimizer;
  readonly #sources: readonly string[];
  readonly #firstSlot: number;
  readonly #runSlots: ReadonlyMap<string, Slot>;
  readonly #values = new Map<string, Value>();
  readonly #numbered = new Map<Vector, Value>();
  readonly #scalars = new Map<string, ScalarValue>();
  readonly #drafts: PhaseDraft[] = [];
  readonly #gradient: Vector;
  slots: number;

  constructor(optimizer: Optimizer, firstSlot: number, clip: number | undefined) {
    const names = runScalars(optimizer).map(({ name }) => name);
    this.#optimizer = optimizer;
    this.#sources = ["parameter", "gradient", ...optimizer.state.map(({ name }) => name)];
    this.#firstSlot = firstSlot + names.length;
    this.#runSlots = new Map(names.map((name, i) => [name, firstSlot + i]));
    this.slots = this.#firstSlot + SEGMENT_SCALARS.length;
    const gradient = new Vector({ kind: "source", name: "gradient" });
    this.#numbered.set(gradient, this.#load("gradient"));
    this.#gradient = clip === undefined ? gradient : clipped(gradient, clip);
  }

  segmentSlot = (name: SegmentScalar): Slot => this.#firstSlot + SEGMENT_SCALARS.indexOf(name);

  encode(): { phase: ElementwisePhase; registers: number }[] {
    const outputs = Object.entries(this.#optimizer.expression)
      .map(([target, vector]) => ({
        target: this.#sources.indexOf(target),
        value: this.#number(vector),
      }))
      // A state that keeps its old value needs no store.
      .filter(({ target, value }) => !(value.op === "load" && value.source === target));
    const last = Math.max(this.#drafts.length, ...outputs.map(({ value }) => value.phase));
    const phases = [];
    for (let p = 0; p <= last; p++) {
      const draft = this.#draft(p);
      const roots = draft.reductions.map(({ of }) => of);
      const code = linearise(roots, p === last ? outputs : []);
      const { instructions, registers, registerOf } = allocateRegisters(code);
      const phase: ElementwisePhase = {
        kind: "elementwise",
        code: instructions,
        reductions: draft.reductions.map(({ of, reduction }) => ({
          ...reduction,
          register: registerOf(of.id),
        })),
        scalarCode: draft.scalarCode,
      };
      phases.push({ phase, registers });
    }
    return phases;
  }

  #draft(phase: number): PhaseDraft {
    while (this.#drafts.length <= phase) this.#drafts.push({ reductions: [], scalarCode: [] });
    return this.#drafts[phase]!;
  }

  #load(name: string): Value {
    return this.#value("load", [], 0, this.#sources.indexOf(name));
  }

  #value(op: Value["op"], operands: Value["operands"], phase: number, source = -1): Value {
    const key = [op, source, ...operands.map((o) => ("slot" in o ? `s${o.slot}` : o.id))].join(" ");
    const known = this.#values.get(key);
    if (known) return known;
    const value = { id: this.#values.size, op, source, operands, phase };
    this.#values.set(key, value);
    return value;
  }

  #number(vector: Vector): Value {
    const known = this.#numbered.get(vector);
    if (known) return known;
    const value = this.#numberNode(vector);
    this.#numbered.set(vector, value);
    return value;
  }

  #numberNode({ node }: Vector): Value {
    switch (node.kind) {
      case "source":
        return node.name === "gradient" ? this.#number(this.#gradient) : this.#load(node.name);
      case "fill": {
        const { slot, known } = this.#scalar(node.value, true);
        return this.#value("fill", [{ slot }], known + 1);
      }
      case "unary": {
        const a = this.#number(node.a);
        return this.#value(node.op, [a], a.phase);
      }
      case "binary": {
        const a = this.#number(node.a);
        if (node.b instanceof Vector) {
          const b = this.#number(node.b);
          return this.#value(node.op, [a, b], Math.max(a.phase, b.phase));
        }
        const { slot, known } = this.#scalar(node.b, true);
        return this.#value(node.op, [a, { slot }], Math.max(a.phase, known + 1));
      }
      case "matrix":
        throw new ArgumentError(
          `optimizer "${this.#optimizer.name}": it needs the matrix operation ${node.operation}, ` +
            "which lrscope cannot run yet; use an optimizer whose update is elementwise, such as adam",
        );
      default:
        return node satisfies never;
    }
  }

  #scalar(of: Scalar, byVector = false): ScalarValue {
    const { node } = of;
    if (isRunScalar(of) && (byVector || node.kind !== "constant")) {
      const slot = this.#runSlots.get(formatScalar(of));
      if (slot === undefined)
        throw new InternalError(`optimizer: scalar "${formatScalar(of)}" has no slot`);
      return { slot, known: -1 };
    }
    switch (node.kind) {
      case "segment":
        return { slot: this.segmentSlot(node.name), known: -1 };
      case "constant":
        return this.#computed("constant", [], node.value);
      case "reduction": {
        const value = this.#number(node.of);
        return this.#once(`${node.op} ${node.scope} ${value.id}`, value.phase, (target, draft) =>
          draft.reductions.push({
            of: value,
            reduction: { op: node.op, scope: node.scope, target },
          }),
        );
      }
      case "unary":
        return this.#computed(node.op, [this.#scalar(node.a)]);
      case "binary": {
        const { op } = node;
        if (op === "pow")
          throw new ArgumentError(
            `optimizer "${this.#optimizer.name}": a power of what depends on the tensor or on a ` +
              "reduction cannot be computed within a step; use mul, div and sqrt",
          );
        return this.#computed(op, [this.#scalar(node.a), this.#scalar(node.b)]);
      }
      default:
        throw new InternalError(`optimizer: scalar of kind "${node.kind}" was not numbered`);
    }
  }

  /** A scalar that scalar code computes, at the end of the first phase that knows its operands. */
  #computed(op: ScalarInstruction["op"], from: readonly ScalarValue[], value?: number) {
    const key = [op, value, ...from.map(({ slot }) => slot)].join(" ");
    const phase = Math.max(0, ...from.map(({ known }) => known));
    const [a = 0, b = 0] = from.map(({ slot }) => slot);
    return this.#once(key, phase, (target, draft) =>
      draft.scalarCode.push({ op, target, a, b, ...(value !== undefined && { value }) }),
    );
  }

  #once(key: string, phase: number, emit: (slot: Slot, draft: PhaseDraft) => void): ScalarValue {
    const found = this.#scalars.get(key);
    if (found) return found;
    const value = { slot: this.slots++, known: phase };
    this.#scalars.set(key, value);
    emit(value.slot, this.#draft(phase));
    return value;
  }
}
