/** @file A text into a file that the user named. */

import { writeFileSync } from "node:fs";
import { StoreError } from "../../core/errors.ts";

/** @throws StoreError naming the file and what the system said, where it cannot be written */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new StoreError(`${file} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
