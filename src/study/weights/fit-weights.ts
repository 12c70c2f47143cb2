/**
 * @file A file's tensors for a network of ours. Every parameter must be found under its own name, behind a prefix
 * that all of them share or behind none. Only the last layer may differ: one that is not there, has another
 * width, or knows other classes begins anew, and one that knows the same classes is taken row by row.
 */

import { at, get } from "../../core/at.ts";
import { WeightsError } from "../../core/errors.ts";
import { formatShape, type Shape, sameShape } from "../../core/shapes.ts";
import {
  type Checkpoint,
  checkFinite,
  findNames,
  type StoredTensor,
  shownName,
  withoutWrappers,
} from "../../formats/index.ts";
import type { Network } from "../../ir/index.ts";
import { evaluatedTensors, namedClasses } from "../../train/checkpoint.ts";
import type { PretrainedWeights } from "../../train/freezing/pretrained-weights.ts";
import { lastLayerOf } from "./last-layer.ts";

/** Problems that a message lists; the rest is counted. */
const MOST_LISTED = 24;

/** Tensors left out that are named; the rest is counted. */
const MOST_LEFT_OUT = 8;

/** Weight and bias of the layer that makes the logits. */
export function headOf(network: Network): readonly string[] {
  const graph = network.build(1);
  const logits = get(graph.outputs, "logits", "outputs");
  const node = graph.nodes.find(({ outputs }) => outputs.includes(logits));
  return (node?.inputs ?? [])
    .map((id) => at(graph.tensors, id, "tensors"))
    .filter(({ role }) => role === "parameter")
    .map(({ name }) => name);
}

/** Parameters and running statistics. */
const wantedOf = (network: Network) =>
  network
    .build(1)
    .tensors.filter(({ role }) => role === "parameter" || role === "statistic")
    .map(({ name, shape, role }) => ({ name, shape, role }));

/** Names of all that a network takes from a file, its last layer aside: what a file must have. */
export const namesWanted = (network: Network): ReadonlySet<string> => {
  const head = headOf(network);
  return new Set(wantedOf(network).flatMap(({ name }) => (head.includes(name) ? [] : [name])));
};

/**
 * A file's tensors for the network's parameters and statistics. Of a checkpoint of lrscope's, those that its
 * network was evaluated with.
 * @param options.classes what the network's logits stand for, in their order: rows of the last layer are
 *   matched with the classes that the file names. Default: they are taken for the same
 * @throws WeightsError that lists whatever is missing, left over or of another shape, or names the first
 *   tensor that holds NaN or an infinity, as float32
 */
export function fitWeights(
  file: {
    readonly checkpoint: Checkpoint;
    readonly source: string;
    readonly sha256: string;
  },
  network: Network,
  { classes }: { readonly classes?: readonly string[] } = {},
): PretrainedWeights {
  const { checkpoint, source, sha256 } = file;
  const wanted = wantedOf(network);
  const head = headOf(network);
  const { tensors: evaluated, state } = evaluatedTensors(checkpoint, source);
  const stored = withoutWrappers(evaluated);
  const names = namesWanted(network);
  const { prefix, found } = findNames(stored.keys(), names);
  // One layer's names may stand behind another's by chance; a network's do not.
  const shared = 2 * found > names.size ? prefix : "";
  const storedAs = (name: string) => stored.get(shared + name);

  const tensors = new Map<string, Float32Array>();
  const problems: string[] = [];
  const fit = (name: string, shape: Shape, tensor: StoredTensor | undefined) => {
    if (!tensor) problems.push(`"${name}" ${formatShape(shape)} is missing`);
    else if (!sameShape(tensor.shape, shape))
      problems.push(`"${name}" must be ${formatShape(shape)}; got ${formatShape(tensor.shape)}`);
    else if (tensor.data instanceof Float32Array) tensors.set(name, tensor.data);
    else if (tensor.data instanceof Float64Array) tensors.set(name, Float32Array.from(tensor.data));
    else problems.push(`"${name}" must hold floating-point numbers; got integers`);
  };
  for (const { name, shape } of wanted) if (!head.includes(name)) fit(name, shape, storedAs(name));

  const last = lastLayerOf({
    head: wanted.filter(({ name }) => head.includes(name)),
    storedAs,
    classes,
    named: namedClasses(checkpoint),
  });
  for (const { name, shape, tensor } of last.taken) fit(name, shape, tensor);

  const leftOut = leftOver(stored, { shared, names, head, isMissing: last.how === "missing" });
  problems.push(...leftOut.problems);
  if (tensors.size === 0 || problems.length > 0)
    throw new WeightsError(
      `${source}: its weights do not fit ${network.name}:\n  ${listed(problems)}\n${remedy({ checkpoint, stored, wanted, tensors })}`,
    );
  checkFinite(
    source,
    wanted.flatMap(({ name, shape }) => {
      const data = tensors.get(name);
      return data ? [[name, { shape, data }] as const] : [];
    }),
  );
  const { part, otherParts } = checkpoint;
  return {
    source,
    sha256,
    tensors,
    replaced: last.taken.length > 0 ? [] : [...head],
    lastLayer: last.how,
    ...(state === null ? {} : { state }),
    ...(shared === "" ? {} : { prefix: shared }),
    ...(part ? { part } : {}),
    ...(otherParts && otherParts.length > 0 ? { otherParts } : {}),
    ...(leftOut.names.length > 0 ? { leftOut: leftOut.names } : {}),
  };
}

