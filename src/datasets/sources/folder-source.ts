/** @file A folder of class folders, or train/ and validation parts of them. */

import { basename, join, resolve } from "node:path";
import { DataError } from "../../core/errors.ts";
import { type Source, TRAIN, VALIDATION } from "../../data/source.ts";
import { decodeFolder } from "../decoding/decode-folder.ts";
import { type FolderFiles, hashFiles } from "./folder-hash.ts";
import { leadsBack, listEntries, listFiles } from "./folder-listing.ts";

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
  const folder: FolderFiles = { root, name, files, unreadable: new Map() };
  return {
    name,
    classes,
    channels: 3,
    defaultSize: 128,
    augmentation: "photos",
    labels: Int32Array.from(labels),
    parts: layout.validation === null ? null : Uint8Array.from(parts),
    fingerprint: (items, signal) => hashFiles(folder, items, signal),
    decode: (items, settings) => decodeFolder(folder, items, settings),
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
  const [only] = classes;
  if (only === undefined) throw new DataError(`${where}: no class folders`);
  if (classes.length === 1) {
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
