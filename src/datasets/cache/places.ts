/**
 * @file Where a data set lies on this machine, by its fingerprint. Kept in the cache, so that a run
 * directory, which never holds a path, can be gone on with without saying the path again.
 */

import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { z } from "zod";
import { cacheDirectory } from "../../files/cache-dir.ts";
import { readRegularFile } from "../../files/regular-file.ts";
import { writeWholeFile } from "./whole-file.ts";

const placeRecord = z.object({ fingerprint: z.string(), path: z.string() });

function fileOf(fingerprint: string, cacheDir?: string): string {
  const name = createHash("sha256").update(fingerprint).digest("hex").slice(0, 24);
  return join(cacheDirectory(cacheDir), "places", `${name}.json`);
}

/** Notes where the data set lies. A cache that cannot be written is no reason to stop. */
export async function rememberPlace(
  fingerprint: string,
  path: string,
  cacheDir?: string,
): Promise<void> {
  const record = Buffer.from(JSON.stringify({ fingerprint, path: resolve(path) }));
  try {
    await writeWholeFile(fileOf(fingerprint, cacheDir), (write) => write(record, 0));
  } catch {
    // Next time it will have to be said.
  }
}

/** The path noted for a data set; null where there is none. */
export function knownPlace(fingerprint: string, cacheDir?: string): string | null {
  try {
    const text = readRegularFile(fileOf(fingerprint, cacheDir))?.toString("utf8");
    const found = placeRecord.parse(JSON.parse(text ?? "null"));
    return found.fingerprint === fingerprint ? found.path : null;
  } catch {
    return null;
  }
}
