/**
 * @file Weights from elsewhere for a network of ours: a file of the user's, or one that its authors
 * publish, downloaded once and kept. Every parameter must be found under its own name; only the
 * last layer may have another width, and is then begun anew.
 */

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { at, get } from "../core/at.ts";
import { ArgumentError, WeightsError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { formatShape, type Shape, sameShape } from "../core/shapes.ts";
import { download } from "../datasets/download/download.ts";
import { cacheDirectory } from "../files/cache-dir.ts";
import { readWeights } from "../files/weight-files.ts";
import {
  type Checkpoint,
  checkFinite,
  IMAGENET_NORMALIZATION,
  PUBLISHED_WEIGHTS,
} from "../formats/index.ts";
import type { Network } from "../ir/index.ts";
import type { DataEvent } from "../record/index.ts";
import type { PretrainedWeights } from "../train/freezing/pretrained-weights.ts";
import { isWeightsFile } from "./weights-file.ts";

/** A file of weights, read and not yet fitted to a network. */
export interface PretrainedFile {
  /** For people and records: the published name, or the file's own name without its folder. */
  readonly source: string;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  readonly checkpoint: Checkpoint;
  /** By channel, of pixels in 0 .. 1: what the weights were trained with. */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

export interface PretrainedOptions {
  /** The model's name, as `--model` says it: what is published depends on it. */
  readonly model: string;
  /** Where downloads are kept; default $LRSCOPE_CACHE, else the user's cache folder. */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DataEvent) => void) | undefined;
  /** Scheme and host in place of the publisher's: a mirror. */
  readonly baseUrl?: string | undefined;
}

/**
 * The weights that `--pretrained` names: "imagenet" and the like for a model of the collection, or
 * the path of a safetensors, PyTorch or ONNX file.
 * @throws ArgumentError for a name that is not published for the model
 * @throws DownloadError offline: it names the file to fetch by hand and where to put it
 * @throws WeightsError where the file cannot be read
 */
export async function openPretrained(
  what: string,
  options: PretrainedOptions,
): Promise<PretrainedFile> {
  if (isWeightsFile(what)) {
    if (!existsSync(what))
      throw new ArgumentError(`pretrained: there is no file "${what}"; check the path`);
    const checkpoint = readWeights(what);
    const normalization = normalizationOf(checkpoint);
    return { source: basename(what), sha256: await hashOf(what), checkpoint, normalization };
  }
  const { url, sha256 } = publishedOf(what, options.model);
  const destination = join(cacheDirectory(options.cacheDir), "weights", fileNameOf(url, what));
  const { signal, onEvent, baseUrl } = options;
  await download(
    { url, bytes: null, checksum: { algorithm: "sha256", hex: sha256 } },
    { source: `pretrained ${what}`, destination, signal, onEvent, baseUrl },
  );
  return {
    source: what,
    sha256: await hashOf(destination),
    checkpoint: readWeights(destination),
    normalization: IMAGENET_NORMALIZATION,
  };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** Hubs call every file "model.safetensors"; the repository tells them apart. */
function fileNameOf(url: string, what: string): string {
  const name = basename(new URL(url).pathname);
  return name.startsWith("model.") ? `${what}-${name}` : name;
}

function publishedOf(what: string, model: string) {
  const known = PUBLISHED_WEIGHTS[model];
  const names = Object.keys(known ?? {});
  if (!known)
    throw new ArgumentError(
      `pretrained: no weights are published for the model "${model}"; give a file, or one of the models ${Object.keys(PUBLISHED_WEIGHTS).join(", ")}`,
    );
  if (!Object.hasOwn(known, what))
    throw new ArgumentError(
      `pretrained: "${what}" is neither a file nor published for ${model}${didYouMean(what, names)} Published: ${names.join(", ")}`,
    );
  return get(known, what, "published weights");
}

/** lrscope's own files say what they were trained with; others are taken for ImageNet's kin. */
function normalizationOf({ metadata }: Checkpoint): PretrainedFile["normalization"] {
  const numbers = z.array(z.number()).min(1);
  // A number for each channel: longer texts are not parsed, as two characters can take forty bytes.
  const read = (text = "") => JSON.parse(text.slice(0, 1000)) as unknown;
  try {
    const mean = numbers.parse(read(metadata.mean));
    return { mean, std: z.array(z.number().positive()).min(1).parse(read(metadata.std)) };
  } catch {
    return IMAGENET_NORMALIZATION;
  }
}

/** Counters and the like that checkpoints carry and networks here do without. */
const isIgnored = (name: string) => name.endsWith("num_batches_tracked");

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

/**
 * A file's tensors for the network's parameters and statistics.
 * @throws WeightsError that lists whatever is missing, left over or of another shape, or names the first
 *   tensor that holds NaN or an infinity, as float32
 */
export function fitWeights(
  { checkpoint, source, sha256 }: Pick<PretrainedFile, "checkpoint" | "source" | "sha256">,
  network: Network,
): PretrainedWeights {
  const wanted = network
    .build(1)
    .tensors.filter(({ role }) => role === "parameter" || role === "statistic");
  const head = headOf(network);
  const tensors = new Map<string, Float32Array>();
  const replaced: string[] = [];
  const problems: string[] = [];
  for (const { name, shape } of wanted) {
    const stored = checkpoint.tensors.get(name);
    if (!stored) problems.push(`"${name}" ${formatShape(shape)} is missing`);
    else if (head.includes(name) && isOtherWidth(stored.shape, shape)) replaced.push(name);
    else if (!sameShape(stored.shape, shape))
      problems.push(`"${name}" must be ${formatShape(shape)}; got ${formatShape(stored.shape)}`);
    else if (stored.data instanceof Float32Array) tensors.set(name, stored.data);
    else if (stored.data instanceof Float64Array) tensors.set(name, Float32Array.from(stored.data));
    else problems.push(`"${name}" must hold floating-point numbers; got integers`);
  }
  const names = new Set(wanted.map(({ name }) => name));
  for (const [name, { shape }] of checkpoint.tensors)
    if (!names.has(name) && !isIgnored(name) && !isState(name))
      problems.push(`"${name}" ${formatShape(shape)} is not in the network`);
  if (problems.length > 0)
    throw new WeightsError(
      `${source}: its weights do not fit ${network.name}:\n  ${problems.join("\n  ")}\nGive weights of this network, or another --model`,
    );
  checkFinite(
    source,
    wanted.flatMap(({ name, shape }) => {
      const data = tensors.get(name);
      return data ? [[name, { shape, data }] as const] : [];
    }),
  );
  return { source, sha256, tensors, replaced };
}

/** lrscope's last.safetensors holds the optimizer's state beside the weights. */
const isState = (name: string) => name.includes(":");

const isOtherWidth = (stored: Shape, shape: Shape) =>
  stored.length === shape.length &&
  stored[0] !== shape[0] &&
  sameShape(stored.slice(1), shape.slice(1));
