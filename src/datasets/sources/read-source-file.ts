/** @file A file of a source that is read as a whole: IDX and CIFAR-10 files. */

import { join } from "node:path";
import { codeOf, DataError, LrscopeError } from "../../core/errors.ts";
import { readRegularFile } from "../../files/regular-file.ts";

/** @throws DataError where it is no file, or cannot be read; `name` is the source's */
export function readSourceFile(root: string, name: string, file: string): Buffer {
  let bytes: Buffer | null;
  try {
    bytes = readRegularFile(join(root, file));
  } catch (cause) {
    const code = codeOf(cause);
    const why = cause instanceof LrscopeError ? "it is no file" : code;
    throw new DataError(`${name}: ${file} cannot be read (${why}); fetch it again or remove it`, {
      cause,
    });
  }
  if (bytes === null)
    throw new DataError(`${name}: ${file} leads to no file; fetch it again or remove it`);
  return bytes;
}
