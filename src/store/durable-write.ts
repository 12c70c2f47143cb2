/**
 * @file The three ways the store touches a disk: replace a whole file, append a whole line, make a
 * folder. A reader never sees half of a file; a line is either there whole or not at all.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { quietly, withCleanup, withCleanupLater } from "../core/cleanup.ts";
import { codeOf, LrscopeError, StoreError } from "../core/errors.ts";
import { makeFolders } from "../files/make-folders.ts";
import { readRegularFile } from "../files/regular-file.ts";
import { temporaryFor } from "../files/temporaries.ts";

/** The disk, the quota or the allowed size of a file is used up. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOTDIR: "part of the path is a file, not a folder",
  EEXIST: "a file of that name is in the way",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "it does not exist",
  EISDIR: "it is a folder",
  EIO: "the disk reports an error (EIO)",
  ESTALE: "the network disk no longer knows it (ESTALE)",
  ENOTCONN: "the network disk is not connected",
  ETIMEDOUT: "the network disk does not answer",
  EHOSTDOWN: "the network disk does not answer",
  ENODEV: "the disk is gone",
  ENXIO: "the disk is gone",
  EMFILE: "too many open files",
};

const REMEDIES: Readonly<Record<string, string>> = {
  EROFS:
    "Make it writable again (a disk that turns read-only of itself may be failing: see the system's log), or write elsewhere with --out",
  ENOENT: "Bring it back, or write elsewhere with --out",
  EIO: "See the system's log, or write elsewhere with --out",
  ESTALE: "Mount it again, or write elsewhere with --out",
};

/** What the operating system's error means, for people. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return REASONS[code] ?? code;
}

/** The StoreError for a write that failed; `kept` says what is still there. */
export function writeFailure(file: string, error: unknown, kept: string): StoreError {
  if (error instanceof LrscopeError) return error as StoreError;
  if (FULL.has(codeOf(error) ?? "")) {
    return new StoreError(
      `${file}: the disk is full (${codeOf(error)}), so it could not be written; ${kept}. ` +
        "Free some space, or write elsewhere with --out",
      { exitCode: 1, cause: error },
    );
  }
  const reason =
    codeOf(error) === "ENOENT"
      ? "its folder is gone (moved, removed, or on a disk that was taken away)"
      : reasonOf(error);
  const remedy = REMEDIES[codeOf(error) ?? ""];
  return new StoreError(
    `${file}: cannot be written: ${reason}; ${kept}${remedy ? `. ${remedy}` : ""}`,
    { exitCode: 1, cause: error },
  );
}

/** What only a file system can be at fault for, wherever in lrscope it is met. */
const OF_THE_DISK = new Set([
  ...FULL,
  ...["EROFS", "EIO", "ESTALE", "ENOTCONN", "ENODEV", "ENXIO", "EMFILE", "ENFILE"],
]);

/** The StoreError that says what the disk did, for an error that nobody expected; null for any other. */
export function diskFailure(error: unknown): StoreError | null {
  if (error instanceof LrscopeError || !OF_THE_DISK.has(codeOf(error) ?? "")) return null;
  const { path, dest, syscall } = error as NodeJS.ErrnoException & { dest?: string };
  const subject = dest ?? path ?? `the disk (${syscall})`;
  return writeFailure(subject, error, "what was recorded before is kept");
}

/** What a file that cannot be replaced leaves. */
const KEPT = "its earlier content, and all other files of the run, are kept";

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/**
 * Replace a file: temporary name in the same folder, fsync, rename, fsync of the folder.
 * Whatever goes wrong, the file is as before and the temporary one is gone.
 * @throws StoreError, exit code 1
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
  // Of a length that does not grow with the name's own, which may be as long as names can be.
  const temporary = temporaryFor(join(dirname(file), ".whole"));
  place(temporary, file, () => {
    const descriptor = openSync(temporary, "w");
    withCleanup(
      () => {
        writeWhole(descriptor, typeof content === "string" ? Buffer.from(content) : content);
        fsyncSync(descriptor);
      },
      () => closeSync(descriptor),
    );
  });
}

/**
 * Gives a file that is whole, and on the disk, its final name; it lies in the same file system. Whatever goes wrong,
 * what had that name is as before and the other one is gone.
 * @throws StoreError, exit code 1
 */
export const placeFile = (temporary: string, file: string): void =>
  place(temporary, file, () => undefined);

/**
 * The same as replaceFile of content that comes in parts, each the writer's own until the next is asked for.
 * @throws StoreError, exit code 1; what the parts throw on lrscope's account as it is
 */
export async function replaceFileInParts(
  file: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<void> {
  placeFile(await writeParts(file, parts), file);
}

/**
 * Writes parts to a temporary file beside `file`, which is not touched, and waits for the disk.
 * @returns its path
 * @throws as replaceFileInParts; the temporary file is then gone
 */
export async function writeParts(file: string, parts: AsyncIterable<Uint8Array>): Promise<string> {
  const path = temporaryFor(join(dirname(file), ".whole"));
  try {
    makeFolder(dirname(file));
    const descriptor = openSync(path, "w");
    await withCleanupLater(
      async () => {
        for await (const part of parts) writeWhole(descriptor, part);
        fsyncSync(descriptor);
      },
      () => closeSync(descriptor),
    );
    return path;
  } catch (error) {
    quietly(() => rmSync(path, { force: true }));
    throw writeFailure(file, error, KEPT);
  }
}

/** @param write fills the temporary file, in a folder that is there */
function place(temporary: string, file: string, write: () => void): void {
  try {
    makeFolder(dirname(file));
    write();
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (error) {
    quietly(() => rmSync(temporary, { force: true }));
    throw writeFailure(file, error, KEPT);
  }
}

/**
 * Append one line. A line that does not fit is taken back, so that the file ends with the last whole
 * one. `durable` waits for the disk.
 * @throws StoreError, exit code 1
 */
export function appendLine(file: string, line: string, options: { durable: boolean }): void {
  try {
    const descriptor = openSync(file, "a");
    withCleanup(
      () => {
        const before = fstatSync(descriptor).size;
        try {
          writeWhole(descriptor, Buffer.from(`${line}\n`));
          if (options.durable) fsyncSync(descriptor);
        } catch (error) {
          // A reader passes over an unfinished last line, too.
          quietly(() => ftruncateSync(descriptor, before));
          throw error;
        }
      },
      () => closeSync(descriptor),
    );
  } catch (error) {
    throw writeFailure(
      file,
      error,
      "the lines before it, and all other files of the run, are kept",
    );
  }
}

/** Takes away what a process that died while it wrote has left behind the last whole line: the next would join it. */
export function dropTornLine(file: string): void {
  const bytes = existsSync(file) ? readRegularFile(file) : null;
  if (!bytes) return;
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) truncateSync(file, whole);
}

/** A folder and its parents. @throws StoreError, exit code 1 */
export function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    throw writeFailure(path, error, "what was recorded before is kept");
  }
}

/** Makes a rename last; where folders cannot be synced (some network disks), the rename stands alone. */
function syncFolder(path: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    fsyncSync(descriptor);
  } catch (error) {
    if (FULL.has(codeOf(error) ?? "")) throw error;
  } finally {
    const opened = descriptor;
    if (opened !== undefined) quietly(() => closeSync(opened));
  }
}
