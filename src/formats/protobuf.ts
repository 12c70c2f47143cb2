/**
 * @file Protocol Buffers on the wire: fields of a message, written and read by number. ONNX needs a
 * dozen of them; generated code for the whole schema would be a hundred times this file.
 * Source: protobuf.dev/programming-guides/encoding, checked on PyTorch's exports.
 */

import { WeightsError } from "../core/errors.ts";
import { ByteReader, type ByteSource } from "./byte-source.ts";

/** A message under construction: fields lie in the order of the calls. */
export class MessageWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  /** A field of wire type 0; negative numbers take ten bytes, as int64 does. */
  integer(field: number, value: number): this {
    return this.varint(BigInt(field * 8)).varint(BigInt.asUintN(64, BigInt(value)));
  }

  /** A float of four bytes. */
  float(field: number, value: number): this {
    return this.varint(BigInt(field * 8 + 5)).append(new Uint8Array(Float32Array.of(value).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.varint(BigInt(field * 8 + 2))
      .varint(BigInt(value.length))
      .append(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, fill: (message: MessageWriter) => void): this {
    const inner = new MessageWriter();
    fill(inner);
    this.varint(BigInt(field * 8 + 2)).varint(BigInt(inner.length));
    // One by one: a call takes only so many arguments.
    for (const part of inner.parts) this.parts.push(part);
    this.length += inner.length;
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  private varint(value: bigint): this {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 7n) {
      const low = Number(rest & 127n);
      if (rest < 128n) return this.append(Uint8Array.from([...bytes, low]));
      bytes.push(low | 128);
    }
  }

  private append(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }
}

/** A field as it lies in the source; what it means, its message's schema says. */
export interface Field {
  readonly number: number;
  /** 0: an integer, in `value`; 1, 5: eight or four bytes; 2: any count of bytes. */
  readonly wire: number;
  /** Of wire type 0, as a signed 64-bit integer; else 0. */
  readonly value: bigint;
  /** Of wire types 1, 2 and 5: where its bytes lie. */
  readonly start: number;
  readonly end: number;
}

/**
 * The fields of the message between two positions.
 * @throws WeightsError where they are damaged or reach beyond the end
 */
export function* fields(source: ByteSource, start = 0, end = source.size): Generator<Field> {
  const reader = new ByteReader(source, start, end);
  const damaged = (what: string): never => {
    throw new WeightsError(`${source.name}: byte ${reader.position}: ${what}; it is damaged`);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = reader.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    return damaged("a number of more than ten bytes");
  };
  while (reader.remaining > 0) {
    const tag = Number(BigInt.asUintN(64, varint()));
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0 || number > 536_870_911) damaged(`a field of number ${number}`);
    if (wire === 0) {
      yield { number, wire, value: varint(), start: reader.position, end: reader.position };
      continue;
    }
    const length =
      wire === 2
        ? Number(BigInt.asUintN(64, varint()))
        : ({ 1: 8, 5: 4 }[wire] ?? damaged(`a field of wire type ${wire}`));
    if (length > reader.remaining)
      damaged(`a field of ${length} bytes where ${reader.remaining} remain (cut short?)`);
    const at = reader.position;
    yield { number, wire, value: 0n, start: at, end: at + length };
    reader.position = at + length;
  }
}

/** The integers of a repeated field, packed or one by one; none is kept. */
export function* integersOf(source: ByteSource, field: Field): Generator<bigint> {
  if (field.wire === 0) {
    yield field.value;
    return;
  }
  const reader = new ByteReader(source, field.start, field.end);
  while (reader.remaining > 0) {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (shift > 63n)
        throw new WeightsError(`${source.name}: a number of more than ten bytes; it is damaged`);
      const byte = reader.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    yield BigInt.asIntN(64, value);
  }
}

/** How many they are. */
export function countIntegers(source: ByteSource, field: Field): number {
  if (field.wire === 0) return 1;
  const reader = new ByteReader(source, field.start, field.end);
  let count = 0;
  while (reader.remaining > 0) if (reader.byte() < 128) count++;
  return count;
}

/** The text of a field. */
export const textOf = (source: ByteSource, { start, end }: Field): string =>
  new TextDecoder().decode(source.read(start, end - start));
