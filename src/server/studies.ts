/**
 * @file The studies that a server shows: run directories in some folders, each by an id that is no path. A page asks
 * for them every other second; so what was read of a folder is kept until the folder changes.
 */

import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ServedStudy } from "../record/index.ts";
import { DEEPEST, foldersWithin, hasRecord, leaseHolder } from "../store/index.ts";
import { describeRun } from "../study/runs/index.ts";
import { fileVersion } from "./follow-study.ts";

export interface Studies {
  /** Newest first, damaged ones last. */
  list(): ServedStudy[];
  /** Where a study lies; null for an id that is none of a study here. */
  pathOf(id: string): string | null;
  /** Of the study that was changed last; null where there is none. */
  latest(): { readonly id: string; readonly path: string } | null;
}

/** Milliseconds within which a folder may change twice and have one time of change. */
const TICK = 2000;

/** Describing a study that is at work takes at most this part of the time. */
const SHARE = 1 / 20;

/** Names a run directory without naming its place. */
export const studyId = (path: string): string =>
  createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);

/** The runs in the folders and those within them. */
export function studiesIn(folders: readonly string[]): Studies {
  const within = keptBy(foldersWithin);
  const described = new Map<string, Described>();
  let byId = new Map<string, string>();
  const runsIn = (folder: string, depth = 0): string[] => {
    if (hasRecord(folder)) return [folder];
    if (depth === DEEPEST) return [];
    return within(folder).flatMap((name) => runsIn(join(folder, name), depth + 1));
  };
  const look = (): string[] => {
    const paths = [...new Set(folders.flatMap((folder) => runsIn(resolve(folder))))];
    byId = new Map(paths.map((path) => [studyId(path), path]));
    for (const path of described.keys()) if (!byId.has(studyId(path))) described.delete(path);
    return paths;
  };
  return {
    list: () =>
      look()
        .flatMap((path) => {
          const found = describe(path, described.get(path));
          if (!found) return [];
          described.set(path, found);
          return [found.study];
        })
        .sort((a, b) => ((a.about?.created ?? "") < (b.about?.created ?? "") ? 1 : -1)),
    latest() {
      const [path] = look().sort((a, b) => timeOf(b) - timeOf(a));
      return path === undefined ? null : { id: studyId(path), path };
    },
    pathOf(id) {
      const path = byId.get(id);
      if (path !== undefined && hasRecord(path)) return path;
      look();
      return byId.get(id) ?? null;
    },
  };
}

interface Described {
  readonly study: ServedStudy;
  /** Of the folder, as it was before; "": it may have changed since. */
  readonly version: string;
  /** What of it is looked at each time. */
  readonly state: string;
  /** By `performance.now()`. */
  readonly at: number;
  readonly took: number;
}

/**
 * A study as it is. Whoever changes one holds its lease, a file of the folder, and so changes the folder's own time;
 * until then nothing in it is looked at. Of one that is at work each file may have grown.
 * @returns null where it was deleted since its folder was seen
 */
function describe(path: string, before: Described | undefined): Described | null {
  const at = performance.now();
  try {
    const state = `${lookedAt(path)} ${versionOfFile(join(path, "notes.json"))}`;
    const isSame =
      before?.state === state &&
      (before.version === ""
        ? at - before.at < before.took / SHARE
        : before.version === versionOf(path));
    if (isSame) return before;
    const version = state.startsWith("at rest") ? versionOf(path) : "";
    const { path: _, ...run } = describeRun(path);
    const study = { ...run, id: studyId(path) };
    return { study, version, state, at, took: performance.now() - at };
  } catch {
    return null;
  }
}

/** A lease that cannot be read is the description's to tell. */
function lookedAt(path: string): string {
  try {
    return isAtWork(path) ? "at work" : "at rest";
  } catch {
    return "unknown";
  }
}

/** "": there is none. */
function versionOfFile(file: string): string {
  const found = lstatSync(file, { throwIfNoEntry: false });
  return found ? fileVersion(found) : "";
}

const timeOf = (file: string) => lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** "": what it says would not tell two folders apart. */
function versionOf(path: string): string {
  const [folder, record] = [path, join(path, "experiment.json")].map((each) =>
    lstatSync(each, { throwIfNoEntry: false }),
  );
  if (!folder || !record || Date.now() - folder.mtimeMs < TICK) return "";
  return `${folder.ino} ${folder.mtimeMs} ${record.size} ${record.mtimeMs}`;
}

/** What was read of a folder, until another file is in it. */
function keptBy<T>(read: (folder: string) => T): (folder: string) => T {
  const kept = new Map<string, { readonly mtime: number; readonly value: T }>();
  return (folder) => {
    const mtime = timeOf(folder);
    const found = kept.get(folder);
    if (found?.mtime === mtime) return found.value;
    const value = read(folder);
    if (Date.now() - mtime > TICK) kept.set(folder, { mtime, value });
    else kept.delete(folder);
    return value;
  };
}

/** "running" while a process is at work in the folder. */
export const isAtWork = (path: string): boolean => leaseHolder(path) !== null;
