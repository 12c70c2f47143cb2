/**
 * @file The reference session's memory. Programs address bytes; here every region is an array of
 * elements of the backend's precision, one for each two bytes, as the smallest number, bf16, has two.
 * Buffers that share arena bytes in the plan thus share elements in either precision, so that a wrong
 * plan shows up here as it would natively: f32 buffers lie in the first half of theirs.
 */

import { InternalError } from "../../core/errors.ts";
import { elementCount, type Shape } from "../../core/shapes.ts";
import type { BufferSpec, DType, SessionOptions } from "../../program/index.ts";

export type Precision = "f32" | "f64";

/** Numbers of either precision: a store into one rounds. */
export type Reals = Float32Array | Float64Array;

/** An operand of a kernel: elements in plain, row-major order. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: Reals;
}

export interface Memory {
  readonly images: readonly Float32Array[];
  readonly labels: readonly Int32Array[];
  /** Takes a slot's images and labels over from the loader, widened to the precision. */
  admit(slot: number): void;
  /** The buffer's elements; a buffer of region "images" or "labels" lies in `slot`. */
  view(buffer: BufferSpec, slot: number): Tensor;
}

/** Bytes of a plan for one element. */
const GRAIN = 2;

export const newReals = (precision: Precision, length: number): Reals =>
  precision === "f64" ? new Float64Array(length) : new Float32Array(length);

export function createMemory(options: SessionOptions, precision: Precision): Memory {
  const slots = Array.from({ length: options.slots }, (_, i) => i);
  const images = slots.map(() => new Float32Array(options.imageBytes / 4));
  const labels = slots.map(() => new Int32Array(options.labelBytes / 4));
  const admittedImages = slots.map(() => newReals(precision, options.imageBytes / 4));
  const admittedLabels = slots.map(() => newReals(precision, options.labelBytes / 4));
  const regions = {
    persistent: newReals(precision, options.persistentBytes / GRAIN),
    arena: newReals(precision, options.arenaBytes / GRAIN),
    outputs: newReals(precision, options.outputBytes / GRAIN),
  };

  return {
    images,
    labels,
    admit(slot) {
      admittedImages[slot]!.set(images[slot]!);
      admittedLabels[slot]!.set(labels[slot]!);
    },
    view(buffer, slot) {
      const isInput = buffer.region === "images" || buffer.region === "labels";
      const region =
        buffer.region === "images"
          ? admittedImages[slot]!
          : buffer.region === "labels"
            ? admittedLabels[slot]!
            : regions[buffer.region];
      const start = buffer.offset / (isInput ? 4 : GRAIN);
      const length = buffer.layout === "opaque" ? buffer.bytes / 4 : elementCount(buffer.shape);
      if (start + length > region.length)
        throw new InternalError(
          `buffer "${buffer.name}" ends at byte ${buffer.offset + buffer.bytes}, ` +
            `past the ${region.length * (isInput ? 4 : GRAIN)} bytes of region "${buffer.region}"`,
        );
      return {
        shape: buffer.shape,
        dtype: buffer.dtype,
        data: region.subarray(start, start + length),
      };
    },
  };
}
