/** @file Features that stand in place of images: what the frozen part of a network made of them. */

import type { Dataset } from "../../data/types.ts";
import type { Network } from "../../ir/index.ts";
import type { TrainingSetup } from "../options.ts";
import type { NamedTensor } from "../read-tensors.ts";

/** What a setup that trains from features keeps of the whole. */
export interface Features {
  /** Both parts together, as checkpoints hold it. */
  readonly network: Network;
  /** The images themselves. */
  readonly images: Dataset;
  /** Parameters and statistics of the frozen part. */
  readonly tensors: readonly NamedTensor[];
  /** Augmented views of each training image. */
  readonly views: number;
  /** Cores that compute them: as the layouts depend on these, the bits may. */
  readonly threads: number;
  readonly bytes: number;
  /** That making the file took, whenever that was. */
  readonly seconds: number;
  /** Whether it was there already. */
  readonly found: boolean;
}

/** Network and images, whether or not training goes from features. */
export const wholeOf = ({
  features,
  network,
  dataset,
}: TrainingSetup): { network: Network; dataset: Dataset } =>
  features ? { network: features.network, dataset: features.images } : { network, dataset };
