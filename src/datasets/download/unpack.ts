/** @file A tar archive into a folder that appears whole or not at all. */

import { createReadStream, statSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ReadEntry, Unpack } from "tar";
import { DownloadError, LrscopeError } from "../../core/errors.ts";
import { makeFolders } from "../../files/make-folders.ts";
import { sweepTemporaries, temporaryFor } from "../../files/temporaries.ts";
import { storageError } from "../storage-errors.ts";

export interface UnpackOptions {
  /** A .tar or .tar.gz. */
  readonly archive: string;
  /** The folder inside the archive that is wanted. */
  readonly folder: string;
  /** Where it goes. */
  readonly destination: string;
  /** Bytes of all files together, at most; default 4 GiB. */
  readonly mostBytes?: number | undefined;
  /** Files and folders, at most; default one million. */
  readonly mostEntries?: number | undefined;
}

/**
 * Extract plain files and folders. An archive with links, devices, absolute names or names that
 * climb out, or that holds more than the limits, is refused as a whole, at the first such entry.
 * @throws DownloadError for such an archive, or one that cannot be read or lacks the folder
 * @throws StoreError for a folder that cannot be written
 */
export async function unpack(options: UnpackOptions): Promise<void> {
  const { archive, folder, destination } = options;
  const parent = dirname(destination);
  const temporary = temporaryFor(destination);
  try {
    makeFolders(parent);
    await sweepTemporaries(parent);
    await mkdir(temporary);
    await extract(temporary, options);
    const unpacked = join(temporary, folder);
    if (!isFolder(unpacked))
      throw new DownloadError(
        `${archive}: holds no folder "${folder}"; remove the archive and run again`,
      );
    await rename(unpacked, destination).catch((error) => {
      // Another process that unpacked the same archive was quicker.
      if (!isFolder(destination)) throw error;
    });
  } catch (error) {
    throw storageError(error, parent);
  } finally {
    // Files that were being written when the archive turned out broken may still appear. What went
    // wrong before matters more than what cannot be removed.
    await rm(temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }).catch(
      () => undefined,
    );
  }
}

const isFolder = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

async function extract(
  cwd: string,
  { archive, mostBytes = 4 * 2 ** 30, mostEntries = 1_000_000 }: UnpackOptions,
): Promise<void> {
  let bytes = 0;
  let entries = 0;
  let refused: string | undefined;
  const input = createReadStream(archive, { highWaterMark: 1 << 20 });
  const unpacking = new Unpack({
    cwd,
    strict: true,
    filter(path, entry) {
      bytes += entry.size;
      entries++;
      if (!isSafe(path, (entry as ReadEntry).type))
        refused ??= `it holds ${JSON.stringify(path)}, which is no plain file or folder inside the archive`;
      else if (bytes > mostBytes)
        refused ??= `its files have more than ${mostBytes} bytes together`;
      else if (entries > mostEntries) refused ??= `it holds more than ${mostEntries} entries`;
      // Nothing more is read, and nothing of this one written.
      if (refused !== undefined) unpacking.abort(new Error(refused));
      return refused === undefined;
    },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      unpacking.on("error", reject);
      unpacking.on("close", resolve);
      input.on("error", reject);
      input.pipe(unpacking);
    });
  } catch (cause) {
    if (refused !== undefined) throw new DownloadError(`${archive}: refused, as ${refused}`);
    const translated = storageError(cause, dirname(cwd));
    if (translated !== cause || cause instanceof LrscopeError) throw translated;
    throw new DownloadError(
      `${archive}: cannot be unpacked (${(cause as Error).message}); remove it and run again`,
      { cause },
    );
  } finally {
    input.destroy();
  }
}

function isSafe(path: string, type: string): boolean {
  return (
    (type === "File" || type === "OldFile" || type === "Directory") &&
    !path.startsWith("/") &&
    !/^[A-Za-z]:/.test(path) &&
    !path.split(/[\\/]/).includes("..")
  );
}