interface Beside {
  readonly shared: string;
  readonly names: ReadonlySet<string>;
  readonly head: readonly string[];
  /** Whether the file lacks the network's last layer. */
  readonly isMissing: boolean;
}

/**
 * What the file holds beside the network. Modules of other names are left out where the network is a part of a
 * larger one, by its prefix, or where another head stands in place of its last layer; anything else says that the
 * weights are of another network.
 */
function leftOver(
  stored: ReadonlyMap<string, StoredTensor>,
  { shared, names, head, isMissing }: Beside,
): { problems: string[]; names: string[] } {
  const first = (name: string) => name.slice(0, name.indexOf(".") + 1);
  const own = new Set([...names].map(first));
  const problems: string[] = [];
  const leftOut: string[] = [];
  for (const [name, tensor] of stored) {
    const within = name.startsWith(shared) ? name.slice(shared.length) : null;
    if (within !== null && (names.has(within) || head.includes(within))) continue;
    if (isCounter(name, tensor)) continue;
    const isOther = within === null || (isMissing && !own.has(first(within)));
    if (isOther) leftOut.push(shownName(name));
    else problems.push(`${shownName(name)} ${formatShape(tensor.shape)} is not in the network`);
  }
  const more = leftOut.length - MOST_LEFT_OUT;
  return {
    problems,
    names: more > 0 ? [...leftOut.slice(0, MOST_LEFT_OUT), `${more} more`] : leftOut,
  };
}

/** Counts of batches and of averaged models, scores and generators' states, which networks here do without. */
function isCounter(name: string, { shape, data }: StoredTensor): boolean {
  const isWhole = !(data instanceof Float32Array || data instanceof Float64Array);
  const isBeside = !name.includes(".");
  // A script that makes halves of everything makes them of counts, too.
  if (/(^|\.)(num_batches_tracked|n_averaged)$/.test(name)) return true;
  return (isWhole && (shape.length === 0 || isBeside)) || (isBeside && shape.length === 0);
}

function listed(problems: readonly string[]): string {
  const more = problems.length - MOST_LISTED;
  const shown = problems.slice(0, MOST_LISTED);
  return [...shown, ...(more > 0 ? [`... and ${more} more`] : [])].join("\n  ");
}

function remedy({
  checkpoint,
  stored,
  wanted,
  tensors,
}: {
  readonly checkpoint: Checkpoint;
  readonly stored: ReadonlyMap<string, StoredTensor>;
  readonly wanted: ReturnType<typeof wantedOf>;
  readonly tensors: ReadonlyMap<string, Float32Array>;
}): string {
  const statistics = wanted.filter(({ role }) => role === "statistic");
  const isFolded =
    checkpoint.format === "onnx" &&
    statistics.some(({ name }) => !tensors.has(name)) &&
    stored.size < wanted.length;
  return isFolded
    ? "Its batch norm was folded into the convolutions, as torch.onnx.export does unless told otherwise, and cannot be told from them again. Give the .pth (torch.save(model.state_dict(), path)), or export the model with torch.onnx.export(..., training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False) (TrainingMode.TRAINING keeps the names as well, and moves the running statistics by a batch) or, where that is PyTorch's newer exporter (dynamo=True, the default since 2.9), with optimize=False, external_data=False"
    : "Give weights of this network, or another --model";
}
