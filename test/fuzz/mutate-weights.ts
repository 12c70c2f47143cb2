/**
 * @file Mutations of weight files, drawn from a seed: the same seed and number give the same bytes. Half know
 * nothing of a file's format; the rest change what lies in it (names and numbers of a JSON header, instructions
 * of a pickle, fields of protobuf and ZIP) and leave the parts around it whole, so that readers get that far.
 */

import { type RandomStream, randomStream } from "../../src/core/random.ts";
import { memorySource } from "../../src/formats/byte-source.ts";
import { fields } from "../../src/formats/protobuf.ts";
import {
  membersOf,
  type WeightFormat,
  type WeightSeed,
  weightSeeds,
  zipOf,
} from "./weight-seeds.ts";

export interface MutatedFile {
  readonly index: number;
  /** The seed's. */
  readonly name: string;
  readonly format: WeightFormat;
  /** What was done, in a word. */
  readonly how: string;
  readonly bytes: Buffer;
}

interface Draw {
  readonly bytes: Buffer;
  readonly others: readonly WeightSeed[];
  readonly random: RandomStream;
}

const pick = <T>(list: readonly T[], random: RandomStream): T => list[random.below(list.length)]!;

/** `count` files from number `first` on. */
export function* mutateWeights({
  seed,
  first = 0,
  count,
}: {
  readonly seed: number;
  readonly first?: number;
  readonly count: number;
}): Generator<MutatedFile> {
  const seeds = weightSeeds();
  for (let index = first; index < first + count; index++) {
    const random = randomStream(seed, "bootstrap", index);
    const { name, format, bytes } = seeds[index % seeds.length]!;
    const known = BY_FORMAT[format];
    const [how, change] = pick(random.below(2) === 0 ? BYTES : known, random);
    const draw = { bytes, others: seeds, random };
    yield { index, name, format, how, bytes: change(draw) };
  }
}

type Mutation = readonly [how: string, change: (draw: Draw) => Buffer];

const splice = (bytes: Buffer, start: number, end: number, between: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([bytes.subarray(0, start), between, bytes.subarray(end)]);

function range({ length }: Buffer, random: RandomStream): [number, number] {
  const start = random.below(length + 1);
  return [start, Math.min(length, start + random.below(1 << random.below(12)))];
}

/** A number that sits at the edge of something, of so many bytes. */
function edge(width: number, bytes: Buffer, random: RandomStream): bigint {
  const most = 1n << BigInt(8 * width);
  const small = BigInt(random.below(16));
  const values = [
    0n,
    1n,
    small,
    most - 1n,
    most - small,
    most / 2n,
    BigInt(bytes.length),
    most / 4n,
  ];
  return BigInt.asUintN(8 * width, pick(values, random));
}

function writeNumber(bytes: Buffer, at: number, width: number, value: bigint): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = 0; i < width && at + i < copy.length; i++)
    copy[at + i] = Number((value >> BigInt(8 * i)) & 255n);
  return copy;
}

const BYTES: readonly Mutation[] = [
  [
    "bits",
    ({ bytes, random }) => {
      const copy = Buffer.from(bytes);
      for (let i = 1 + random.below(4); i > 0; i--)
        copy[random.below(copy.length)]! ^= 1 << random.below(8);
      return copy;
    },
  ],
  ["cut", ({ bytes, random }) => bytes.subarray(0, random.below(bytes.length))],
  ["removed", ({ bytes, random }) => splice(bytes, ...range(bytes, random))],
  [
    "moved",
    ({ bytes, random }) => {
      const at = random.below(bytes.length);
      return splice(bytes, at, at, bytes.subarray(...range(bytes, random)));
    },
  ],
  [
    "spliced",
    ({ bytes, others, random }) => {
      const other = pick(others, random).bytes;
      return splice(bytes, ...range(bytes, random), other.subarray(...range(other, random)));
    },
  ],
  [
    "number",
    ({ bytes, random }) => {
      const width = pick([1, 2, 4, 8], random);
      return writeNumber(bytes, random.below(bytes.length), width, edge(width, bytes, random));
    },
  ],
];

