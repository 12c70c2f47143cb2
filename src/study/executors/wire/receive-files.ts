/**
 * @file Files that come over the wire one after another, as one stream: what a connection that broke has brought stays,
 * and every file is checked before it has its name.
 */

import { createHash } from "node:crypto";
import { createReadStream, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError } from "../../../core/errors.ts";
import { storageError } from "../../../datasets/storage-errors.ts";
import { pathOfName } from "../../../files/file-names.ts";
import { makeFolders } from "../../../files/make-folders.ts";
import type { Wire } from "./client.ts";
import type { FolderList } from "./sent-files.ts";

/** Milliseconds before a connection that broke is made anew; twice as many each time where it brought nothing. */
const AGAIN = 200;
const LONGEST = 5000;
/** So often, one after another, a connection may break before it has brought a byte: most of a minute. */
const MOST_IDLE = 12;
/** So often a file may come with other bytes than were promised. */
const TRIES = 3;

export type SentFile = FolderList["files"][number];

export interface WantedFiles {
  readonly folder: string;
  /** In the order in which they come. */
  readonly files: readonly SentFile[];
  /** What can be done where other bytes come than were promised, again and again. */
  readonly remedy: string;
}

const placeOf = (folder: string, { name }: SentFile) => join(folder, name);
const sizeOf = (path: string) => statSync(pathOfName(path), { throwIfNoEntry: false })?.size;
const partOf = (path: string) => `${path}.part`;

/**
 * All that is not there, from where the last connection broke off; no more of it than was promised.
 * @throws DataError where other bytes come than were promised, or none; StoreError where the disk is full, or fails
 */
export const receiveFiles = (wire: Wire, path: string, wanted: WantedFiles): Promise<void> =>
  receiveAll(wire, path, wanted).catch((error) => {
    throw storageError(error, wanted.folder);
  });

async function receiveAll(wire: Wire, path: string, wanted: WantedFiles): Promise<void> {
  for (let [wrong, idle] = [0, 0]; ; ) {
    const missing = firstMissing(wanted);
    if (missing === null) return;
    let received = 0;
    try {
      await receive(wire, path, wanted, missing, (bytes) => {
        received += bytes;
      });
    } catch (error) {
      if (!(error instanceof WrongBytes)) {
        // The connection broke in the middle, and is taken up where it did.
        if (!(error instanceof TypeError)) throw error;
        idle = received > 0 ? 0 : idle + 1;
        if (idle === MOST_IDLE) throw nothingCame(wanted, missing, error);
        const wait = Math.min(AGAIN * 2 ** Math.max(0, idle - 1), LONGEST);
        await new Promise((resolve) => setTimeout(resolve, wait));
        continue;
      }
      idle = 0;
      if (++wrong === TRIES)
        throw new DataError(
          `${error.message}, ${TRIES} times: it changed there since the study began, or is damaged on its way; ${wanted.remedy}`,
          { exitCode: 1 },
        );
    }
  }
}

class WrongBytes extends Error {}

const nothingCame = ({ files }: WantedFiles, { index }: Position, { message, cause }: TypeError) =>
  new DataError(
    `${files[index]?.name}: must come from where the study was begun, and ${MOST_IDLE} connections for it broke before they had brought a byte (${cause instanceof Error ? cause.message : message}); see whether the file can still be read there, and whether what lies between lets long answers through. The worker tries again after a while`,
    { exitCode: 1 },
  );

interface Position {
  /** Of the first file that is not whole. */
  readonly index: number;
  /** Bytes before it, in all. */
  readonly before: number;
}

function firstMissing({ folder, files }: WantedFiles): Position | null {
  let before = 0;
  for (const [index, file] of files.entries()) {
    // A file has its name once it was checked.
    if (sizeOf(placeOf(folder, file)) !== file.bytes) return { index, before };
    before += file.bytes;
  }
  return null;
}

async function receive(
  wire: Wire,
  path: string,
  { folder, files }: WantedFiles,
  { index, before }: Position,
  came: (bytes: number) => void,
): Promise<void> {
  const first = files[index] as SentFile;
  const begun = Math.min(sizeOf(partOf(placeOf(folder, first))) ?? 0, first.bytes);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const from = before + begun;
  const parts = from === total ? [] : bytesOf(await wire.fetch(path, from));
  let next = index;
  let writing = await startFile(folder, first, begun);
  const finishWhole = async () => {
    while (writing.left === 0) {
      await finishFile(writing);
      const file = files[++next];
      if (!file) return false;
      // One that is there from before is received again: it lies behind one that is not.
      writing = await startFile(folder, file, 0);
    }
    return true;
  };
  try {
    if (!(await finishWhole())) return;
    for await (const part of parts) {
      came(part.length);
      for (let at = 0; at < part.length; ) {
        const piece = part.subarray(at, at + writing.left);
        await writing.handle.writeFile(piece);
        writing.hash.update(piece);
        writing.left -= piece.length;
        at += piece.length;
        if (!(await finishWhole())) return;
      }
    }
  } finally {
    await writing.handle.close().catch(() => undefined);
  }
  throw new TypeError("the connection ended early");
}

const bytesOf = (response: Response) => response.body as unknown as AsyncIterable<Uint8Array>;

async function startFile(folder: string, file: SentFile, begun: number) {
  const path = placeOf(folder, file);
  makeFolders(dirname(path));
  const part = partOf(path);
  const hash = createHash("sha256");
  if (begun > 0)
    for await (const bytes of createReadStream(pathOfName(part), { end: begun - 1 }))
      hash.update(bytes);
  const handle = await open(pathOfName(part), begun > 0 ? "a" : "w");
  // What another list of files once promised may have been longer.
  await handle.truncate(begun);
  return { file, path, part, handle, hash, left: file.bytes - begun };
}

async function finishFile({
  file,
  path,
  part,
  handle,
  hash,
}: Awaited<ReturnType<typeof startFile>>): Promise<void> {
  await handle.sync();
  await handle.close();
  if (hash.digest("hex") !== file.sha256) {
    rmSync(pathOfName(part), { force: true });
    throw new WrongBytes(`${file.name}: other bytes came than were promised`);
  }
  renameSync(pathOfName(part), pathOfName(path));
}
