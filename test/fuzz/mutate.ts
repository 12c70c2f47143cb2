/**
 * @file Mutations of files, drawn from a seed: the same seed, number and files give the same bytes.
 * They know no format; `structureOf` tells them where lengths and parts lie.
 */

import { type RandomStream, randomStream } from "../../src/core/random.ts";
import { type Field, repairPng, type Structure, structureOf } from "./structure.ts";

/** What a mutation is given: the file, where its numbers lie, others to take from, and chance. */
interface Draw {
  readonly bytes: Buffer;
  readonly structure: Structure;
  readonly others: readonly Buffer[];
  readonly random: RandomStream;
}

const pick = <T>(list: readonly T[], random: RandomStream) => list[random.below(list.length)]!;

/** A range of the file; short ones are as likely as long ones. */
function range({ bytes, random }: Draw): [number, number] {
  const start = random.below(bytes.length + 1);
  const length = random.below(1 << random.below(Math.max(1, 32 - Math.clz32(bytes.length))));
  return [start, Math.min(bytes.length, start + length)];
}

/** A part of the file where it has parts, else a range. */
const part = (draw: Draw): readonly [number, number] =>
  draw.structure.parts.length > 0 ? pick(draw.structure.parts, draw.random) : range(draw);

const splice = (bytes: Buffer, start: number, end: number, between: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, start), between, bytes.subarray(end)]);

function readField(bytes: Buffer, { at, bytes: width, little }: Field): number {
  if (at + width > bytes.length) return 0;
  return little ? bytes.readUIntLE(at, width) : bytes.readUIntBE(at, width);
}

function writeField(bytes: Buffer, { at, bytes: width, little }: Field, value: number): Buffer {
  const copy = Buffer.from(bytes);
  if (at + width > bytes.length) return copy;
  const wrapped = ((value % 256 ** width) + 256 ** width) % 256 ** width;
  if (little) copy.writeUIntLE(wrapped, at, width);
  else copy.writeUIntBE(wrapped, at, width);
  return copy;
}

function editField(draw: Draw): Buffer {
  const { bytes, structure, random } = draw;
  if (structure.fields.length === 0) return flipBit(draw);
  const field = pick(structure.fields, random);
  const most = 256 ** field.bytes - 1;
  const old = readField(bytes, field);
  const small = random.below(8);
  const value = pick(
    [
      0,
      1,
      small,
      most,
      most - small,
      (most + 1) / 2,
      old + 1,
      old - 1,
      old + small,
      old * 2,
      old >>> 1,
      bytes.length - field.at,
      random.below(most + 1),
      random.below(256),
      readField(bytes, pick(structure.fields, random)),
    ],
    random,
  );
  return writeField(bytes, field, value);
}

function flipBit({ bytes, random }: Draw): Buffer {
  const copy = Buffer.from(bytes);
  if (bytes.length > 0) copy[random.below(bytes.length)]! ^= 1 << random.below(8);
  return copy;
}

/** One byte, more often near the front, where the headers are. */
function setByte({ bytes, random }: Draw): Buffer {
  const copy = Buffer.from(bytes);
  if (bytes.length === 0) return copy;
  const near = random.below(2) === 0 ? Math.min(bytes.length, 1024) : bytes.length;
  copy[random.below(near)] = pick([0, 1, 0x7f, 0x80, 0xfe, 0xff, random.below(256)], random);
  return copy;
}

function randomBytes({ random }: Draw, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.below(256)));
}

/** Cut short: anywhere, near the front, or in the midst of a part. */
function cut(draw: Draw): Buffer {
  const { bytes, random } = draw;
  const [start, end] = part(draw);
  const at = pick(
    [
      random.below(bytes.length + 1),
      random.below(Math.min(bytes.length, 1024) + 1),
      start + random.below(end - start + 1),
      Math.min(end, start + random.below(6)),
      Math.max(0, bytes.length - random.below(16)),
    ],
    random,
  );
  return bytes.subarray(0, at);
}

/** Cut a part within, and go on behind it. */
function shortenPart(draw: Draw): Buffer {
  const [start, end] = part(draw);
  return splice(draw.bytes, start + draw.random.below(end - start + 1), end, Buffer.alloc(0));
}

function dropPart(draw: Draw): Buffer {
  const [start, end] = part(draw);
  return splice(draw.bytes, start, end, Buffer.alloc(0));
}

function repeatPart(draw: Draw): Buffer {
  const { bytes } = draw;
  const [start, end] = part(draw);
  return splice(bytes, end, end, bytes.subarray(start, end));
}

function swapParts(draw: Draw): Buffer {
  const { bytes } = draw;
  const [first, second] = [part(draw), part(draw)].sort((a, b) => a[0] - b[0]) as [
    readonly [number, number],
    readonly [number, number],
  ];
  if (first[1] > second[0]) return repeatPart(draw);
  return Buffer.concat([
    bytes.subarray(0, first[0]),
    bytes.subarray(...second),
    bytes.subarray(first[1], second[0]),
    bytes.subarray(...first),
    bytes.subarray(second[1]),
  ]);
}

/** A part of another file in the place of one, or before it. */
function takePart(draw: Draw): Buffer {
  const { bytes, others, random } = draw;
  const other = others.length > 0 ? pick(others, random) : bytes;
  const from = part({ ...draw, bytes: other, structure: structureOf(other) });
  const [start, end] = part(draw);
  return splice(bytes, start, random.below(2) === 0 ? start : end, other.subarray(...from));
}

/** The front of this file and the back of another. */
function joinFiles({ bytes, others, random }: Draw): Buffer {
  const other = others.length > 0 ? pick(others, random) : bytes;
  return Buffer.concat([
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
}

function overwriteRange(draw: Draw): Buffer {
  const [start, end] = range(draw);
  const { random } = draw;
  const fill =
    random.below(2) === 0
      ? randomBytes(draw, Math.min(64, end - start))
      : Buffer.alloc(end - start, pick([0, 0xff, random.below(256)], random));
  return splice(draw.bytes, start, start + fill.length, fill);
}

function insertBytes(draw: Draw): Buffer {
  const at = draw.random.below(draw.bytes.length + 1);
  return splice(draw.bytes, at, at, randomBytes(draw, 1 + draw.random.below(16)));
}

/** Twice where a change goes further into a reader. */
const MUTATIONS = [
  editField,
  editField,
  editField,
  flipBit,
  flipBit,
  setByte,
  setByte,
  cut,
  cut,
  shortenPart,
  dropPart,
  repeatPart,
  swapParts,
  takePart,
  joinFiles,
  overwriteRange,
  insertBytes,
];

export interface MutateOptions {
  readonly seed: number;
  /** Number of the case: each has a random stream of its own. */
  readonly index: number;
  /** The files to begin from; one is drawn, the others lend parts. */
  readonly files: readonly Buffer[];
  /** Longer results are cut, so that copies of copies stay small. Default 1 MiB. */
  readonly mostBytes?: number;
}

/** One file of `files` after one to four mutations, most often one. */
export function mutate({ seed, index, files, mostBytes = 1 << 20 }: MutateOptions): Buffer {
  const random = randomStream(seed, "bootstrap", index);
  let bytes: Buffer = pick(files, random);
  const rounds = pick([1, 1, 1, 2, 3, 4], random);
  for (let round = 0; round < rounds; round++) {
    const draw = { bytes, structure: structureOf(bytes), others: files, random };
    bytes = pick(MUTATIONS, random)(draw).subarray(0, mostBytes);
  }
  if (random.below(4) > 0) {
    bytes = Buffer.from(bytes);
    repairPng(bytes);
  }
  return bytes;
}
