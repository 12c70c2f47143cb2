/** @file A folder and its parents, made one at a time. */

import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { quietly } from "../core/cleanup.ts";
import { codeOf } from "../core/errors.ts";

/**
 * Makes a folder and the parents it lacks, or none of them. Node's own `mkdir` with `recursive` never
 * returns where a file system denies that a parent exists although it does, as /proc does.
 * @returns the outermost folder that was made, or undefined where all were there
 * @throws the operating system's error
 */
export function makeFolders(path: string): string | undefined {
  const missing: string[] = [];
  for (let folder = resolve(path); !isFolder(folder); folder = dirname(folder))
    missing.unshift(folder);
  const made: string[] = [];
  try {
    for (const folder of missing) if (makeOne(folder)) made.unshift(folder);
  } catch (error) {
    for (const folder of made) quietly(() => rmdirSync(folder));
    throw error;
  }
  return made.at(-1);
}

/** @throws where the path cannot be looked at, as a file stands in its way */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** @returns whether it was made here: another process may make the same one at the same time */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST" && isFolder(path)) return false;
    throw error;
  }
}
