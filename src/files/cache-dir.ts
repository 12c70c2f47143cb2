/** @file Where downloads and decoded images are kept. */

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { sweepTemporaries } from "./temporaries.ts";

/**
 * `chosen`, else $LRSCOPE_CACHE, else $XDG_CACHE_HOME/lrscope, else ~/.cache/lrscope.
 * Empty variables count as unset, as the XDG Base Directory Specification asks.
 */
export function cacheDirectory(
  chosen: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (chosen) return resolve(chosen);
  if (environment.LRSCOPE_CACHE) return resolve(environment.LRSCOPE_CACHE);
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "lrscope");
}

/** Folders of the cache in which files are written beside their final name, or unpacked. */
const written = ["decoded", "features", "sources", "hashes", "places", "tuning"];

/** Removes what processes that were killed left in the cache. What cannot be removed stays. */
export async function sweepCache(cacheDir: string): Promise<void> {
  for (const name of written) await sweepTemporaries(join(cacheDir, name));
}
