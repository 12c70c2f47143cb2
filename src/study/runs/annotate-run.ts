/** @file What people do with a run: say something of it, give it tags or another name, delete it. */

import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ArgumentError, codeOf, StoreError } from "../../core/errors.ts";
import {
  acquireLease,
  filesOfRun,
  hasRecord,
  isRunFolder,
  openRunDirectory,
  type RunNotes,
  readRecord,
  runNotes,
  writeFailure,
} from "../../store/index.ts";

const FILE = "notes.json";

/** What was said of a run. @throws StoreError, exit code 2, where the file is damaged */
export function readNotes(path: string): RunNotes {
  const file = join(path, FILE);
  return existsSync(file) ? readRecord(file, runNotes) : { formatVersion: 1, note: "", tags: [] };
}

export interface Annotation {
  /** Takes the place of the note before; "": there is none any more. */
  readonly note?: string | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
}

/**
 * Says something of a run, in notes.json of its folder. A run that is under way may be spoken of, too.
 * @throws StoreError, exit code 2, for a folder that is no run
 * @throws ArgumentError for a tag that is empty or has a comma or space in it, or a tag that is not there
 */
export function annotateRun(path: string, { note, addTags = [], removeTags = [] }: Annotation) {
  checkRun(path);
  const before = readNotes(path);
  for (const tag of addTags)
    if (!/^[^\s,]+$/.test(tag))
      throw new ArgumentError(
        `runs: a tag must be one word without commas; got ${JSON.stringify(tag)}`,
      );
  for (const tag of removeTags)
    if (!before.tags.includes(tag))
      throw new ArgumentError(
        `runs: ${path} has no tag "${tag}"; it has ${before.tags.join(", ") || "none"}`,
      );
  const tags = [...new Set([...before.tags, ...addTags])].filter(
    (tag) => !removeTags.includes(tag),
  );
  const after: RunNotes = { formatVersion: 1, note: note ?? before.note, tags };
  const directory = openRunDirectory(path);
  if (after.note === "" && tags.length === 0) directory.remove(FILE);
  else directory.writeText(FILE, `${JSON.stringify(after, null, 2)}\n`);
  return after;
}

/**
 * Gives a run's folder another name beside its own.
 * @returns its new path
 * @throws ArgumentError for a name that is a path or is taken
 * @throws StoreError, exit code 2, for a folder that is no run, or that a process is working in
 */
export async function renameRun(path: string, name: string): Promise<string> {
  checkRun(path);
  if (name.trim() === "" || basename(name) !== name || name.startsWith("."))
    throw new ArgumentError(
      `runs: a new name must be that of a folder beside the old one, no path, and not begin with a dot; got ${JSON.stringify(name)}`,
    );
  const target = join(dirname(resolve(path)), name);
  if (lstatSync(target, { throwIfNoEntry: false }))
    throw new ArgumentError(`runs: ${target} is there already; choose another name`);
  // Refused while a process works in it; given back at once, as its file goes where the folder goes.
  (await acquireLease(path)).release();
  try {
    renameSync(path, target);
  } catch (error) {
    throw writeFailure(target, error, "the run is where it was");
  }
  return target;
}

/**
 * Deletes a run: every file that lrscope wrote, and its folders. Its record goes last, so that what a crash
 * leaves is still a run that can be deleted.
 * @returns bytes that it took
 * @throws StoreError, exit code 2, for a folder that is no run of lrscope's or holds other files as well, which are
 *   named, or that a process is working in; then nothing is deleted
 */
export async function deleteRun(path: string): Promise<number> {
  checkRun(path);
  const { bytes, foreign } = filesOfRun(path);
  if (foreign.length > 0)
    throw new StoreError(
      `${path}: is not deleted, as it holds what lrscope did not write (${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? ` and ${foreign.length - 3} more` : ""}); move that away first`,
      { exitCode: 2 },
    );
  const lease = await acquireLease(path);
  try {
    for (const name of readdirSync(path))
      if (name !== "experiment.json" && name !== "lock")
        rmSync(join(path, name), { recursive: true });
    rmSync(join(path, "experiment.json"));
  } catch (error) {
    throw writeFailure(path, error, "what could not be deleted is still there");
  } finally {
    lease.release();
  }
  try {
    rmdirSync(path);
  } catch (error) {
    // Whoever has put something into it by now goes on with it.
    if (codeOf(error) !== "ENOTEMPTY")
      throw writeFailure(path, error, "its records are deleted, and the folder is still there");
  }
  return bytes;
}

/** @throws StoreError, exit code 2, for what is no run of lrscope's */
function checkRun(path: string): void {
  if (isRunFolder(path)) return;
  const why = !existsSync(path)
    ? "there is no such folder"
    : lstatSync(path).isSymbolicLink()
      ? "is a link; name the folder that it leads to"
      : hasRecord(path)
        ? "its experiment.json is not one of lrscope's, or is damaged beyond telling"
        : "is not a run directory (it has no experiment.json)";
  throw new StoreError(`${path}: ${why}`, { exitCode: 2 });
}
