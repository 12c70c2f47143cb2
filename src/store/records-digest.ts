/** @file One number for all that a run has recorded: what is derived from it is as new as that. */

import { createHash } from "node:crypto";
import type { Run } from "./read-run.ts";

/** SHA-256 of experiment, range tests and trials, hexadecimal; not of the summary, which follows from them. */
export const recordsDigest = ({ experiment, rangeTests, trials }: Omit<Run, "summary">): string =>
  digestOf(JSON.stringify({ experiment, rangeTests, trials }));

/** SHA-256 of a text, hexadecimal. */
export const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
