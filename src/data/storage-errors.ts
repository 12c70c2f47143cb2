/** @file What the file system says, turned into what the user can do about it. */

import { LrscopeError, StoreError } from "../core/errors.ts";

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;

const fullDisk = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const notAllowed = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOENT"]);

/**
 * The error to throw for a failed write under the cache folder: a full disk ends with exit code 1,
 * a folder that cannot be written with 2. Anything else is given back as it is.
 */
export function storageError(error: unknown, folder: string): unknown {
  const code = codeOf(error instanceof LrscopeError ? error.cause : error);
  if (code !== undefined && fullDisk.has(code))
    return new StoreError(
      `${folder}: no space left to write (${code}); free some, or set LRSCOPE_CACHE to a folder on another disk`,
      { exitCode: 1, cause: error },
    );
  if (code !== undefined && notAllowed.has(code))
    return new StoreError(
      `${folder}: the cache folder cannot be written (${code}); set LRSCOPE_CACHE to a folder that can`,
      { exitCode: 2, cause: error },
    );
  return error;
}
