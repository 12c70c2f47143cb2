/** @file Weights from elsewhere that a network begins from. */

import type { LastLayer } from "../../record/index.ts";

/** Weights ready to be written into a network. */
export interface PretrainedWeights {
  /** For people and records: the published name, or the file's own name without its folder. */
  readonly source: string;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  /** Parameters and running statistics by name, float32, in logical order. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** Parameters that keep their initial values: those of a last layer that begins anew. */
  readonly replaced: readonly string[];
  readonly lastLayer?: LastLayer;
  /** Of the optimizer: what was taken for the parameters, as the network was evaluated with it. */
  readonly state?: string;
  /** What stood before the network's names: "module.encoder.". */
  readonly prefix?: string;
  /** Where in the file the tensors lay, and where it has others. */
  readonly part?: string;
  readonly otherParts?: readonly string[];
  /** Tensors of other modules, of which nothing was taken: the first few, and how many more. */
  readonly leftOut?: readonly string[];
}
