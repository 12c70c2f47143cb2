/** @file derived.json of a run directory: read leniently, as all that it speaks of can be made again. */

import { join } from "node:path";
import { StoreError } from "../core/errors.ts";
import { type DerivedRecord, derivedRecord } from "../record/index.ts";
import { type RunDirectory, readRecord } from "../store/index.ts";

const FILE = "derived.json";

/** null where there is none that can be read: nothing is known of what was derived. */
export function readDerived(path: string): DerivedRecord | null {
  try {
    return readRecord(join(path, FILE), derivedRecord);
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

/** Changes some of its fields; leaves the file alone where that changes nothing. */
export function updateDerived(
  directory: RunDirectory,
  change: Partial<Omit<DerivedRecord, "formatVersion">>,
): void {
  const before = readDerived(directory.path);
  const after = { formatVersion: 1, figures: [], ...before, ...change };
  if (JSON.stringify(before) !== JSON.stringify(after))
    directory.writeText(FILE, `${JSON.stringify(after, null, 2)}\n`);
}
