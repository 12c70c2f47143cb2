/**
 * @file A batch norm in evaluation mode is a scale and a shift: behind a convolution whose weights do
 * not change either, it is folded into them. Folded weights are tensors of their own, computed once
 * when the weights have been written; those they are computed from stay as they are.
 */

import type { Fold, Graph, Node, Tensor } from "../../ir/index.ts";
import { batchNormEvaluate, conv2d } from "../../ops/index.ts";
import type { BufferSpec, Session } from "../../program/index.ts";
import { type Draft, remove, replace, soleProducer } from "./draft.ts";

/**
 * The graph with each frozen pair of convolution and batch norm made one convolution.
 * `whole`: no program of the network changes a weight, so every pair counts as frozen.
 */
export function foldBatchNorms(graph: Graph, { whole = false } = {}): Graph {
  const draft = { tensors: [...graph.tensors], nodes: [...graph.nodes], outputs: graph.outputs };
  const isFixed = (id: number) => whole || draft.tensors[id]!.trainable === false;
  for (const norm of graph.nodes) {
    if (norm.op !== batchNormEvaluate.name) continue;
    const convolution = soleProducer(draft, norm.inputs[0]!);
    if (convolution?.op !== conv2d.name || convolution.attributes.relu) continue;
    const [, gamma, beta] = norm.inputs;
    if ([...convolution.inputs.slice(1), gamma!, beta!].every(isFixed))
      foldInto(draft, convolution, norm);
  }
  return { ...graph, tensors: draft.tensors, nodes: draft.nodes };
}

function foldInto(draft: Draft, convolution: Node, norm: Node): void {
  const [x, weight, bias] = convolution.inputs;
  const [, gamma, beta, mean, variance] = norm.inputs;
  const sources = { weight: weight!, gamma: gamma!, beta: beta!, mean: mean!, variance: variance! };
  const epsilon = Number(norm.attributes.epsilon);
  const declare = (part: Fold["part"]): number => {
    const id = draft.tensors.length;
    const { shape } = draft.tensors[part === "weight" ? weight! : beta!]!;
    const fold = { part, ...sources, ...(bias !== undefined && { bias }), epsilon };
    const name = `${convolution.layer}.${part} folded`;
    draft.tensors.push({ id, name, role: "folded", shape, dtype: "f32", fold });
    return id;
  };
  const inputs = [x!, declare("weight"), declare("bias")];
  // At the batch norm's place nothing else has changed, as nobody else reads what is between.
  replace(draft, convolution, { ...convolution, inputs, outputs: norm.outputs });
  remove(draft, norm);
}

/** Ids of the tensors that a folded one is computed from. */
export const foldSources = ({ weight, bias, gamma, beta, mean, variance }: Fold): number[] => [
  ...(bias === undefined ? [weight] : [weight, bias]),
  ...[gamma, beta, mean, variance],
];

const SOURCES = ["weight", "bias", "gamma", "beta", "mean", "variance"] as const;

/** A folded tensor's buffer, and those of what it is computed from. */
export interface FoldedBuffer {
  readonly part: Fold["part"];
  readonly epsilon: number;
  readonly target: BufferSpec;
  readonly sources: Readonly<Partial<Record<(typeof SOURCES)[number], BufferSpec>>>;
}

/** The buffers of all folded tensors among `tensors`. */
export function foldedBuffers(
  tensors: ReadonlyMap<number, Tensor>,
  bufferOf: ReadonlyMap<string, BufferSpec>,
): FoldedBuffer[] {
  return [...tensors.values()].flatMap(({ name, fold }) => {
    if (!fold) return [];
    const sources = SOURCES.flatMap((source) => {
      const id = fold[source];
      return id === undefined ? [] : [[source, bufferOf.get(tensors.get(id)!.name)!] as const];
    });
    const { part, epsilon } = fold;
    return [{ part, epsilon, target: bufferOf.get(name)!, sources: Object.fromEntries(sources) }];
  });
}

/** Computes the folded tensors of a session from its parameters and statistics, in doubles. */
export async function writeFolded(
  session: Session,
  folded: readonly FoldedBuffer[],
): Promise<void> {
  for (const { part, epsilon, target, sources } of folded) {
    const read = async (source: (typeof SOURCES)[number]) => {
      const buffer = sources[source];
      return buffer ? await session.read(buffer) : undefined;
    };
    const [gamma, variance] = [(await read("gamma"))!, (await read("variance"))!];
    const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt(variance[c]! + epsilon));
    if (part === "bias") {
      const [bias, beta, mean] = [await read("bias"), await read("beta"), await read("mean")];
      const shifted = (s: number, c: number) => beta![c]! + ((bias?.[c] ?? 0) - mean![c]!) * s;
      await session.write(target, scale.map(shifted));
    } else {
      const values = (await read("weight"))!;
      const each = values.length / scale.length;
      await session.write(
        target,
        values.map((value, i) => value * scale[Math.floor(i / each)]!),
      );
    }
  }
}
