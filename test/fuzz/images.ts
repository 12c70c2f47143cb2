/**
 * @file Mutated photos through the product's own decoding process, thousands in a folder, as a data set
 * meets them: each gives pixels or a named reason, in whatever order and company it is decoded; files that
 * are whole give the pixels that they give alone.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DecodeFailure } from "../../src/datasets/decoding/decode.ts";
import { type ImageDecoder, openDecoder } from "../../src/datasets/decoding/isolated-decoder.ts";
import { FORMATS, imageSeeds } from "./image-seeds.ts";
import { mutate } from "./mutate.ts";
import type { Finding, FuzzOptions, FuzzSummary } from "./report.ts";

const SHAPE = { size: 24, channels: 3 } as const;
const BYTES = SHAPE.size * SHAPE.size * SHAPE.channels;
/** Files in one folder. */
const FOLDER = 3000;
/** Files of one call, as data sets have them. */
const CALL = 256;
/** One file of so many is left whole. */
const WHOLE = 10;
/** One file of so many is decoded again in other company. */
const AGAIN = 8;

interface Case {
  readonly index: number;
  readonly file: string;
  /** What it gives alone, where it is whole. */
  readonly expected?: Outcome;
}

/** The hash of the pixels, or why there are none. */
type Outcome = { readonly pixels: string } | DecodeFailure;

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

const isSame = (a: Outcome, b: Outcome) => JSON.stringify(a) === JSON.stringify(b);

const open = (threads: number) => openDecoder({ ...SHAPE, threads, capacity: CALL });

async function decode(decoder: ImageDecoder, files: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let first = 0; first < files.length; first += CALL) {
    const { pixels, failures } = await decoder.decode(files.slice(first, first + CALL));
    for (const [i, failure] of failures.entries())
      outcomes.push(failure ?? { pixels: hash(pixels.subarray(i * BYTES, (i + 1) * BYTES)) });
  }
  return outcomes;
}

/** `count` files, a fifth of each format, one tenth of them whole. */
export async function fuzzImages(options: FuzzOptions): Promise<FuzzSummary> {
  const { seed, first = 0, count, onProgress } = options;
  const seeds = await Promise.all(FORMATS.map(imageSeeds));
  const folder = mkdtempSync(join(tmpdir(), "lrscope-fuzz-images-"));
  const log: Log = { outcomes: {}, findings: [] };
  const [two, one] = [open(2), open(1)];
  try {
    const alone = await decodeAlone(seeds, folder);
    for (let done = 0; done < count; done += FOLDER) {
      const length = Math.min(FOLDER, count - done);
      const cases = Array.from({ length }, (_, i) =>
        writeCase({ index: first + done + i, seed, seeds, alone, folder }),
      );
      const files = cases.map(({ file }) => file);
      const outcomes = await decode(two, files);
      const again = [...cases.keys()].filter((i) => i % AGAIN === 0).reverse();
      const second = await decode(
        one,
        again.map((i) => files[i]!),
      );
      const secondly = new Map(again.map((i, j) => [i, second[j]!]));
      for (const [i, item] of cases.entries())
        check({ item, outcome: outcomes[i]!, second: secondly.get(i), folder, seed }, log);
      for (const file of files) rmSync(file);
      onProgress?.(length);
    }
  } finally {
    two.close();
    one.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { name: "images", inputs: count, ...log };
}

/** Outcomes of the seeds, each decoded in a call of its own. */
async function decodeAlone(
  seeds: readonly (readonly Buffer[])[],
  folder: string,
): Promise<Outcome[][]> {
  const decoder = open(1);
  try {
    const all: Outcome[][] = [];
    for (const [format, files] of seeds.entries()) {
      const outcomes: Outcome[] = [];
      for (const bytes of files) {
        const file = join(folder, `seed.${FORMATS[format]}`);
        writeFileSync(file, bytes);
        const [outcome] = await decode(decoder, [file]);
        if (!("pixels" in outcome!))
          throw new Error(`a valid ${FORMATS[format]} is refused: ${outcome!.reason}`);
        outcomes.push(outcome);
      }
      all.push(outcomes);
    }
    return all;
  } finally {
    decoder.close();
  }
}

interface CaseOptions {
  readonly index: number;
  readonly seed: number;
  readonly seeds: readonly (readonly Buffer[])[];
  readonly alone: readonly (readonly Outcome[])[];
  readonly folder: string;
}

function writeCase({ index, seed, seeds, alone, folder }: CaseOptions): Case {
  const format = index % FORMATS.length;
  const turn = Math.floor(index / FORMATS.length);
  const files = seeds[format]!;
  const file = join(folder, `${index}.${FORMATS[format]}`);
  if (turn % WHOLE > 0) {
    writeFileSync(file, mutate({ seed, index, files }));
    return { index, file };
  }
  const which = Math.floor(turn / WHOLE) % files.length;
  writeFileSync(file, files[which]!);
  return { index, file, expected: alone[format]![which]! };
}

interface Log {
  readonly outcomes: Record<string, number>;
  readonly findings: Finding[];
}

interface Checked {
  readonly item: Case;
  readonly outcome: Outcome;
  /** In other company, where it was decoded twice. */
  readonly second: Outcome | undefined;
  readonly folder: string;
  readonly seed: number;
}

function check({ item, outcome, second, folder, seed }: Checked, log: Log): void {
  const format = FORMATS[item.index % FORMATS.length]!;
  const report = (what: string) =>
    log.findings.push({
      what: `${format}: ${what}`,
      reproduce: `seed ${seed}, image ${item.index}`,
    });
  const count = (what: string) => {
    log.outcomes[what] = (log.outcomes[what] ?? 0) + 1;
  };
  if ("pixels" in outcome) {
    count(`${format}: pixels`);
  } else {
    const { kind, reason } = outcome;
    count(`${format}: named reason`);
    if (kind === "limited")
      count(/crash/.test(reason) ? "crashed the decoding process" : "beyond a limit");
    else if (kind !== "broken") report(`its bytes give a passing failure: ${kind}: ${reason}`);
    if (reason.trim() === "") report("refused without a reason");
    if (reason.includes(folder)) report(`the reason has a path: ${reason}`);
    if (/internal/.test(reason)) report(`a fault of lrscope's: ${reason}`);
  }
  if (item.expected !== undefined && !isSame(outcome, item.expected))
    report(`a whole file gives other pixels among damaged ones: ${JSON.stringify(outcome)}`);
  if (second !== undefined && !isSame(outcome, second))
    report(
      `two outcomes: ${JSON.stringify(outcome)} among others, ${JSON.stringify(second)} in reverse`,
    );
}
