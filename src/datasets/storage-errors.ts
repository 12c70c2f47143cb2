/** @file What the file system says, turned into what the user can do about it. */

import { codeOf, LrscopeError, StoreError } from "../core/errors.ts";

const fullDisk = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What may pass, or is no matter of the folder's: with what to do about it. */
const elsewhere: Readonly<Record<string, string>> = {
  EMFILE: "too many files are open; raise the limit (ulimit -n), and run again",
  ENFILE: "too many files are open on this machine; end what holds them, and run again",
  ENOMEM: "the system has no memory left; end other programs, and run again",
  EIO: "the disk reports an error; look at the system's log, or set LRSCOPE_CACHE to a folder on another disk",
  ESTALE:
    "the network disk has lost the file; run again, or set LRSCOPE_CACHE to a folder on another disk",
};

const words: Readonly<Record<string, string>> = {
  EROFS: ": the file system is read-only",
  EISDIR: ": a folder is where a file should be",
  ENOTEMPTY: ": a folder is where a file should be",
  ENOTDIR: ": part of the path is no folder",
  EEXIST: ": a file is where a folder should be",
  ELOOP: ": a link leads back to itself",
  ENAMETOOLONG: ": the name is too long",
};

/**
 * The error to throw for a failed read or write under the cache folder: a full disk, or one that fails,
 * ends with exit code 1; a folder that cannot be used with 2. What is no error of the operating system
 * is given back as it is; a LrscopeError whose cause is a full disk counts as one.
 */
export function storageError(error: unknown, folder: string): unknown {
  const cause = error instanceof LrscopeError ? error.cause : error;
  const code = codeOf(cause);
  const errno = (cause as NodeJS.ErrnoException | null | undefined)?.errno;
  if (code === undefined || !/^E(?!RR_)[A-Z0-9]+$/.test(code)) return error;
  if (fullDisk.has(code))
    return new StoreError(
      `${folder}: no space left to write (${code}); free some, or set LRSCOPE_CACHE to a folder on another disk`,
      { exitCode: 1, cause: error },
    );
  if (error instanceof LrscopeError || typeof errno !== "number") return error;
  if (elsewhere[code])
    return new StoreError(`${folder}: cannot be used now (${code}): ${elsewhere[code]}`, {
      exitCode: 1,
      cause: error,
    });
  return new StoreError(
    `${folder}: the cache folder cannot be written (${code}${words[code] ?? ""}); set LRSCOPE_CACHE to a folder that can`,
    { exitCode: 2, cause: error },
  );
}
