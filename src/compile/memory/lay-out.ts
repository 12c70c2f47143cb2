/**
 * @file Memory layouts: the backend is asked, node after node, which layouts it wants; where a
 * tensor already has another one, or another element type, a reorder goes in between. Parameters take
 * the layout that their first reader, the forward pass, wants; their gradients get the parameter's.
 * A parameter that is read only through such reorders has the layout of its gradient.
 */

import { elementCount } from "../../core/shapes.ts";
import type { DifferentiatedGraph, Graph, Node, Tensor } from "../../ir/index.ts";
import { opNamed } from "../../ops/index.ts";
import {
  type Backend,
  type DType,
  type InstructionKind,
  type Layout,
  type LayoutAnswer,
  type LayoutRequest,
  layoutBytes,
  plainLayout,
} from "../../program/index.ts";
import { foldSources } from "../graph/fold.ts";
import { type Precision, readType, withElementTypes } from "../graph/precision.ts";

export interface LaidOutTensor extends Tensor {
  readonly layout: Layout;
  /** Padding included. */
  readonly bytes: number;
}

export interface LaidOutNode extends Node {
  readonly scratchBytes: number;
  readonly implementation: string;
}

export interface LaidOutGraph {
  readonly name: string;
  readonly batch: number;
  /** The backend's: bytes of which every offset must be a multiple. */
  readonly alignment: number;
  /** By id; tensors that no node uses are absent. */
  readonly tensors: ReadonlyMap<number, LaidOutTensor>;
  readonly nodes: readonly LaidOutNode[];
  readonly outputs: Graph["outputs"];
  /** Gradient of each trainable parameter, by the parameter's id; empty without a backward pass. */
  readonly gradients: ReadonlyMap<number, number>;
}

export interface LayOutOptions {
  readonly backend: Pick<Backend, "alignment" | "chooseLayouts">;
  /** Layouts of persistent tensors by name, decided by the training program. */
  readonly persistent?: ReadonlyMap<string, Layout>;
  readonly implementations?: ImplementationChoice | undefined;
  /** Default "fp32". */
  readonly precision?: Precision | undefined;
}

/** Which implementation a request must get; undefined leaves it to the backend's rule. */
export type ImplementationChoice = (request: LayoutRequest) => string | undefined;

export const REORDER = "reorder" satisfies InstructionKind;

export function layOut(
  graph: Graph | DifferentiatedGraph,
  { backend, persistent = new Map(), implementations, precision = "fp32" }: LayOutOptions,
): LaidOutGraph {
  const layouts = new Layouts(withElementTypes(graph, precision), persistent, precision);
  for (const node of graph.nodes) {
    if (opNamed(node.op).alias) layouts.alias(node);
    else layouts.ask(node, backend, implementations);
  }
  return layouts.finish(backend.alignment);
}

class Layouts {
  readonly #graph: Graph;
  readonly #tensors = new Map<number, LaidOutTensor>();
  readonly #nodes: LaidOutNode[] = [];
  readonly #gradients: Map<number, number>;
  /** Parameter of a gradient tensor, by the gradient's id. */
  readonly #parameterOf: ReadonlyMap<number, number>;
  readonly #precision: Precision;
  /** "id layout type" -> id of the reordered copy, so that no tensor is reordered twice. */
  readonly #copies = new Map<string, number>();
  /** Layout of the last copy in another type, by id: whoever reads the tensor next may take that. */
  readonly #converted = new Map<number, Layout>();
  /** Workspaces that the backend has no use for. */
  readonly #dropped = new Set<number>();
  #nextId: number;

