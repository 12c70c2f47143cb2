/**
 * @file Checks of typed arrays that a caller gives, before native code or a file writes into them: an
 * array of another type has another number of bytes, and a transferred one has no memory.
 */

import { ArgumentError } from "./errors.ts";

export type TypedArrayName = "Uint8Array" | "Int32Array" | "Float32Array" | "Float64Array";

/** "Float32Array" of one, from any realm; undefined of what is no typed array. Cannot be forged. */
const typeOf: (value: unknown) => string | undefined = (() => {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype);
  const tag = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
  return (value) => tag?.get?.call(value);
})();

function isDetached({ buffer }: ArrayBufferView): boolean {
  try {
    new Uint8Array(buffer); // which memory that is gone refuses
    return false;
  } catch {
    return true;
  }
}

const shown = (value: unknown) =>
  typeOf(value) ?? (Array.isArray(value) ? "an array" : value === null ? "null" : typeof value);

/**
 * @param least elements that it must hold
 * @throws ArgumentError unless value is a typed array of that type, in memory that it still has
 */
export function checkTypedArray(
  subject: string,
  name: string,
  type: TypedArrayName,
  value: unknown,
  least = 0,
): void {
  if (typeOf(value) !== type)
    throw new ArgumentError(
      `${subject}: ${name} must be ${type === "Int32Array" ? "an" : "a"} ${type}; got ${shown(value)}; copy it with ${type}.from(...)`,
    );
  const array = value as Float32Array;
  if (array.length < Math.max(1, least) && isDetached(array))
    throw new ArgumentError(
      `${subject}: ${name} must have its memory; its buffer was transferred away; give an array that no one transfers before the work is done`,
    );
  if (array.length < least)
    throw new ArgumentError(
      `${subject}: ${name} must hold ${least} values; got ${array.length}; make it larger`,
    );
}

/** @throws ArgumentError where both arrays show some of the same memory. */
export function checkApart(
  subject: string,
  names: readonly [string, string],
  [a, b]: readonly [ArrayBufferView, ArrayBufferView],
): void {
  const isApart =
    a.buffer !== b.buffer ||
    a.byteOffset + a.byteLength <= b.byteOffset ||
    b.byteOffset + b.byteLength <= a.byteOffset;
  if (!isApart)
    throw new ArgumentError(
      `${subject}: ${names.join(" and ")} must not share memory; got two views of one buffer that overlap; give each its own`,
    );
}
