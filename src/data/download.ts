/**
 * @file One file over HTTP: resumed where a run before stopped, checked against its checksum, and
 * given its name only when it is whole.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, stat, truncate, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { withCleanupLater } from "../core/cleanup.ts";
import { DownloadError, LrscopeError } from "../core/errors.ts";
import { makeFolders } from "../files/make-folders.ts";
import type { DownloadFile } from "./archives.ts";
import { throwIfInterrupted } from "./source.ts";
import { storageError } from "./storage-errors.ts";
import type { DataProgress } from "./types.ts";

export interface DownloadOptions {
  /** Name of the source, as messages begin with it. */
  readonly source: string;
  /** Where the file goes. What has arrived waits in `destination` + ".part". */
  readonly destination: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DataProgress) => void) | undefined;
  /** Scheme and host in place of the table's; see SourceContext. */
  readonly baseUrl?: string | undefined;
}

/**
 * Fetch a file unless it is there. A connection that is cut is taken up again as long as each
 * attempt brings something.
 * @throws DownloadError that names the URL and where to put the file by hand
 */
export async function download(file: DownloadFile, options: DownloadOptions): Promise<void> {
  const { source, destination } = options;
  const part = `${destination}.part`;
  try {
    if (await exists(destination)) {
      const found = await hashOf(destination, file.checksum.algorithm);
      if (found.startsWith(file.checksum.hex)) return;
      throw new DownloadError(
        `${source}: ${destination} has the ${file.checksum.algorithm} checksum ${found}, not ${file.checksum.hex}; remove it, or fetch ${file.url} again`,
      );
    }
    makeFolders(dirname(destination));
    await fetchAll(file, part, options);
    const found = await hashOf(part, file.checksum.algorithm);
    if (!found.startsWith(file.checksum.hex)) {
      await unlink(part);
      throw new DownloadError(
        `${source}: what came from ${file.url} has the ${file.checksum.algorithm} checksum ${found}, not ${file.checksum.hex}, and was removed; run again, or ${byHand(file, destination)}`,
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

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function hashOf(path: string, algorithm: "sha256" | "md5"): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** How often a connection may break in a row before it has brought anything. */
const mostFruitless = 5;

/** Until the part is whole, or the server cannot be reached, or every answer breaks off at once. */
async function fetchAll(file: DownloadFile, part: string, options: DownloadOptions): Promise<void> {
  for (let fruitless = 0; ; ) {
    const before = await sizeOf(part);
    if (file.bytes !== null && before === file.bytes) return;
    // Longer than the file can be: of no use.
    if (file.bytes !== null && before > file.bytes) await truncate(part, 0);
    try {
      await fetchOnce(file, part, options);
      return;
    } catch (error) {
      throwIfInterrupted(options.signal);
      if (!(error instanceof Broken)) throw error;
      const after = await sizeOf(part);
      fruitless = after > before ? 0 : fruitless + 1;
      if (error.answered && fruitless < mostFruitless) continue;
      const kept =
        after > 0 ? `; ${after} bytes are kept, and the next run goes on from there` : "";
      throw new DownloadError(
        `${options.source}: cannot reach ${new URL(file.url).host} (${networkReason(error.cause)})${kept}. Without a network, ${byHand(file, options.destination)}`,
        { cause: error.cause },
      );
    }
  }
}

/** The network failed: before an answer, or in the middle of one. */
class Broken extends Error {
  readonly answered: boolean;

  constructor(cause: unknown, answered: boolean) {
    super("the connection broke", { cause });
    this.answered = answered;
  }
}

function networkReason(error: unknown): string {
  const cause = (error as Error).cause as (Error & { code?: string }) | undefined;
  return cause?.code ?? cause?.message ?? (error as Error).message;
}

async function fetchOnce(
  file: DownloadFile,
  part: string,
  options: DownloadOptions,
): Promise<void> {
  const { source, destination, signal, onProgress, baseUrl } = options;
  const offset = await sizeOf(part);
  const url = baseUrl === undefined ? file.url : baseUrl + new URL(file.url).pathname;
  // The bytes as they are: a .gz must not be unpacked on the way.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  const response = await fetch(url, { headers, signal: signal ?? null }).catch((cause) => {
    throw new Broken(cause, false);
  });
  const resumed = response.status === 206 && rangeStart(response) === offset;
  if (response.status === 416 || (response.status === 206 && !resumed)) {
    // The part does not fit what is there now: begin again.
    await response.body?.cancel();
    await unlink(part);
    return fetchOnce(file, part, options);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new DownloadError(
      `${source}: ${file.url} answers ${response.status} ${response.statusText}; ${byHand(file, destination)}`,
    );
  }
  const announced = Number(response.headers.get("content-length")) || null;
  let done = resumed ? offset : 0;
  const total = file.bytes ?? (announced === null ? null : done + announced);
  const handle = await open(part, resumed ? "a" : "w");
  const { body } = response;
  await withCleanupLater(
    async () => {
      for await (const chunk of received(body)) {
        await handle.writeFile(chunk);
        done += chunk.length;
        onProgress?.({ phase: "download", done, total, what: basename(destination) });
      }
      await handle.sync();
    },
    () => handle.close(),
  );
  if (total !== null && done !== total)
    throw new Broken(new Error(`${done} of ${total} bytes arrived`), true);
}

/** The body's chunks; what the network does wrong is told apart from what the disk does. */
async function* received(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw new Broken(cause, true);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function rangeStart(response: Response): number | null {
  const match = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  return match === null ? null : Number(match[1]);
}
