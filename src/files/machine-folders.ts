/** @file The folders of this machine that errors name, and what stands for them where that is read elsewhere. */

import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type KnownFolder, withoutPaths } from "../core/without-paths.ts";

/** Two folders up, in src/ as in dist/. */
const INSTALLED = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Text for records and reports: of this machine's paths, the last part is left. Those within lrscope, and
 * within the run directory where that is given, are told from there on.
 */
export function shareable(text: string, runDirectory?: string): string {
  const known: KnownFolder[] = [
    ...(runDirectory === undefined
      ? []
      : [{ path: resolve(runDirectory), name: "the run directory", prefix: "" }]),
    { path: INSTALLED, name: "<lrscope>", prefix: "<lrscope>/" },
    { path: resolve("."), name: "." },
    { path: tmpdir(), name: "<tmp>" },
    { path: homedir(), name: "~" },
  ];
  return withoutPaths(text, known.flatMap(withRealPath));
}

/** An error may name either: /tmp is /private/tmp on macOS, and a home folder may be a link. */
function withRealPath(folder: KnownFolder): KnownFolder[] {
  try {
    return [folder, { ...folder, path: realpathSync(folder.path) }];
  } catch {
    return [folder];
  }
}
