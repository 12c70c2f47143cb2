/** @file Weights that are numbers: one NaN makes every prediction NaN, and says nothing of its origin. */

import { WeightsError } from "../core/errors.ts";
import { formatShape, type Shape } from "../core/shapes.ts";
import { shownName } from "./limits.ts";

/**
 * Refuses the first tensor that holds NaN or an infinity.
 * @param subject begins the message: the file
 * @throws WeightsError with the tensor's name, how many such values it has, the first and its place
 */
export function checkFinite(
  subject: string,
  tensors: Iterable<readonly [string, { readonly shape: Shape; readonly data: Float32Array }]>,
): void {
  for (const [name, { shape, data }] of tensors) {
    const first = data.findIndex((value) => !Number.isFinite(value));
    if (first < 0) continue;
    const count = data.reduce((sum, value) => sum + (Number.isFinite(value) ? 0 : 1), 0);
    throw new WeightsError(
      `${subject}: tensor ${shownName(name)} ${formatShape(shape)} must hold finite numbers; ${count} of ${data.length} are not, the first is ${data[first]} at ${formatShape(placeOf(first, shape))}. Its training diverged, or the file was damaged: take weights of an earlier epoch (best.safetensors), or train again at a lower learning rate`,
    );
  }
}

/** Index along each dimension of the element at a place in row-major order. */
function placeOf(element: number, shape: Shape): number[] {
  const place: number[] = [];
  let rest = element;
  for (const extent of shape.toReversed()) {
    place.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return place;
}
