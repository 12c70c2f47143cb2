/**
 * @file From one rule's expressions to phases.
 *
 * Equal subexpressions are computed once. Phases follow from the reductions and matrix operations: a
 * vector belongs to the first phase in which everything it needs is known; what later phases need
 * again is computed again, from sources that only the last phase writes. Scalars known before the
 * step come in as slots of the run; those that depend on the segment, on a state or on a reduction
 * are computed by scalar code at the end of a phase.
 */

import { ArgumentError, InternalError } from "../../core/errors.ts";
import {
  formatScalar,
  isRunScalar,
  type MatrixOperation as MatrixNodeOperation,
  type Optimizer,
  Scalar,
  type SegmentScalar,
  type StateShape,
  type UpdateExpression,
  Vector,
} from "../../optimizers/index.ts";
import type {
  AttributeValue,
  Domain,
  MatrixOperation,
  MatrixPhase,
  OptimizerPhase,
  Reduction,
  ScalarInstruction,
  ScalarState,
  Slot,
} from "../../program/index.ts";
import { linearise, type Output, type Value } from "./optimizer-code.ts";
import { allocateRegisters } from "./optimizer-registers.ts";

/** A scalar's slot, and the phase at whose end it is known; -1: before the first. */
export interface ScalarValue {
  readonly slot: Slot;
  readonly known: number;
}

/** A buffer for each of the rule's segments, for the length of a step. */
export interface Scratch {
  readonly domain: Domain;
  /** Indices; undefined: all. */
  readonly segments: readonly number[] | undefined;
}

/** What the rules of one optimizer share: slots, scratch, and the names of what a run is given. */
export interface EncoderTables {
  slots: number;
  readonly runSlots: ReadonlyMap<string, Slot>;
  readonly segmentSlots: Map<SegmentScalar, Slot>;
  readonly scratch: Scratch[];
}

export interface EncoderOptions {
  readonly optimizer: Optimizer;
  readonly tables: EncoderTables;
  readonly segments?: readonly number[] | undefined;
  /** What stands for the gradient; default itself. */
  readonly gradient?: ((own: Vector) => Vector) | undefined;
  /** Scalars that are known already. */
  readonly given?: ReadonlyMap<Scalar, Slot> | undefined;
}

/** What a phase does besides its outputs, gathered while expressions are numbered. */
interface PhaseDraft {
  readonly reductions: { readonly of: Value; readonly reduction: Omit<Reduction, "register"> }[];
  readonly scalarCode: ScalarInstruction[];
  readonly stores: Output[];
  readonly matrix: MatrixPhase[];
}

const DOMAINS: readonly Domain[] = ["parameter", "row", "column"];
const MEANS = { rowMean: "row", columnMean: "column" } as const satisfies Partial<
  Record<MatrixNodeOperation, Domain>
>;

export class RuleEncoder {
  readonly #optimizer: Optimizer;
  readonly #sources: readonly string[];
  readonly #shapes: ReadonlyMap<string, StateShape>;
  readonly #segments: readonly number[] | undefined;
  readonly #tables: EncoderTables;
  readonly #given: ReadonlyMap<Scalar, Slot>;
  readonly #gradient: Vector;
  readonly #values = new Map<string, Value>();
  readonly #numbered = new Map<Vector, Value>();
  readonly #scalars = new Map<string, ScalarValue>();
  readonly #matrices = new Map<string, Value>();
  readonly #stored = new Map<Value, number>();
  readonly #states = new Map<string, { source: number; load: Slot; store: Slot }>();
  readonly #drafts: PhaseDraft[] = [];
  registers = 0;

  constructor({ optimizer, tables, segments, gradient, given }: EncoderOptions) {
    this.#optimizer = optimizer;
    this.#sources = ["parameter", "gradient", ...optimizer.state.map(({ name }) => name)];
    this.#shapes = new Map(optimizer.state.map(({ name, shape }) => [name, shape]));
    this.#segments = segments;
    this.#tables = tables;
    this.#given = given ?? new Map();
    const own = new Vector({ kind: "source", name: "gradient" });
    this.#numbered.set(own, this.#load("gradient"));
    this.#gradient = gradient?.(own) ?? own;
  }

