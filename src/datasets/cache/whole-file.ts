/** @file A file of the cache that appears under its name whole or not at all. */

import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "../../files/make-folders.ts";
import { sweepTemporaries, temporaryFor } from "../../files/temporaries.ts";
import { storageError } from "../storage-errors.ts";

/** Writes all of the bytes at a position of the file. */
export type WriteAt = (bytes: Uint8Array, position: number) => Promise<void>;

/**
 * Writes `path` by what `fill` writes, under a temporary name, synced and renamed. Whatever goes wrong,
 * nothing is left behind under any name, and what `fill` throws on its own account is thrown as it is.
 * What killed processes left in the folder is swept.
 * @throws StoreError for a full disk or a folder that cannot be written
 */
export async function writeWholeFile(
  path: string,
  fill: (write: WriteAt) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryFor(path);
  const stored = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw storageError(error, folder);
    });
  let handle: FileHandle | undefined;
  try {
    handle = await stored(create(folder, temporary));
    const file = handle;
    await fill((bytes, position) => stored(writeAll(file, bytes, position)));
    await stored(file.sync());
    await stored(file.close());
    handle = undefined;
    await stored(rename(temporary, path));
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function create(folder: string, temporary: string): Promise<FileHandle> {
  makeFolders(folder);
  await sweepTemporaries(folder);
  return open(temporary, "wx");
}

/** A write may be short when the disk is nearly full; the next one then says so. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
