/**
 * @file How an attempt ended, in a file: said by `lrscope trial --end FILE` to an executor that no channel leads
 * to. One that was killed, or never started, leaves none.
 */

import { existsSync } from "node:fs";
import { z } from "zod";
import { replaceFile } from "../../store/durable-write.ts";
import { readRecord } from "../../store/index.ts";
import type { ReportedError } from "./executor.ts";

const schema = z.object({
  attempt: z.number().int(),
  error: z
    .object({ code: z.string().nullable(), message: z.string(), exitCode: z.number() })
    .nullable(),
});

export interface TrialEnd {
  readonly attempt: number;
  /** null: its work is done. */
  readonly error: ReportedError | null;
}

export const writeEnd = (file: string, end: TrialEnd): void =>
  replaceFile(file, `${JSON.stringify(end)}\n`);

/** null where the attempt has not ended of itself, or the file is one of another attempt. */
export function readEnd(file: string, attempt: number): TrialEnd | null {
  const end = existsSync(file) ? (readRecord(file, schema) as TrialEnd) : null;
  return end?.attempt === attempt ? end : null;
}
