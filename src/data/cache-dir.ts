/** @file Where downloads and decoded images are kept. */

import { homedir } from "node:os";
import { join, resolve } from "node:path";

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
