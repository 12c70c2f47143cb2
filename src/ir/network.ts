/** @file What a user composes from layers, as the compiler takes it. */

import type { Graph } from "./graph.ts";

/** A classifier of images that can be built for any batch size. */
export interface Network {
  readonly name: string;
  /** [channels, height, width] of an image. */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** The forward graph: input "images" (B,C,H,W), output "logits" (B,K). */
  build(batch: number): Graph;
}
