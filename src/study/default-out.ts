/** @file Where a run goes that was not told where. */

import { lstatSync, mkdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { codeOf, StoreError } from "../core/errors.ts";
import { isSourceName } from "../datasets/sources/source-names.ts";
import { makeFolders } from "../files/make-folders.ts";

/** "20260131-101500", of local time. */
export function timeStamp(now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** The first of "a", "a-2", "a-3" and so on that is not there. */
export function freeFolder(path: string): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? path : `${path}-${i}`;
    if (lstatSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
}

/**
 * Makes the first of those folders that is not there, and no other process's.
 * @throws StoreError, exit code 2, where it cannot be made
 */
export function claimFolder(path: string): string {
  for (;;) {
    const name = freeFolder(path);
    try {
      makeFolders(dirname(name));
      mkdirSync(name);
      return name;
    } catch (error) {
      if (codeOf(error) !== "EEXIST")
        throw new StoreError(
          `${name}: the output folder cannot be made (${codeOf(error) ?? String(error)}); choose another with --out`,
          { exitCode: 2, cause: error },
        );
    }
  }
}

/** "lrscope-runs/compare-flowers-20260131-101500" */
export function defaultOut(kind: string, source: string): string {
  const name = isSourceName(source) ? source : basename(resolve(source)) || "source";
  return `lrscope-runs/${kind}-${name}-${timeStamp()}`;
}
