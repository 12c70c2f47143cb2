/** @file Weights from elsewhere that a network begins from. */

/** Weights ready to be written into a network. */
export interface PretrainedWeights {
  /** For people and records: the published name, or the file's own name without its folder. */
  readonly source: string;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  /** Parameters and running statistics by name, float32, in logical order. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** Parameters that keep their initial values: a last layer of another width. */
  readonly replaced: readonly string[];
}
