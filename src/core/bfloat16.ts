/** @file bfloat16: a float32 without the last 16 bits of its fraction, so with 8 bits of precision. */

/** Values as bfloat16, rounded to the nearest, ties to even; infinities and NaN stay what they are. */
export function toBfloat16(values: ArrayLike<number>): Uint16Array {
  const single = Float32Array.from(values);
  const bits = new Uint32Array(single.buffer);
  const result = new Uint16Array(bits.length);
  bits.forEach((word, i) => {
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    result[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
  return result;
}

/** Every value replaced by the nearest bfloat16. */
export function roundToBfloat16(values: Float32Array | Float64Array): void {
  const words = Uint32Array.from(toBfloat16(values), (half) => half << 16);
  values.set(new Float32Array(words.buffer));
}