/** Text that changes what it stands in: other types, other names, depth, numbers beyond any memory. */
const JSON_VALUES = [
  ...["null", "true", "0", "-1", "1e308", "4294967296", "9007199254740993", "2.5", "[]", "{}"],
  ...['""', '"__proto__"', '"F32"', '"value"', '"conv2d"', "[[[[[[]]]]]]", "[0,0]", "[1,1]"],
  ...["[100000,100000]", '{"__proto__":{"op":"add"}}', `"${"a".repeat(300)}"`, "1", "2", "3", "8"],
];

/** A value of the text, or a name, replaced; a pair removed or doubled. */
function changeJson(text: string, random: RandomStream): string {
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{}]/g)];
  if (tokens.length === 0) return pick(JSON_VALUES, random);
  let changed = text;
  for (let times = 1 + random.below(2); times > 0; times--) {
    const { 0: token, index } = pick(tokens, random);
    if (changed.slice(index, index + token.length) !== token) continue;
    const other = random.below(2) === 0 ? pick(JSON_VALUES, random) : pick(tokens, random)[0];
    changed = changed.slice(0, index) + other + changed.slice(index + token.length);
  }
  if (random.below(4) === 0) {
    const pairs = [...changed.matchAll(/"(?:[^"\\]|\\.)*":(?:\[[^[\]]*\]|"[^"]*"|\d+),/g)];
    const { 0: pair = "", index = 0 } = pairs.length > 0 ? pick(pairs, random) : {};
    const again = random.below(2) === 0 ? pair + pair : "";
    changed = changed.slice(0, index) + again + changed.slice(index + pair.length);
  }
  return changed;
}

function withHeader(bytes: Buffer, change: (header: string) => string): Buffer {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = Buffer.from(change(bytes.toString("utf8", 8, 8 + length)));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, bytes.subarray(8 + length)]);
}

const HEADER: Mutation = [
  "header",
  ({ bytes, random }) => withHeader(bytes, (header) => changeJson(header, random)),
];

/** One of the metadata, which are JSON in JSON: most often the graph. */
const METADATA: Mutation = [
  "metadata",
  ({ bytes, random }) =>
    withHeader(bytes, (text) => {
      const header = JSON.parse(text) as { __metadata__: Record<string, string> };
      const texts = header.__metadata__;
      const key = random.below(4) > 0 ? "graph" : pick(Object.keys(texts), random);
      texts[key] = changeJson(texts[key]!, random);
      return JSON.stringify(header);
    }),
];

/** NaN, infinities, and numbers that overflow when they are added, in the tensors. */
const VALUES: Mutation = [
  "values",
  ({ bytes, random }) => {
    const copy = Buffer.from(bytes);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const value = pick(
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38],
      random,
    );
    for (let times = 1 << random.below(8); times > 0; times--)
      copy.writeFloatLE(value, start + 4 * random.below((bytes.length - start) >> 2));
    return copy;
  },
];

const OPCODES = Buffer.from(
  "80952e283031324e8889494a4b4d4c8a8b464753545556588c8d43428e5d297d8f6c64748586876165737590707172946768" +
    "6a6393515052626f698192",
  "hex",
);

/** Instructions exchanged, doubled, or put where they were not. */
function changePickle(pickle: Buffer, random: RandomStream): Buffer {
  let changed = Buffer.from(pickle);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(changed.length);
    const opcode = OPCODES.subarray(random.below(OPCODES.length)).subarray(0, 1);
    const kind = random.below(4);
    if (kind === 0) changed[at] = opcode[0]!;
    else if (kind === 1) changed = splice(changed, at, at, opcode) as Buffer<ArrayBuffer>;
    else if (kind === 2) {
      const width = pick([1, 2, 4], random);
      changed = writeNumber(
        changed,
        at,
        width,
        edge(width, changed, random),
      ) as Buffer<ArrayBuffer>;
    } else {
      const part = changed.subarray(...range(changed, random));
      const copies = Buffer.concat(Array.from({ length: 1 + random.below(40) }, () => part));
      changed = splice(changed, at, at, copies) as Buffer<ArrayBuffer>;
    }
  }
  return changed;
}

