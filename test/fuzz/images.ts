/**
 * @file Mutated photos through the product's own decoding, thousands in a folder, as a data set meets
 * them: each gives pixels or a named reason, in whatever order and company it is decoded; files that are
 * whole give the pixels that they give alone.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeImages } from "../../src/data/decode.ts";
import { FORMATS, imageSeeds } from "./image-seeds.ts";
import { mutate } from "./mutate.ts";
import type { Finding, FuzzOptions, FuzzSummary } from "./report.ts";

const SHAPE = { size: 24, channels: 3 } as const;
const BYTES = SHAPE.size * SHAPE.size * SHAPE.channels;
/** Files in one folder. */
const FOLDER = 3000;
/** One file of so many is left whole. */
const WHOLE = 10;
/** Words of a reason that tells of a decoder process that ended. */
const CRASHED = /crash|killed|ended by|SIG[A-Z]+/;

interface Case {
  readonly index: number;
  readonly file: string;
  /** What it gives alone, where it is whole. */
  readonly expected?: string;
}

/** Why the file is broken, or the hash of its pixels. */
type Outcome = { readonly reason: string } | { readonly pixels: string };

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

async function decode(files: readonly string[], threads: number): Promise<Outcome[]> {
  const pixels = new Uint8Array(files.length * BYTES);
  const reasons = await decodeImages(files, pixels, { ...SHAPE, threads });
  return reasons.map((reason, i) =>
    reason === null ? { pixels: hash(pixels.subarray(i * BYTES, (i + 1) * BYTES)) } : { reason },
  );
}

/** `count` files, a fifth of each format, one tenth of them whole. */
export async function fuzzImages(options: FuzzOptions): Promise<FuzzSummary> {
  const { seed, first = 0, count, onProgress } = options;
  const seeds = await Promise.all(FORMATS.map(imageSeeds));
  const outcomes: Record<string, number> = {};
  const findings: Finding[] = [];
  const folder = mkdtempSync(join(tmpdir(), "lrscope-fuzz-images-"));
  try {
    const alone = await decodeAlone(seeds, folder);
    for (let done = 0; done < count; done += FOLDER) {
      const length = Math.min(FOLDER, count - done);
      const cases = Array.from({ length }, (_, i) => first + done + i).map((index): Case => {
        const format = index % FORMATS.length;
        const files = seeds[format]!;
        const file = join(folder, `${index}.${FORMATS[format]}`);
        const turn = Math.floor(index / FORMATS.length);
        if (turn % WHOLE > 0) {
          writeFileSync(file, mutate({ seed, index, files }));
          return { index, file };
        }
        const which = Math.floor(turn / WHOLE) % files.length;
        writeFileSync(file, files[which]!);
        return { index, file, expected: alone[format]![which]! };
      });
      await checkFolder(cases, seed, folder, outcomes, findings);
      for (const { file } of cases) rmSync(file);
      onProgress?.(length);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { name: "images", inputs: count, outcomes, findings };
}

/** Hashes of the seeds' pixels, each decoded in a call of its own. */
async function decodeAlone(seeds: readonly Buffer[][], folder: string): Promise<string[][]> {
  const hashes: string[][] = [];
  for (const [format, files] of seeds.entries()) {
    hashes.push([]);
    for (const bytes of files) {
      const file = join(folder, `seed-${hashes[format]!.length}.${FORMATS[format]}`);
      writeFileSync(file, bytes);
      const [outcome] = await decode([file], 1);
      if (!("pixels" in outcome!)) throw new Error(`a valid ${FORMATS[format]} is refused`);
      hashes[format]!.push(outcome.pixels);
    }
  }
  return hashes;
}

async function checkFolder(
  cases: readonly Case[],
  seed: number,
  folder: string,
  outcomes: Record<string, number>,
  findings: Finding[],
): Promise<void> {
  const results = await decode(
    cases.map(({ file }) => file),
    2,
  );
  // Some of them again, in reverse and on one thread.
  const again = cases.filter((_, i) => i % 8 === 0).reverse();
  const secondly = await decode(
    again.map(({ file }) => file),
    1,
  );
  const second = new Map(again.map(({ index }, i) => [index, secondly[i]!]));
  for (const [i, { index, expected }] of cases.entries()) {
    const outcome = results[i]!;
    const format = FORMATS[index % FORMATS.length]!;
    const add = (what: string) => {
      outcomes[what] = (outcomes[what] ?? 0) + 1;
    };
    const report = (what: string) =>
      findings.push({ what: `${format}: ${what}`, reproduce: `seed ${seed}, image ${index}` });
    if ("pixels" in outcome) {
      add(`${format}: pixels`);
    } else {
      add(`${format}: named reason`);
      if (CRASHED.test(outcome.reason)) add("ended a decoder process");
      if (outcome.reason.trim() === "") report("refused without a reason");
      if (outcome.reason.includes(folder)) report(`the reason has a path: ${outcome.reason}`);
      if (/internal/.test(outcome.reason)) report(`a fault of lrscope's: ${outcome.reason}`);
    }
    if (expected !== undefined && JSON.stringify(outcome) !== JSON.stringify({ pixels: expected }))
      report(`a whole file gives other pixels among damaged ones: ${JSON.stringify(outcome)}`);
    const other = second.get(index);
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(outcome))
      report(
        `two outcomes: ${JSON.stringify(outcome)} among others, ${JSON.stringify(other)} in reverse`,
      );
  }
}