  /** The phases that compute the scalar, and nothing else. */
  encodeScalar(of: Scalar): { phases: OptimizerPhase[]; slot: Slot } {
    const { slot, known } = this.#scalar(of);
    return { phases: known < 0 ? [] : this.#phases([], known), slot };
  }

  encode(expression: UpdateExpression): OptimizerPhase[] {
    const outputs: Output[] = [];
    for (const [name, of] of Object.entries(expression)) {
      const target = this.#sources.indexOf(name);
      if (of instanceof Scalar) {
        this.#state(name).store = this.#scalar(of).slot;
        continue;
      }
      const value = this.#spreadTo(this.#number(of), this.#domainOf(name));
      // A state that keeps its old value needs no store.
      if (!(value.op === "load" && value.source === target)) outputs.push({ target, value });
    }
    const last = Math.max(this.#drafts.length, ...outputs.map(({ value }) => value.phase));
    return this.#phases(outputs, last);
  }

  /** States of one value that the rule reads or writes. */
  get scalarStates(): ScalarState[] {
    return [...this.#states.values()].map((state) => ({ ...state, ...this.#only }));
  }

  get #only() {
    return this.#segments ? { segments: this.#segments } : {};
  }

  #phases(outputs: readonly Output[], last: number): OptimizerPhase[] {
    const phases: OptimizerPhase[] = [];
    for (let p = 0; p <= last; p++) {
      const draft = this.#draft(p);
      const stored = p === last ? [...draft.stores, ...outputs] : draft.stores;
      const parts = DOMAINS.map((domain) => ({
        domain,
        reductions: draft.reductions.filter(({ of }) => of.domain === domain),
        stores: stored.filter(({ value }) => value.domain === domain),
      })).filter(({ reductions, stores }) => reductions.length + stores.length > 0);
      if (parts.length === 0 && draft.scalarCode.length > 0)
        parts.push({ domain: "parameter", reductions: [], stores: [] });
      for (const [i, { domain, reductions, stores }] of parts.entries()) {
        const code = linearise(
          reductions.map(({ of }) => of),
          stores,
        );
        const { instructions, registers, registerOf } = allocateRegisters(code);
        this.registers = Math.max(this.registers, registers);
        phases.push({
          kind: "elementwise",
          ...(domain !== "parameter" && { domain }),
          ...this.#only,
          code: instructions,
          reductions: reductions.map(({ of, reduction }) => ({
            ...reduction,
            register: registerOf(of.id),
          })),
          scalarCode: i === parts.length - 1 ? draft.scalarCode : [],
        });
      }
      phases.push(...draft.matrix);
    }
    return phases;
  }

  #draft(phase: number): PhaseDraft {
    while (this.#drafts.length <= phase)
      this.#drafts.push({ reductions: [], scalarCode: [], stores: [], matrix: [] });
    return this.#drafts[phase]!;
  }

  #domainOf(source: string): Domain {
    const shape = this.#shapes.get(source) ?? "parameter";
    return shape === "row" || shape === "column" ? shape : "parameter";
  }

