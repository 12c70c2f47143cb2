/** @file The points of `bench step --grow` in a file, so that a call that was interrupted goes on. */

import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { ArgumentError } from "../core/errors.ts";
import { replaceFile } from "../store/durable-write.ts";

const number = z.number().nonnegative();
const pointRecord = z.object({
  threads: number,
  batch: number,
  size: number,
  medianMs: number,
  minMs: number,
  maxMs: number,
  /** Medians / (batch x size x size): microseconds a thousand pixels. */
  usPerKilopixel: number,
  memoryMiB: number,
});

/** A step, measured. */
export type GrowthPoint = Readonly<z.infer<typeof pointRecord>>;

/** @throws ArgumentError where the file holds something else */
export function growthFile(file: string | undefined): {
  known: readonly GrowthPoint[];
  keep(record: object): void;
} {
  if (file === undefined) return { known: [], keep: () => undefined };
  const keep = (record: object) => replaceFile(file, `${JSON.stringify(record, null, 2)}\n`);
  if (!existsSync(file)) return { known: [], keep };
  try {
    const { points } = z
      .object({ points: z.array(pointRecord) })
      .parse(JSON.parse(readFileSync(file, "utf8")));
    return { known: points, keep };
  } catch {
    throw new ArgumentError(
      `bench: --into ${file} holds no points of an earlier call; remove it, or name another file`,
    );
  }
}
