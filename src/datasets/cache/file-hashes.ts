/**
 * @file Hashes of a folder's files, beside what the file system says of each, so that a folder of many gigabytes is
 * read whole once and not whenever it is opened. A file counts as the one that was hashed while its size, its times
 * of change, its number and its disk are the same; the time of status change cannot be set by a program.
 */

import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readRegularFile } from "../../files/regular-file.ts";
import { writeWholeFile } from "./whole-file.ts";

/** What was found out by reading a file. */
export interface ReadFile {
  /** SHA-256, base64. */
  readonly digest: string;
  readonly size: number;
  /** Whether it holds several pictures. */
  readonly isSeveral: boolean;
}

export interface FileHashes {
  /** What was read of it; undefined where it was never hashed, or may have changed since. */
  known(file: string, status: BigIntStats): ReadFile | undefined;
  /** @param status as it was before and after the file was read */
  add(file: string, status: BigIntStats, read: ReadFile): void;
  /** Writes what was added, of the folder's present files. A cache that cannot be written is no reason to stop. */
  write(files: readonly string[]): Promise<void>;
}

export interface FileHashesOptions {
  readonly cacheDir: string;
  /** Milliseconds since 1970, as the file system's clock has them; default the machine's. */
  readonly now?: () => number;
}

/**
 * Milliseconds: a file that was changed more recently may be changed again without another time to show for it, as
 * some file systems count whole seconds, and FAT two.
 */
const SETTLED = 2000;

const entry = z.tuple([z.string(), z.string(), z.number(), z.boolean()]);
type Entry = z.infer<typeof entry>;
const record = z.strictObject({
  formatVersion: z.literal(1),
  /** Of the folder. */
  path: z.string(),
  /** By a file's name in the folder: how it was told, digest, size, whether it holds several pictures. */
  files: z.record(z.string(), entry),
});

/** With who asks: another user may not be allowed to read it. */
const identity = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [process.getuid?.() ?? 0, dev, ino, size, mtimeNs, ctimeNs]
    .map((value) => value.toString(36))
    .join(" ");

/** Of a folder, by its path. */
export function openFileHashes(
  root: string,
  { cacheDir, now = Date.now }: FileHashesOptions,
): FileHashes {
  const path = resolve(root);
  const name = createHash("sha256").update(path).digest("hex").slice(0, 24);
  const place = join(cacheDir, "hashes", `${name}.json`);
  const entries = new Map<string, Entry>(Object.entries(readEntries(place, path)));
  const opened = now();
  let isChanged = false;
  return {
    known(file, status) {
      const found = entries.get(file);
      if (found === undefined || found[0] !== identity(status)) return undefined;
      const [, digest, size, isSeveral] = found;
      return { digest, size, isSeveral };
    },
    add(file, status, { digest, size, isSeveral }) {
      if (Number(status.ctimeNs / 1_000_000n) > opened - SETTLED) return;
      entries.set(file, [identity(status), digest, size, isSeveral]);
      isChanged = true;
    },
    async write(files) {
      if (!isChanged) return;
      try {
        const present = files.flatMap((file) => {
          const found = entries.get(file);
          return found === undefined ? [] : [[file, found] as const];
        });
        const text = JSON.stringify({ formatVersion: 1, path, files: Object.fromEntries(present) });
        const bytes = Buffer.from(`${sumOf(text)}\n${text}`);
        await writeWholeFile(place, (write) => write(bytes, 0));
      } catch {
        // They are read again next time.
      }
    },
  };
}

const sumOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** Nothing where there is none, or a damaged one. */
function readEntries(place: string, path: string): Readonly<Record<string, Entry>> {
  try {
    const whole = readRegularFile(place)?.toString("utf8") ?? "";
    const end = whole.indexOf("\n");
    const text = whole.slice(end + 1);
    if (end < 0 || whole.slice(0, end) !== sumOf(text)) return {};
    const found = record.parse(JSON.parse(text));
    return found.path === path ? found.files : {};
  } catch {
    return {};
  }
}
