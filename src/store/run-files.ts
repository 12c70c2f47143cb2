/** @file Which folders are run directories, which of their files lrscope wrote, and how much these take. */

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readRegularFile } from "../files/regular-file.ts";
import { isLeftover } from "./sweep.ts";

/** As little as tells a record of lrscope's from whatever else is called experiment.json. */
const identity = z.looseObject({
  formatVersion: z.number(),
  kind: z.enum(["demo", "find", "train", "compare"]),
  lrscope: z.string(),
});

/** Folders within folders that are looked into for run directories. */
export const DEEPEST = 4;

/** Whether the folder holds a record of lrscope's, whole or damaged further on. Links are none. */
export function isRunFolder(path: string): boolean {
  try {
    if (!lstatSync(path).isDirectory()) return false;
    const text = readRegularFile(join(path, "experiment.json"));
    return text !== null && identity.safeParse(JSON.parse(String(text))).success;
  } catch {
    return false;
  }
}

/** Whether it has a file of the record's name, be that what it may. */
export function hasRecord(path: string): boolean {
  try {
    return lstatSync(join(path, "experiment.json")).isFile();
  } catch {
    return false;
  }
}

/** Paths of the folders that have an experiment.json, in a folder and those within it; itself, where it is one. */
export function runFolders(folder: string, depth = 0): string[] {
  if (hasRecord(folder)) return [folder];
  if (depth === DEEPEST) return [];
  return foldersWithin(folder).flatMap((name) => runFolders(join(folder, name), depth + 1));
}

/** Names of the folders in which runs may lie, sorted; none where it cannot be read. */
export function foldersWithin(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/** Relative paths that lrscope writes in a run directory; temporary names beside them are its own, too. */
const WRITTEN: readonly RegExp[] = [
  /^(experiment|plan|summary|derived|confusions|samples|range-test|notes|workers)\.json$/,
  /^(report\.html|metrics\.csv|(steering|pruning)\.jsonl)$/,
  /^figures\/[^/]+\.(svg|png)$/,
  /^range-tests\/([^/]+\.(json|log)|seeds\/(\d+|search)\.json)$/,
  /^tasks\/([^/]+\.json|slurm\/[^/]+\.(json|deaths|out))$/,
  /^tensorboard\/.*events\.out\.tfevents[^/]*$/,
  /^trials\/[^/]+\/(trial\.json|metrics\.jsonl|log\.txt|(best|last|averaged)\.safetensors)$/,
  /^trials\/[^/]+\/checkpoints\/epoch-\d+\.(json|safetensors)$/,
];

export interface FilesOfRun {
  /** Of all files that lrscope wrote. */
  readonly bytes: number;
  /** Of the weights among them, those of checkpoints included. */
  readonly weightBytes: number;
  /** Relative paths of what it did not write, folders left out. */
  readonly foreign: readonly string[];
}

/** Looks at every file of a run directory; follows no link. */
export function filesOfRun(path: string): FilesOfRun {
  let [bytes, weightBytes] = [0, 0];
  const foreign: string[] = [];
  const look = (within: string) => {
    for (const entry of readdirSync(join(path, within), { withFileTypes: true })) {
      const name = within === "" ? entry.name : `${within}/${entry.name}`;
      if (entry.isDirectory() && !isLeftover(entry.name)) {
        look(name);
        continue;
      }
      const own = isLeftover(entry.name) || WRITTEN.some((pattern) => pattern.test(name));
      if (!own || entry.isSymbolicLink()) foreign.push(name);
      else {
        // It may be gone since the folder was read: a run that goes on replaces its files.
        const size = lstatSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0;
        bytes += size;
        if (name.endsWith(".safetensors")) weightBytes += size;
      }
    }
  };
  look("");
  return { bytes, weightBytes, foreign };
}
