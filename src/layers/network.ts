/** @file From a layer to a network that the compiler takes. */

import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shapes.ts";
import { GraphBuilder, type Network } from "../ir/index.ts";
import type { Layer } from "./layer.ts";

/** A network's name, its sizes, and the layer that computes it. */
export interface NetworkOptions {
  readonly name: string;
  /** [channels, height, width] of an image. */
  readonly inputShape: readonly [number, number, number];
  /** At least 2. */
  readonly classes: number;
  /** (B,C,H,W) -> (B,classes) */
  readonly layer: Layer;
}

/**
 * A classifier. It is built once for a batch of 2 to find mistakes where they are made.
 * @throws ShapeError naming the layer, or where the last layer does not give `classes` numbers
 */
export function network({ name, inputShape, classes, layer }: NetworkOptions): Network {
  for (const extent of inputShape) checkPositiveInteger(name, "channels and size", extent);
  checkPositiveInteger(name, "classes", classes);
  if (classes < 2) throw new ArgumentError(`${name}: classes must be 2 or more; got ${classes}`);
  const build = (batch: number) => {
    checkPositiveInteger(name, "batch", batch);
    const builder = new GraphBuilder(name, batch);
    const images = builder.images([batch, ...inputShape]);
    const logits = layer.build(images, { builder, name: "" });
    if (logits.shape.length !== 2 || logits.shape[1] !== classes)
      throw new ShapeError(
        `${name}: the last layer must give (B,${classes}), one number a class; it gives ${formatShape(logits.shape)}`,
      );
    return builder.finish({ logits });
  };
  build(2);
  return { name, inputShape, classes, build };
}
