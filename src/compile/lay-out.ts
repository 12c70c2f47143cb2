/**
 * @file Memory layouts: the backend is asked, node after node, which layouts it wants; where a
 * tensor already has another one, a reorder goes in between. Parameters take the layout that their
 * first reader, the forward pass, wants; their gradients get the parameter's.
 */

import { elementCount } from "../core/shapes.ts";
import type { DifferentiatedGraph, Graph, Node, Tensor } from "../ir/index.ts";
import { opNamed } from "../ops/index.ts";
import {
  type Backend,
  type ConvolutionImplementation,
  type InstructionKind,
  type Layout,
  type LayoutAnswer,
  type LayoutRequest,
  layoutBytes,
  plainLayout,
} from "../program/index.ts";
import { foldSources } from "./fold.ts";

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
  /** By id; tensors that no node uses are absent. */
  readonly tensors: ReadonlyMap<number, LaidOutTensor>;
  readonly nodes: readonly LaidOutNode[];
  readonly outputs: Graph["outputs"];
  /** Gradient of each trainable parameter, by the parameter's id; empty without a backward pass. */
  readonly gradients: ReadonlyMap<number, number>;
}

export interface LayOutOptions {
  readonly backend: Pick<Backend, "chooseLayouts">;
  /** Layouts of persistent tensors by name, decided by the training program. */
  readonly persistent?: ReadonlyMap<string, Layout>;
  readonly implementations?: ImplementationChoice | undefined;
}

/** Which implementation a request must get; undefined leaves it to the backend's rule. */
export type ImplementationChoice = (
  request: LayoutRequest,
) => ConvolutionImplementation | undefined;

export const REORDER = "reorder" satisfies InstructionKind;

export function layOut(
  graph: Graph | DifferentiatedGraph,
  { backend, persistent = new Map(), implementations }: LayOutOptions,
): LaidOutGraph {
  const layouts = new Layouts(graph, persistent);
  for (const node of graph.nodes) {
    if (opNamed(node.op).alias) layouts.alias(node);
    else layouts.ask(node, backend, implementations);
  }
  return layouts.finish();
}

class Layouts {
  readonly #graph: Graph;
  readonly #tensors = new Map<number, LaidOutTensor>();
  readonly #nodes: LaidOutNode[] = [];
  readonly #gradients: Map<number, number>;
  /** Parameter of a gradient tensor, by the gradient's id. */
  readonly #parameterOf: ReadonlyMap<number, number>;
  /** "id layout" -> id of the reordered copy, so that no tensor is reordered twice. */
  readonly #copies = new Map<string, number>();
  /** Workspaces that the backend has no use for. */
  readonly #dropped = new Set<number>();
  #nextId: number;

  constructor(graph: Graph | DifferentiatedGraph, persistent: ReadonlyMap<string, Layout>) {
    this.#graph = graph;
    this.#gradients = new Map("gradients" in graph ? graph.gradients : []);
    this.#parameterOf = new Map([...this.#gradients].map(([parameter, id]) => [id, parameter]));
    this.#nextId = graph.tensors.length;
    const outputs = Object.values(graph.outputs);
    for (const tensor of graph.tensors) {
      const layout = persistent.get(tensor.name);
      const isPlain =
        outputs.includes(tensor.id) ||
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

  #operand = (id: number) => {
    const { shape, dtype } = this.#tensors.get(id) ?? this.#graph.tensors[id]!;
    return { shape, dtype, layout: this.#layoutOf(id) };
  };

  /** The same memory under another shape: what goes in must be in plain order. */
  alias(node: Node): void {
    const [from, to] = [node.inputs[0]!, this.#graph.tensors[node.outputs[0]!]!];
    const input = this.#inLayout(from, plainLayout(this.#operand(from).shape.length), node.layer);
    this.#set(to, plainLayout(to.shape.length));
    this.#nodes.push({ ...node, inputs: [input], scratchBytes: 0, implementation: "alias" });
  }

  ask(asked: Node, backend: LayOutOptions["backend"], choice?: ImplementationChoice): void {
    const node = { ...asked, inputs: asked.inputs.filter((id) => !this.#dropped.has(id)) };
    const request: LayoutRequest = {
      kind: node.op as InstructionKind,
      layer: node.layer,
      attributes: node.attributes,
      inputs: node.inputs.map(this.#operand),
      outputs: node.outputs.map(this.#operand),
    };
    const answer = backend.chooseLayouts({ ...request, wanted: choice?.(request) });
    const inputs = node.inputs.map((id, i) => this.#inLayout(id, answer.inputs[i]!, node.layer));
    const results = node.outputs.map((id, i) => this.#result(id, answer, i));
    const { scratchBytes, implementation } = answer;
    const outputs = results.filter((result) => result !== undefined).map(({ written }) => written);
    this.#nodes.push({ ...node, inputs, outputs, scratchBytes, implementation });
    for (const result of results)
      if (result && result.written !== result.id)
        this.#reorder(result.written, result.id, node.layer);
  }

  /** The tensor in a layout: itself, or a reordered copy. */
  #inLayout(id: number, layout: Layout, layer: string): number {
    const tensor = this.#tensors.get(id);
    if (!tensor) {
      this.#set(this.#graph.tensors[id]!, layout);
      return id;
    }
    if (tensor.layout === layout) return id;
    const key = `${id} ${layout}`;
    const earlier = this.#copies.get(key);
    if (earlier !== undefined) return earlier;
    const copy = this.#copy(tensor, layout);
    this.#reorder(id, copy, layer);
    this.#copies.set(key, copy);
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
    const written = wanted === "any" || wanted === layout ? id : this.#copy(tensor, layout);
    return { id, written };
  }

  #copy(tensor: Tensor, layout: Layout): number {
    const id = this.#nextId++;
    const { shape, dtype } = tensor;
    this.#set({ id, name: `${tensor.name} as ${layout}`, role: "value", shape, dtype }, layout);
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

  finish(): LaidOutGraph {
    for (const [parameter, gradient] of this.#gradients) {
      const { layout, name } = this.#tensors.get(parameter)!;
      this.#gradients.set(parameter, this.#inLayout(gradient, layout, name));
    }
    const used = new Set(this.#nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
    for (const id of [...used]) {
      const { fold } = this.#tensors.get(id)!;
      for (const source of fold ? foldSources(fold) : []) this.#keepSource(source, used);
    }
    const { name, batch, outputs } = this.#graph;
    return {
      name,
      batch,
      tensors: new Map([...this.#tensors].filter(([id]) => used.has(id))),
      nodes: this.#nodes,
      outputs,
      gradients: this.#gradients,
    };
  }
}

/** Elements of a tensor, padding included. */
export const paddedElements = ({ layout, bytes, shape }: LaidOutTensor): number =>
  layout === "opaque" ? elementCount(shape) : bytes / 4;
