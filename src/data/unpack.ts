/** @file A tar archive into a folder that appears whole or not at all. */

import { mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { x as extract, type ReadEntry } from "tar";
import { DownloadError } from "../core/errors.ts";
import { makeFolders } from "../files/make-folders.ts";
import { storageError } from "./storage-errors.ts";

export interface UnpackOptions {
  /** A .tar or .tar.gz. */
  readonly archive: string;
  /** The folder inside the archive that is wanted. */
  readonly folder: string;
  /** Where it goes. */
  readonly destination: string;
}

/**
 * Extract plain files and folders. An archive with links, devices, absolute names or names that
 * climb out is refused as a whole.
 * @throws DownloadError for such an archive, or one that cannot be read
 */
export async function unpack({ archive, folder, destination }: UnpackOptions): Promise<void> {
  const parent = dirname(destination);
  let temporary: string | undefined;
  try {
    makeFolders(parent);
    temporary = await mkdtemp(join(parent, `.${basename(destination)}-`));
    const refused: string[] = [];
    try {
      await extract({
        file: archive,
        cwd: temporary,
        strict: true,
        filter: (path, entry) => {
          const safe = isSafe(path, (entry as ReadEntry).type);
          if (!safe) refused.push(path);
          return safe;
        },
      });
    } catch (cause) {
      const translated = storageError(cause, parent);
      if (translated !== cause) throw translated;
      throw new DownloadError(
        `${archive}: cannot be unpacked (${(cause as Error).message}); remove it and run again`,
        { cause },
      );
    }
    if (refused.length > 0)
      throw new DownloadError(
        `${archive}: refused, as it holds "${refused[0]}", which is no plain file or folder inside the archive`,
      );
    await rename(join(temporary, folder), destination);
  } catch (error) {
    throw storageError(error, parent);
  } finally {
    // Files that were being written when the archive turned out broken may still appear.
    if (temporary !== undefined)
      await rm(temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }).catch(
        // What went wrong before matters more; and what was unpacked is whole where nothing did.
        () => undefined,
      );
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
