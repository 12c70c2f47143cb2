/** @file The studies that a server shows: run directories in some folders, each by an id that is no path. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ServedStudy } from "../record/index.ts";
import { leaseHolder, runFolders } from "../store/index.ts";
import { describeRun } from "../study/runs/index.ts";

export interface Studies {
  /** Newest first, damaged ones last. */
  list(): ServedStudy[];
  /** Where a study lies; null for an id that is none of a study here. */
  pathOf(id: string): string | null;
}

/** Names a run directory without naming its place. */
export const studyId = (path: string): string =>
  createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);

/** The runs in the folders and those within them. */
export function studiesIn(folders: readonly string[]): Studies {
  const paths = () => [
    ...new Set(
      folders
        .filter((folder) => existsSync(folder))
        .flatMap((folder) => runFolders(resolve(folder))),
    ),
  ];
  const pathOf = (id: string) => paths().find((path) => studyId(path) === id) ?? null;
  return {
    list: () =>
      paths()
        .flatMap(listed)
        .sort((a, b) => ((a.about?.created ?? "") < (b.about?.created ?? "") ? 1 : -1)),
    pathOf,
  };
}

function listed(path: string): ServedStudy[] {
  try {
    const { path: _, ...run } = describeRun(path);
    return [{ ...run, id: studyId(path) }];
  } catch {
    // It was deleted since its folder was seen.
    return [];
  }
}

/** "running" while a process is at work in the folder. */
export const isAtWork = (path: string): boolean => leaseHolder(path) !== null;
