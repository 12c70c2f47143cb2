/** @file A source's images, decoded: from the cache where they are there and whole, else made now. */

import { join } from "node:path";
import { StoreError } from "../../core/errors.ts";
import type { BrokenItem, DecodedChunk, Source } from "../../data/source.ts";
import type { OpenOptions } from "../../data/types.ts";
import { loadAddon } from "../../engine/native/addon/index.ts";
import { sweepCache } from "../../files/cache-dir.ts";
import { type DataEvent, type EventBody, versioned } from "../../record/index.ts";
import { decodingConditions } from "../decoding/decode-limits.ts";
import { decodedFingerprint } from "../fingerprint.ts";
import { type CacheKey, type OpenedCache, openCacheFile, writeCacheFile } from "./cache-file.ts";

export interface DecodedImagesOptions {
  /** Of the source, in the order in which images are numbered. */
  readonly items: Int32Array;
  /** Pixels of the square that images are cut to. */
  readonly size: number;
  readonly cacheDir: string;
  readonly threads: number;
  readonly signal: OpenOptions["signal"] | undefined;
  readonly onEvent: OpenOptions["onEvent"] | undefined;
}

export interface DecodedImages extends OpenedCache {
  /** SHA-256 of the items' contents and of how they were decoded, hexadecimal. */
  readonly fingerprint: string;
  /** Where the images are kept, and as what. */
  readonly file: string;
  readonly key: CacheKey;
}

/**
 * The images, mapped, every byte checked; the caller closes `cache`. Where the cache's file is damaged
 * they are decoded anew, and the events say why.
 * @throws StoreError for a cache that cannot be used, InterruptedError when the signal fires
 */
export async function decodedImages(
  source: Source,
  { items, size, cacheDir, threads, signal, onEvent }: DecodedImagesOptions,
): Promise<DecodedImages> {
  const { name, channels } = source;
  const contents = await source.fingerprint(items, signal);
  const fingerprint = decodedFingerprint(source, contents, { size });
  const file = join(
    cacheDir,
    "decoded",
    `${safe(name)}-${size}-${fingerprint.slice(0, 24)}.images`,
  );
  const key = { fingerprint, size, channels, items: items.length };
  await sweepCache(cacheDir);
  const kept = await openCacheFile(file, key, { threads, signal });
  if (kept.cache !== null) {
    if (kept.broken.every(stillHolds)) return { ...kept, fingerprint, file, key };
    loadAddon().closeCache(kept.cache);
  }
  const chunks = source.decode(items, { size, threads, signal });
  const why =
    kept.cache !== null || kept.why === null
      ? {}
      : { why: `the decoded images in the cache are of no use: ${kept.why}` };
  const { length: total } = items;
  const about = { type: "data", phase: "decode", total, what: name, ...why } as const;
  await writeCacheFile(file, key, reported(chunks, about, onEvent));
  const made = await openCacheFile(file, key, { threads, signal });
  if (made.cache === null)
    throw new StoreError(
      `${file}: the decoded images cannot be read back (${made.why ?? "the file is gone"}); see whether the disk is sound, or set LRSCOPE_CACHE to a folder on another disk`,
    );
  return { ...made, fingerprint, file, key };
}

/** What limits and decoders of another version have refused may be decoded by this one. */
const stillHolds = ({ under }: BrokenItem) => under === undefined || under === decodingConditions();

/** A file name's worth of a source's name. */
const safe = (name: string) => name.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 40) || "images";

async function* reported(
  chunks: AsyncIterable<DecodedChunk>,
  about: Omit<EventBody<DataEvent>, "done">,
  onEvent: OpenOptions["onEvent"],
): AsyncGenerator<DecodedChunk> {
  for await (const chunk of chunks) {
    yield chunk;
    onEvent?.(versioned({ ...about, done: chunk.done }));
  }
}