  #load(name: string): Value {
    return this.#value("load", [], 0, this.#domainOf(name), this.#sources.indexOf(name));
  }

  #value(
    op: Value["op"],
    operands: Value["operands"],
    phase: number,
    domain: Domain,
    source = -1,
  ): Value {
    const key = [op, source, ...operands.map((o) => ("slot" in o ? `s${o.slot}` : o.id))].join(" ");
    const known = this.#values.get(key);
    if (known) return known;
    const value = { id: this.#values.size, op, source, operands, phase, domain };
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
        return this.#value("fill", [{ slot }], known + 1, "parameter");
      }
      case "unary": {
        const a = this.#number(node.a);
        return this.#value(node.op, [a], a.phase, a.domain);
      }
      case "binary": {
        const a = this.#number(node.a);
        if (node.b instanceof Vector) {
          const b = this.#number(node.b);
          const domain = a.domain === b.domain ? a.domain : "parameter";
          const [x, y] = [this.#spreadTo(a, domain), this.#spreadTo(b, domain)];
          return this.#value(node.op, [x, y], Math.max(x.phase, y.phase), domain);
        }
        const { slot, known } = this.#scalar(node.b, true);
        return this.#value(node.op, [a, { slot }], Math.max(a.phase, known + 1), a.domain);
      }
      case "matrix": {
        const { operation, attributes } = node;
        const a = this.#number(node.a);
        if (a.domain !== "parameter")
          throw new ArgumentError(
            `optimizer "${this.#optimizer.name}": ${operation} takes a value for each element, ` +
              `not for each ${a.domain}`,
          );
        const domain = operation === "newtonSchulz" ? "parameter" : MEANS[operation];
        return this.#matrix(operation, a, domain, attributes);
      }
      default:
        return node satisfies never;
    }
  }

  /** A value a row or column, made one an element; anything else as it is. */
  #spreadTo(value: Value, domain: Domain): Value {
    if (value.domain === domain) return value;
    if (domain !== "parameter")
      throw new ArgumentError(
        `optimizer "${this.#optimizer.name}": a value for each ${value.domain} cannot become one ` +
          `for each ${domain}; take a rowMean or columnMean`,
      );
    return this.#matrix(
      value.domain === "row" ? "spreadRows" : "spreadColumns",
      value,
      "parameter",
      {},
    );
  }

  /** At the end of the value's phase: it is stored, and what the operation makes of it can be loaded. */
  #matrix(
    operation: MatrixOperation,
    of: Value,
    domain: Domain,
    attributes: Readonly<Record<string, AttributeValue>>,
  ): Value {
    const key = `${operation} ${of.id} ${JSON.stringify(attributes)}`;
    const known = this.#matrices.get(key);
    if (known) return known;
    const draft = this.#draft(of.phase);
    const source = this.#inMemory(of);
    const inPlace = operation === "newtonSchulz" && of.op !== "load";
    // Nothing else may read what the iteration overwrites.
    if (inPlace) this.#stored.delete(of);
    const target = inPlace ? source : this.#newScratch(domain);
    draft.matrix.push({ kind: "matrix", operation, source, target, attributes, ...this.#only });
    const value = this.#value("load", [], of.phase + 1, domain, target);
    this.#matrices.set(key, value);
    return value;
  }

  /** Source in which the value lies at the end of its phase. */
  #inMemory(value: Value): number {
    if (value.op === "load") return value.source;
    const known = this.#stored.get(value);
    if (known !== undefined) return known;
    const source = this.#newScratch(value.domain);
    this.#draft(value.phase).stores.push({ target: source, value });
    this.#stored.set(value, source);
    return source;
  }

  #newScratch(domain: Domain): number {
    this.#tables.scratch.push({ domain, segments: this.#segments });
    return this.#sources.length + this.#tables.scratch.length - 1;
  }

  #segmentSlot(name: SegmentScalar): Slot {
    const { segmentSlots } = this.#tables;
    const slot = segmentSlots.get(name) ?? this.#tables.slots++;
    segmentSlots.set(name, slot);
    return slot;
  }

  #state(name: string) {
    const known = this.#states.get(name);
    if (known) return known;
    const state = { source: this.#sources.indexOf(name), load: this.#tables.slots++, store: -1 };
    this.#states.set(name, state);
    return state;
  }

  #scalar(of: Scalar, byVector = false): ScalarValue {
    const { node } = of;
    const given = this.#given.get(of);
    if (given !== undefined) return { slot: given, known: -1 };
    if (isRunScalar(of) && (byVector || node.kind !== "constant")) {
      const slot = this.#tables.runSlots.get(formatScalar(of));
      if (slot === undefined)
        throw new InternalError(`optimizer: scalar "${formatScalar(of)}" has no slot`);
      return { slot, known: -1 };
    }
    switch (node.kind) {
      case "segment":
        return { slot: this.#segmentSlot(node.name), known: -1 };
      case "state":
        return { slot: this.#state(node.name).load, known: -1 };
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
        if (op === "pow" || op === "mod")
          throw new ArgumentError(
            `optimizer "${this.#optimizer.name}": a power or remainder of what depends on the ` +
              "tensor, a state or a reduction cannot be computed within a step; use mul, div and sqrt",
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
    const value = { slot: this.#tables.slots++, known: phase };
    this.#scalars.set(key, value);
    emit(value.slot, this.#draft(phase));
    return value;
  }
}