  constructor(
    graph: Graph | DifferentiatedGraph,
    persistent: ReadonlyMap<string, Layout>,
    precision: Precision,
  ) {
    this.#graph = graph;
    this.#precision = precision;
    this.#gradients = new Map("gradients" in graph ? graph.gradients : []);
    this.#parameterOf = new Map([...this.#gradients].map(([parameter, id]) => [id, parameter]));
    this.#nextId = graph.tensors.length;
    const outputs = Object.values(graph.outputs);
    for (const tensor of graph.tensors) {
      const layout = persistent.get(tensor.name);
      const isPlain =
        (outputs.includes(tensor.id) && tensor.dtype !== "bf16") ||
        (tensor.dtype === "f32" && tensor.shape.length === 1) ||
        !["value", "parameter", "folded"].includes(tensor.role);
      if (layout && tensor.role !== "value") this.#set(tensor, layout);
      else if (isPlain) this.#set(tensor, plainLayout(tensor.shape.length));
    }
  }

  #set(tensor: Tensor, layout: Layout, bytes?: number): void {
    const { shape, dtype } = tensor;
    const known = bytes ?? layoutBytes(layout, shape, dtype);
    this.#tensors.set(tensor.id, { ...tensor, layout, bytes: known });
  }

  /** Layout so far; of a gradient the parameter's; "any" where nothing is decided. */
  #layoutOf(id: number): Layout | "any" {
    const known = this.#tensors.get(id) ?? this.#tensors.get(this.#parameterOf.get(id) ?? -1);
    return known?.layout ?? "any";
  }

  /** An operand in a type; what has to be converted may come in any layout, but for a batch's images. */
  #operand(id: number, dtype: DType) {
    const tensor = this.#tensors.get(id) ?? this.#graph.tensors[id]!;
    const { shape } = tensor;
    if (tensor.dtype === dtype) return { shape, dtype, layout: this.#layoutOf(id) };
    const isWeight = tensor.role === "parameter" || tensor.role === "folded";
    const layout = this.#converted.get(id) ?? (isWeight ? "any" : this.#layoutOf(id));
    return { shape, dtype, layout };
  }

  /** The same memory under another shape: what goes in must be in plain order. */
  alias(node: Node): void {
    const [from, to] = [node.inputs[0]!, this.#graph.tensors[node.outputs[0]!]!];
    const plain = plainLayout(this.#graph.tensors[from]!.shape.length);
    const input = this.#inLayout(from, plain, node.layer, to.dtype);
    this.#set(to, plainLayout(to.shape.length));
    this.#nodes.push({ ...node, inputs: [input], scratchBytes: 0, implementation: "alias" });
  }

  ask(asked: Node, backend: LayOutOptions["backend"], choice?: ImplementationChoice): void {
    const node = { ...asked, inputs: asked.inputs.filter((id) => !this.#dropped.has(id)) };
    const types = node.inputs.map((id) =>
      readType(node, this.#tensors.get(id) ?? this.#graph.tensors[id]!, this.#precision),
    );
    const request: LayoutRequest = {
      kind: node.op as InstructionKind,
      layer: node.layer,
      attributes: node.attributes,
      inputs: node.inputs.map((id, i) => this.#operand(id, types[i]!)),
      outputs: node.outputs.map((id) => this.#operand(id, this.#graph.tensors[id]!.dtype)),
    };
    const answer = backend.chooseLayouts({ ...request, wanted: choice?.(request) });
    const inputs = node.inputs.map((id, i) =>
      this.#inLayout(id, answer.inputs[i]!, node.layer, types[i]!),
    );
    const results = node.outputs.map((id, i) => this.#result(id, answer, i));
    const { scratchBytes, implementation } = answer;
    const outputs = results.filter((result) => result !== undefined).map(({ written }) => written);
    this.#nodes.push({ ...node, inputs, outputs, scratchBytes, implementation });
    for (const result of results)
      if (result && result.written !== result.id)
        this.#reorder(result.written, result.id, node.layer);
  }

  /** The tensor in a layout and type: itself, or a reordered copy. */
  #inLayout(id: number, layout: Layout, layer: string, dtype: DType): number {
    const tensor = this.#tensors.get(id);
    const known = tensor ?? this.#graph.tensors[id]!;
    if (!tensor && known.dtype === dtype) {
      this.#set(known, layout);
      return id;
    }
    if (tensor?.layout === layout && tensor.dtype === dtype) return id;
    const key = `${id} ${layout} ${dtype}`;
    const earlier = this.#copies.get(key);
    if (earlier !== undefined) return earlier;
    const copy = this.#copy(known, layout, dtype);
    this.#reorder(id, copy, layer);
    this.#copies.set(key, copy);
    if (known.dtype !== dtype) this.#converted.set(id, layout);
    return copy;
  }

  /**
   * Where a node writes its i-th output: into the tensor itself, or, where the layout is fixed and
   * another one is written, into a copy that is then reordered. undefined: a workspace of no bytes.
   */
  #result(id: number, answer: LayoutAnswer, i: number) {
    const [layout, bytes] = [answer.outputs[i]!, answer.outputBytes[i]!];
    const tensor = this.#graph.tensors[id]!;
    if (layout === "opaque") {
      if (bytes === 0) {
        this.#dropped.add(id);
        return undefined;
      }
      this.#set(tensor, layout, bytes);
      return { id, written: id };
    }
    const wanted = this.#layoutOf(id);
    this.#set(tensor, wanted === "any" ? layout : wanted);
    const written =
      wanted === "any" || wanted === layout ? id : this.#copy(tensor, layout, tensor.dtype);
    return { id, written };
  }

  #copy({ name, shape, dtype: before }: Tensor, layout: Layout, dtype: DType): number {
    const id = this.#nextId++;
    const what = dtype === before ? layout : `${dtype} ${layout}`;
    this.#set({ id, name: `${name} as ${what}`, role: "value", shape, dtype }, layout);
    return id;
  }

  #reorder(from: number, to: number, layer: string): void {
    const node = { op: REORDER, layer, inputs: [from], outputs: [to], attributes: {} };
    this.#nodes.push({ ...node, scratchBytes: 0, implementation: "reorder" });
  }

  /** What a folded tensor is computed from is kept, though no node may read it; then plain. */
  #keepSource(id: number, used: Set<number>): void {
    used.add(id);
    const tensor = this.#graph.tensors[id]!;
    if (!this.#tensors.has(id)) this.#set(tensor, plainLayout(tensor.shape.length));
  }

  finish(alignment: number): LaidOutGraph {
    for (const [parameter, gradient] of this.#gradients) {
      // Read through conversions alone, the parameter lies as its gradient does.
      if (!this.#tensors.has(parameter))
        this.#set(this.#graph.tensors[parameter]!, this.#tensors.get(gradient)!.layout);
      const { layout, name } = this.#tensors.get(parameter)!;
      this.#gradients.set(parameter, this.#inLayout(gradient, layout, name, "f32"));
    }
    const outputs = Object.entries(this.#graph.outputs).map(([output, id]) => {
      const { shape, name, dtype } = this.#tensors.get(id)!;
      if (dtype !== "bf16") return [output, id] as const;
      return [output, this.#inLayout(id, plainLayout(shape.length), name, "f32")] as const;
    });
    const used = new Set(this.#nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
    for (const id of [...used]) {
      const tensor = this.#graph.tensors[id];
      if (tensor && !this.#tensors.has(id)) this.#set(tensor, plainLayout(tensor.shape.length));
      const { fold } = this.#tensors.get(id)!;
      for (const source of fold ? foldSources(fold) : []) this.#keepSource(source, used);
    }
    const { name, batch } = this.#graph;
    return {
      name,
      batch,
      alignment,
      tensors: new Map([...this.#tensors].filter(([id]) => used.has(id))),
      nodes: this.#nodes,
      outputs: Object.fromEntries(outputs),
      gradients: this.#gradients,
    };
  }
}

/** Elements of a tensor, padding included. */
export const paddedElements = ({ layout, bytes, shape }: LaidOutTensor): number =>
  layout === "opaque" ? elementCount(shape) : bytes / 4;
