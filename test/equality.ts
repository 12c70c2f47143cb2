/**
 * @file For all tests: typed arrays are equal where each element is, as `toEqual` has it (NaN is NaN, 0 is
 * not -0), but compared by their bytes. Vitest's own comparison makes a string of every index first, which
 * takes seconds for the weights of a network.
 */

import { expect } from "vitest";

type TypedArray = NodeJS.TypedArray;

const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** undefined: the values are of no concern here, and compared as ever. */
function equalArrays(a: unknown, b: unknown): boolean | undefined {
  if (!isTypedArray(a) || !isTypedArray(b) || a.constructor !== b.constructor) return undefined;
  if (a.length !== b.length) return false;
  if (bytesOf(a).equals(bytesOf(b))) return true;
  // Other bytes may be the same NaN.
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

// Files that share a process share `expect`, too.
const added = Symbol.for("lrscope: equality of typed arrays");
const shared = globalThis as { [added]?: true };
if (!shared[added]) expect.addEqualityTesters([equalArrays]);
shared[added] = true;
