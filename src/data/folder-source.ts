/** @file A folder of class folders, or train/ and validation parts of them. */

import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DataError } from "../core/errors.ts";
import { decodeImages } from "./decode.ts";
import { leadsBack, listEntries, listFiles } from "./folder-listing.ts";
import {
  type BrokenItem,
  type DecodedChunk,
  type DecodeSettings,
  type Source,
  TRAIN,
  throwIfInterrupted,
  VALIDATION,
} from "./source.ts";

/** Names that a validation part goes by; the first that exists beside train/ is taken. */
const validationNames = ["val", "validation", "valid", "test"];

const imageEnding = /\.(jpe?g|png|webp|gif|tiff?|bmp|avif|heic)$/i;

/**
 * @param path a folder that exists
 * @param name what records call it; the folder's own name by default
 * @throws DataError when it holds no class folders, or only one
 */
export function folderSource(path: string, name = basename(resolve(path))): Source {
  const root = resolve(path);
  const layout = findLayout(root, name);
  const classes = classesOf(root, name, layout.train);
  const files: string[] = [];
  const labels: number[] = [];
  const parts: number[] = [];
  const collect = (folder: string, part: number) => {
    for (const [label, className] of classes.entries()) {
      const relative = folder === "" ? className : `${folder}/${className}`;
      const present = folder === layout.train || folderExists(root, folder, className);
      for (const file of present ? listFiles(root, relative) : []) {
        files.push(file);
        labels.push(label);
        parts.push(part);
      }
    }
  };
  collect(layout.train, TRAIN);
  if (layout.validation !== null) {
    checkKnownClasses(root, name, layout.validation, classes);
    collect(layout.validation, VALIDATION);
  }
  if (files.length === 0)
    throw new DataError(
      `${name}: its ${classes.length} class folders (${classes.slice(0, 3).join(", ")}${classes.length > 3 ? ", ..." : ""}) hold no files; put images into them`,
    );
  return {
    name,
    classes,
    channels: 3,
    defaultSize: 128,
    augmentation: "photos",
    labels: Int32Array.from(labels),
    parts: layout.validation === null ? null : Uint8Array.from(parts),
    fingerprint: (items, signal) => hashFiles(root, items, files, signal),
    decode: (items, settings) => decodeFolder(root, items, files, settings),
  };
}

/** Where the class folders are: in the folder itself, or in train/ and a validation part. */
function findLayout(root: string, name: string): { train: string; validation: string | null } {
  const { files, folders } = listEntries(root);
  if (files.length === 0 && folders.length === 0)
    throw new DataError(`${name}: the folder is empty; put one folder of images per class into it`);
  if (folders.includes("train")) {
    const validation = validationNames.find((candidate) => folders.includes(candidate));
    if (validation !== undefined) return { train: "train", validation };
  }
  if (folders.length === 0) {
    const images = files.filter((file) => imageEnding.test(file)).length;
    throw new DataError(
      images > 0
        ? `${name}: ${images} images but no class folders; move the images of each class into a folder named after it`
        : `${name}: no class folders; put one folder of images per class into it`,
    );
  }
  return { train: "", validation: null };
}

function classesOf(root: string, name: string, part: string): string[] {
  const inside = join(root, part);
  const classes = listEntries(inside).folders.filter((folder) => !leadsBack(inside, folder));
  const where = part === "" ? name : `${name}/${part}`;
  if (classes.length === 0) throw new DataError(`${where}: no class folders`);
  if (classes.length === 1) {
    const only = classes[0]!;
    const nested = listEntries(join(inside, only)).folders.length > 1;
    throw new DataError(
      `${where}: one class folder ("${only}"); at least two classes are needed${nested ? `, or was ${where}/${only} meant?` : ""}`,
    );
  }
  return classes;
}

const folderExists = (root: string, part: string, className: string) =>
  listEntries(join(root, part)).folders.includes(className);

function checkKnownClasses(root: string, name: string, part: string, classes: readonly string[]) {
  const inside = join(root, part);
  for (const folder of listEntries(inside).folders)
    if (!classes.includes(folder) && !leadsBack(inside, folder))
      throw new DataError(
        `${name}/${part}: class "${folder}" is not in ${name}/train (${classes.join(", ")}); rename or remove it`,
      );
}

/** Files a chunk: enough to share out among threads, few enough for progress and interruption. */
const chunkLength = 64;

async function* decodeFolder(
  root: string,
  items: Int32Array,
  files: readonly string[],
  settings: DecodeSettings,
): AsyncGenerator<DecodedChunk> {
  const bytes = settings.size * settings.size * 3;
  const pixels = new Uint8Array(chunkLength * bytes);
  for (let first = 0; first < items.length; first += chunkLength) {
    throwIfInterrupted(settings.signal);
    const chunk = items.subarray(first, first + chunkLength);
    const names = Array.from(chunk, (item) => files[item]!);
    const reasons = await decodeImages(
      names.map((file) => join(root, file)),
      pixels,
      { size: settings.size, channels: 3, threads: settings.threads },
    );
    const broken: BrokenItem[] = [];
    let kept = 0;
    for (const [i, reason] of reasons.entries()) {
      if (reason !== null) {
        broken.push({ position: first + i, file: names[i]!, reason });
        continue;
      }
      if (kept !== i) pixels.copyWithin(kept * bytes, i * bytes, (i + 1) * bytes);
      kept++;
    }
    yield { pixels: pixels.subarray(0, kept * bytes), broken, done: first + chunk.length };
  }
}

/** Over each file's relative name, size and SHA-256, in listing order. */
async function hashFiles(
  root: string,
  items: Int32Array,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const all = createHash("sha256");
  const buffer = Buffer.allocUnsafe(1 << 20);
  let sinceBreath = 0;
  for (const item of items) {
    const file = files[item]!;
    const { digest, size } = hashFile(join(root, file), buffer);
    all.update(`${file}\0${size}\0${digest}\n`);
    sinceBreath += size + 20_000;
    // Synchronous reads are several times faster on small files; signals and timers get their turn.
    if (sinceBreath > 16 << 20) {
      sinceBreath = 0;
      await nextTurn();
      throwIfInterrupted(signal);
    }
  }
  return all.digest("hex");
}

/** A file that cannot be read hashes as such; decoding will list it as broken. */
function hashFile(path: string, buffer: Buffer): { digest: string; size: number } {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return { digest: "unreadable", size: 0 };
  }
  try {
    const hash = createHash("sha256");
    let size = 0;
    for (;;) {
      const got = readSync(descriptor, buffer, 0, buffer.length, null);
      hash.update(buffer.subarray(0, got));
      size += got;
      if (got < buffer.length && (got === 0 || size >= fstatSync(descriptor).size)) break;
    }
    return { digest: hash.digest("base64"), size };
  } catch {
    return { digest: "unreadable", size: 0 };
  } finally {
    closeSync(descriptor);
  }
}
