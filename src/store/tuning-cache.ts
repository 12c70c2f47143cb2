/**
 * @file What --tune-convolutions remembers from run to run: one file for each combination of processor, engine
 * (with its oneDNN version and instruction set) and thread count, holding times by shape and pass.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { InstructionTime } from "../engine/tuning/instruction-clock.ts";
import { cacheDirectory } from "../files/cache-dir.ts";
import { describeMachine } from "../files/machine.ts";
import { readRegularFile } from "../files/regular-file.ts";
import { replaceFile } from "./durable-write.ts";

const time = z.number().nonnegative().finite();
const cacheFile = z.object({
  formatVersion: z.literal(1),
  processor: z.string(),
  engine: z.string(),
  threads: z.number().int().positive(),
  times: z.record(z.string(), z.object({ medianMs: time, minMs: time })),
});

export interface TuningCache {
  readonly file: string;
  readonly times: ReadonlyMap<string, InstructionTime>;
  /** Replaces the file whole; a cache that cannot be written is a note, and the run goes on. */
  save(times: ReadonlyMap<string, InstructionTime>): void;
}

/** A damaged file counts as none, with a note. */
export function openTuningCache(options: {
  engine: string;
  threads: number;
  cacheDir?: string | undefined;
  onNote?: ((text: string) => void) | undefined;
}): TuningCache {
  const { engine, threads, onNote } = options;
  const { processor } = describeMachine();
  const machine = { processor, engine, threads };
  const name = createHash("sha256").update(JSON.stringify(machine)).digest("hex").slice(0, 16);
  const file = join(cacheDirectory(options.cacheDir), "tuning", `${name}.json`);
  return {
    file,
    times: read(file, machine, onNote),
    save(times) {
      const record = { formatVersion: 1, ...machine, times: Object.fromEntries(times) };
      try {
        replaceFile(file, `${JSON.stringify(record, null, 1)}\n`);
      } catch (error) {
        onNote?.(`what was tuned is not remembered: ${(error as Error).message}`);
      }
    },
  };
}

function read(
  file: string,
  machine: { processor: string; engine: string; threads: number },
  onNote: ((text: string) => void) | undefined,
): ReadonlyMap<string, InstructionTime> {
  try {
    const bytes = readRegularFile(file);
    if (bytes === null) return new Map();
    const found = cacheFile.parse(JSON.parse(bytes.toString("utf8")));
    const { processor, engine, threads } = machine;
    if (found.processor === processor && found.engine === engine && found.threads === threads)
      return new Map(Object.entries(found.times));
    onNote?.(`${file}: is of another machine, and is left aside; everything is timed again`);
  } catch {
    onNote?.(`${file}: is damaged, and is left aside; everything is timed again`);
  }
  return new Map();
}
