/** @file What this machine's cache holds, and taking it away: all of it can be made or fetched again. */

import { lstat, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { ArgumentError, codeOf, StoreError } from "../../core/errors.ts";
import { cacheDirectory, sweepCache } from "../../files/cache-dir.ts";
import { type Download, downloads } from "../download/archives.ts";
import { CACHE_PARTS, type CachePart } from "./cache-parts.ts";

/** What the folders of the cache hold for people, and the names that lrscope gives in them. */
const PARTS: Readonly<Record<CachePart, { holds: string; isOwn: (name: string) => boolean }>> = {
  decoded: { holds: "decoded images", isOwn: named(/^.+-\d+-[0-9a-f]{24}\.images$/) },
  features: { holds: "features of frozen networks", isOwn: named(/^[0-9a-f]{32}\.features$/) },
  sources: {
    holds: "data sets that were downloaded",
    isOwn: (name) => Object.hasOwn(downloads, name),
  },
  downloads: { holds: "downloads, whole or begun", isOwn: isDownload },
  weights: {
    holds: "published weights",
    isOwn: named(/^[\w.-]+\.(safetensors|pth|pt|bin)(\.part)?$/),
  },
  fetched: {
    holds: "images and weights that workers fetched",
    isOwn: named(/^[0-9a-f]{64}$/),
  },
  tuning: { holds: "times of convolutions", isOwn: named(/^[0-9a-f]{16}\.json$/) },
  hashes: { holds: "hashes of folders' files", isOwn: named(/^[0-9a-f]{24}\.json$/) },
  places: { holds: "where folders and files lie", isOwn: named(/^[0-9a-f]{24}\.json$/) },
};

function named(pattern: RegExp) {
  return (name: string) => pattern.test(name);
}

/** An archive by its published name, or the folder of a source whose files are used as they are. */
function isDownload(name: string): boolean {
  return Object.entries<Download>(downloads).some(([source, { files, folder }]) =>
    folder === null
      ? name === source
      : files.some(({ url }) => name.replace(/\.part$/, "") === basename(new URL(url).pathname)),
  );
}

/** What is cleaned where nobody says it: what takes room, and not the memory of where things lie. */
const USUAL: readonly CachePart[] = CACHE_PARTS.filter((part) => part !== "places");

export interface CachedFile {
  readonly part: CachePart;
  /** For people. */
  readonly holds: string;
  readonly path: string;
  /** Of a folder all that is in it. */
  readonly bytes: number;
  /** When it was last written: ISO 8601. */
  readonly changed: string;
}

export interface CacheOptions {
  /** Default: as `openImages` has it. */
  readonly cacheDir?: string | undefined;
}

/**
 * What lrscope keeps in the cache, part by part, by name. Files of other names are not its own, and not listed.
 * @returns the folder too, which need not be there
 */
export async function listCache({
  cacheDir,
}: CacheOptions = {}): Promise<{ folder: string; files: CachedFile[] }> {
  const folder = cacheDirectory(cacheDir);
  const files: CachedFile[] = [];
  for (const part of CACHE_PARTS) {
    const { holds, isOwn } = PARTS[part];
    for (const name of (await namesIn(join(folder, part))).filter(isOwn)) {
      const path = join(folder, part, name);
      const status = await lstat(path).catch(() => null);
      // A link may lead anywhere, and what is gone by now is gone.
      if (!status || status.isSymbolicLink()) continue;
      const bytes = status.isDirectory() ? await bytesIn(path) : status.size;
      files.push({ part, holds, path, bytes, changed: status.mtime.toISOString() });
    }
  }
  return { folder, files };
}

export interface CleanCacheOptions extends CacheOptions {
  /** Default: all but the places of folders and files, without which `--resume` has to be told them. */
  readonly parts?: readonly CachePart[] | undefined;
  /** Days without a change; default 0, all. */
  readonly olderThan?: number | undefined;
  /** Says what would be removed, and removes nothing. */
  readonly dryRun?: boolean | undefined;
}

/**
 * Removes from the cache. A process that is at work with a file goes on with it, and the next one makes it again.
 * @returns what was removed
 * @throws ArgumentError for a part that there is none of
 * @throws StoreError, exit code 1, where something cannot be removed
 */
export async function cleanCache({
  cacheDir,
  parts = USUAL,
  olderThan = 0,
  dryRun = false,
}: CleanCacheOptions = {}): Promise<CachedFile[]> {
  for (const part of parts)
    if (!CACHE_PARTS.includes(part))
      throw new ArgumentError(`cache: has no part "${part}"; its parts: ${CACHE_PARTS.join(", ")}`);
  const { folder, files } = await listCache({ cacheDir });
  const before = Date.now() - olderThan * 24 * 60 * 60 * 1000;
  const chosen = files.filter(
    ({ part, changed }) => parts.includes(part) && Date.parse(changed) <= before,
  );
  if (dryRun) return chosen;
  await sweepCache(folder);
  for (const { path } of chosen)
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      throw new StoreError(
        `${path}: cannot be removed (${codeOf(error) ?? String(error)}); what stands before it in the list is removed`,
        { exitCode: 1, cause: error },
      );
    });
  return chosen;
}

async function namesIn(folder: string): Promise<string[]> {
  const status = await lstat(folder).catch(() => null);
  return status?.isDirectory() ? (await readdir(folder).catch(() => [])).sort() : [];
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const status = await lstat(join(folder, name)).catch(() => null);
    if (status?.isFile()) bytes += status.size;
  }
  return bytes;
}