/** The archive written anew around a changed pickle: its checksum and places fit. */
const PICKLE_IN_ZIP: Mutation = [
  "pickle",
  ({ bytes, random }) =>
    zipOf(
      membersOf(bytes).map(({ name, bytes: content }) => ({
        name,
        bytes: name.endsWith("data.pkl") ? changePickle(Buffer.from(content), random) : content,
        deflated: random.below(8) === 0,
      })),
      { zip64: random.below(8) === 0 },
    ),
];

const PICKLE: Mutation = ["pickle", ({ bytes, random }) => changePickle(bytes, random)];

/** Numbers of the records that ZIP readers go by. */
const ZIP_FIELDS: Mutation = [
  "zip field",
  ({ bytes, random }) => {
    const records: [signature: string, fields: readonly (readonly [number, number])[]][] = [
      [
        "PK\x03\x04",
        [
          [6, 2],
          [8, 2],
          [14, 4],
          [18, 4],
          [22, 4],
          [26, 2],
          [28, 2],
        ],
      ],
      [
        "PK\x01\x02",
        [
          [8, 2],
          [10, 2],
          [16, 4],
          [20, 4],
          [24, 4],
          [28, 2],
          [30, 2],
          [42, 4],
        ],
      ],
      [
        "PK\x05\x06",
        [
          [8, 2],
          [10, 2],
          [12, 4],
          [16, 4],
          [20, 2],
        ],
      ],
      [
        "PK\x06\x06",
        [
          [32, 8],
          [40, 8],
          [48, 8],
        ],
      ],
      ["PK\x06\x07", [[8, 8]]],
    ];
    let changed = bytes;
    for (let times = 1 + random.below(3); times > 0; times--) {
      const [signature, places] = pick(records, random);
      const found: number[] = [];
      const mark = Buffer.from(signature, "latin1");
      for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) found.push(at);
      if (found.length === 0) continue;
      const [offset, width] = pick(places, random);
      const other = pick(found, random) + offset;
      const value =
        random.below(3) > 0 || other + width > bytes.length
          ? edge(width, bytes, random)
          : BigInt(bytes.readUIntLE(other, Math.min(6, width)));
      changed = writeNumber(changed, pick(found, random) + offset, width, value);
    }
    return changed;
  },
];

interface Place {
  readonly start: number;
  readonly end: number;
  /** Position of its tag. */
  readonly tag: number;
}

/** Fields of a model, of its graph and of that one's tensors. */
function protobufPlaces(bytes: Buffer): Place[] {
  const source = memorySource(bytes, "seed");
  const places: Place[] = [];
  const walk = (start: number, end: number, nested: readonly number[]) => {
    let tag = start;
    for (const field of fields(source, start, end)) {
      places.push({ start: field.start, end: field.end, tag });
      if (field.number === nested[0] && field.wire === 2)
        walk(field.start, field.end, nested.slice(1));
      tag = field.end;
    }
  };
  walk(0, bytes.length, [7, 5]);
  return places;
}

/** A field's tag, length or content changed, the lengths around it left as they are; or fields doubled. */
const PROTOBUF: Mutation = [
  "protobuf",
  ({ bytes, random }) => {
    const places = protobufPlaces(bytes);
    const { start, end, tag } = pick(places, random);
    const kind = random.below(4);
    if (kind === 0) return writeNumber(bytes, tag, 1, BigInt(random.below(256)));
    if (kind === 1) return writeNumber(bytes, tag + 1, 1, BigInt(random.below(256)));
    if (kind === 2) {
      const copy = Buffer.from(bytes);
      for (let at = start; at < end; at++) copy[at] = random.below(256);
      return copy;
    }
    const copies = Array.from({ length: 1 + random.below(100) }, () => bytes.subarray(tag, end));
    return splice(bytes, end, end, Buffer.concat(copies));
  },
];

const BY_FORMAT: Readonly<Record<WeightFormat, readonly Mutation[]>> = {
  safetensors: [HEADER],
  checkpoint: [METADATA, METADATA, METADATA, HEADER, VALUES],
  "torch zip": [PICKLE_IN_ZIP, ZIP_FIELDS],
  "torch older": [PICKLE],
  onnx: [PROTOBUF],
};
