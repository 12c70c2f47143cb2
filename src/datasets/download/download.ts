/**
 * @file One file over HTTP: resumed where a run before stopped, checked against its checksum, and
 * given its name only when it is whole.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, truncate, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { codeOf, DownloadError, LrscopeError } from "../../core/errors.ts";
import { throwIfInterrupted } from "../../data/source.ts";
import { makeFolders } from "../../files/make-folders.ts";
import { openRegularFile, sizeOfRegularFile } from "../../files/regular-file.ts";
import { type DataEvent, versioned } from "../../record/index.ts";
import { storageError } from "../storage-errors.ts";
import type { DownloadFile } from "./archives.ts";
import { Broken, type FetchOptions, fetchOnce } from "./fetch-part.ts";

export interface DownloadOptions {
  /** Name of the source, as messages begin with it. */
  readonly source: string;
  /** Where the file goes. What has arrived waits in `destination` + ".part". */
  readonly destination: string;
  /** Bytes that are taken, at most, of a file whose length is not published; default 4 GiB. */
  readonly mostBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DataEvent) => void) | undefined;
  /** Scheme and host in place of the table's; see SourceContext. */
  readonly baseUrl?: string | undefined;
}

/**
 * Fetch a file unless it is there. A connection that is cut is taken up again as long as that brings
 * something; a server that sends more than the file can have is left.
 * @throws DownloadError that names the URL and where to put the file by hand, StoreError for a folder
 *   that cannot be written, InterruptedError when the signal fires
 */
export async function download(file: DownloadFile, options: DownloadOptions): Promise<void> {
  const { source, destination } = options;
  const part = `${destination}.part`;
  const { algorithm, hex } = file.checksum;
  try {
    const present = await hashOf(destination, algorithm);
    if (present?.startsWith(hex)) return;
    if (present !== null)
      throw new DownloadError(
        `${source}: ${destination} has the ${algorithm} checksum ${present}, not ${hex}; remove it, or fetch ${file.url} again`,
      );
    makeFolders(dirname(destination));
    await fetchAll(file, part, options);
    const found = (await hashOf(part, algorithm)) ?? "of no file";
    if (!found.startsWith(hex)) {
      await unlink(part).catch(() => undefined);
      throw new DownloadError(
        `${source}: what came from ${file.url} has the ${algorithm} checksum ${found}, not ${hex}, and was removed; run again, or ${byHand(file, destination)}`,
      );
    }
    await rename(part, destination);
  } catch (error) {
    if (error instanceof LrscopeError) throw error;
    throw storageError(error, dirname(destination));
  }
}

const byHand = (file: DownloadFile, destination: string) =>
  `fetch ${file.url} by hand and put it at ${destination}`;

/** null where there is no file. */
async function hashOf(path: string, algorithm: "sha256" | "md5"): Promise<string | null> {
  const fd = openRegularFile(path);
  if (fd === null) return null;
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { fd, highWaterMark: 1 << 20 }))
    hash.update(chunk);
  return hash.digest("hex");
}

/** Bytes that an attempt has to bring, beyond all before, for another one not to count. */
const FRUITFUL_BYTES = 1 << 16;
/** How often a connection may break in a row without bringing so much. */
const MOST_FRUITLESS = 5;
const DEFAULT_MOST_BYTES = 4 * 2 ** 30;

/** Until the part is whole, or the server cannot be reached, or it keeps breaking off. */
async function fetchAll(file: DownloadFile, part: string, options: DownloadOptions): Promise<void> {
  const { source, destination, signal, onEvent, baseUrl } = options;
  const attempt: FetchOptions = {
    file,
    url: baseUrl === undefined ? file.url : baseUrl + new URL(file.url).pathname,
    part,
    mostBytes: options.mostBytes ?? DEFAULT_MOST_BYTES,
    signal,
    onBytes: (done, total) =>
      onEvent?.(
        versioned({ type: "data", phase: "download", done, total, what: basename(destination) }),
      ),
    refuse: (what) =>
      new DownloadError(`${source}: ${file.url} ${what}; ${byHand(file, destination)}`),
  };
  let most = sizeOfRegularFile(part) ?? 0;
  for (let fruitless = 0; ; ) {
    const before = sizeOfRegularFile(part) ?? 0;
    if (file.bytes !== null && before === file.bytes) return;
    // Longer than the file can be: of no use.
    if (file.bytes !== null && before > file.bytes) await truncate(part, 0);
    try {
      await fetchOnce(attempt);
      return;
    } catch (error) {
      throwIfInterrupted(signal);
      if (!(error instanceof Broken)) throw error;
      const after = sizeOfRegularFile(part) ?? 0;
      fruitless = after >= most + FRUITFUL_BYTES ? 0 : fruitless + 1;
      most = Math.max(most, after);
      if (error.answered && fruitless < MOST_FRUITLESS) continue;
      const kept =
        after > 0 ? `; ${after} bytes are kept, and the next run goes on from there` : "";
      const { host } = new URL(file.url);
      const failed = error.answered ? `${host} keeps breaking off` : `cannot reach ${host}`;
      throw new DownloadError(
        `${source}: ${failed} (${networkReason(error.cause)})${kept}. Without a network, ${byHand(file, destination)}`,
        { cause: error.cause },
      );
    }
  }
}

function networkReason(error: unknown): string {
  const cause = (error as Error).cause as Error | undefined;
  return codeOf(cause) ?? cause?.message ?? (error as Error).message;
}
