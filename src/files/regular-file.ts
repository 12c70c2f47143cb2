/**
 * @file Opening what ought to be a file. A FIFO, for one, would hold up whoever opens it until somebody
 * writes to it, deaf to Ctrl-C.
 */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { withCleanup } from "../core/cleanup.ts";
import { codeOf, StoreError } from "../core/errors.ts";

/** Nothing is there: no name, a link to nothing, or one that leads back to itself. */
const NOTHING = new Set(["ENOENT", "ELOOP"]);

/** Without waiting for somebody at the other end; of a file it makes no difference. */
const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file for reading.
 * @returns its descriptor, which the caller closes; null where there is none
 * @throws StoreError, exit code 2, where something else is there (a folder, a FIFO, a socket, a device)
 * @throws the operating system's error where it cannot be opened
 */
export function openRegularFile(path: string): number | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, READ_AT_ONCE);
  } catch (error) {
    return notOpened(path, error);
  }
  const status = fstatSync(descriptor);
  if (status.isFile()) return descriptor;
  closeSync(descriptor);
  throw noFile(path, kindOf(status));
}

/** The same, as a handle. */
export async function openRegularHandle(path: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ_AT_ONCE);
  } catch (error) {
    return notOpened(path, error);
  }
  const status = await handle.stat();
  if (status.isFile()) return handle;
  await handle.close();
  throw noFile(path, kindOf(status));
}

/** null where nothing is there. */
function notOpened(path: string, error: unknown): null {
  const code = codeOf(error) ?? "";
  if (NOTHING.has(code)) return null;
  if (code === "ENXIO" || code === "EOPNOTSUPP") throw noFile(path, "a socket");
  throw error;
}

/** All of a file, or null where there is none; throws as openRegularFile does. */
export function readRegularFile(path: string): Buffer | null {
  const descriptor = openRegularFile(path);
  if (descriptor === null) return null;
  return withCleanup(
    () => readFileSync(descriptor),
    () => closeSync(descriptor),
  );
}

/** Bytes of a file; null where there is none; throws as openRegularFile does. */
export function sizeOfRegularFile(path: string): number | null {
  let status: Stats;
  try {
    status = statSync(path);
  } catch (error) {
    return notOpened(path, error);
  }
  if (!status.isFile()) throw noFile(path, kindOf(status));
  return status.size;
}

const kindOf = (status: Stats) =>
  status.isDirectory()
    ? "a folder"
    : status.isFIFO()
      ? "a FIFO"
      : status.isSocket()
        ? "a socket"
        : "a device";

const noFile = (path: string, kind: string) =>
  new StoreError(`${path}: is ${kind}, where a file should be; remove it and run again`, {
    exitCode: 2,
  });
