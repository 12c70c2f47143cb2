/** @file A folder of class folders, or of parts of them: train/, val/ and test/. */

import { basename, join, resolve } from "node:path";
import { at } from "../../core/at.ts";
import { DataError } from "../../core/errors.ts";
import type { Source, SourceContext } from "../../data/source.ts";
import { legibleName, pathOfName } from "../../files/file-names.ts";
import { decodeFolder } from "../decoding/decode-folder.ts";
import { type FolderFiles, hashFiles } from "./folder-hash.ts";
import { findParts } from "./folder-layout.ts";
import { leadsBack, listEntries, listFiles } from "./folder-listing.ts";

/**
 * @param path a folder that exists
 * @param name what records call it; the folder's own name by default
 * @throws DataError when it holds no class folders, or only one; when its parts disagree
 */
export function folderSource(
  path: string,
  name = basename(resolve(path)),
  { leastClasses = 2, cacheDir }: Partial<Pick<SourceContext, "leastClasses" | "cacheDir">> = {},
): Source {
  const root = resolve(path);
  const parts = findParts(root, name);
  const [train] = parts as [(typeof parts)[number]];
  const classes = classesOf(root, name, { part: train.folder, leastClasses });
  const files: string[] = [];
  const labels: number[] = [];
  const partOf: number[] = [];
  for (const { part, folder } of parts) {
    const own = foldersByClass(root, name, { part: folder, train: train.folder, classes });
    for (const [label, className] of own.entries()) {
      const relative =
        className === null ? null : folder === "" ? className : `${folder}/${className}`;
      for (const file of relative === null ? [] : listFiles(root, relative)) {
        files.push(file);
        labels.push(label);
        partOf.push(part);
      }
    }
  }
  if (files.length === 0)
    throw new DataError(
      `${name}: its ${classes.length} class folders (${some(classes)}) hold no files; put images into them`,
    );
  const folder: FolderFiles = {
    ...{ root, name, files },
    ...{ unreadable: new Map(), digests: new Map(), several: new Set() },
  };
  return {
    name,
    classes: classes.map(legibleName),
    channels: 3,
    defaultSize: 128,
    augmentation: "photos",
    labels: Int32Array.from(labels),
    parts: parts.length === 1 ? null : Uint8Array.from(partOf),
    // 2: a JPEG decoded at reduced scale keeps its true extent, and inks become light without a profile.
    decoding: 2,
    fingerprint: (items, signal) => hashFiles(folder, items, { cacheDir, signal }),
    holdsSeveral: (item) => folder.several.has(item),
    contentOf: (item) => folder.digests.get(item),
    fileOf: (item) => legibleName(files[item] ?? ""),
    pathOf: (item) => join(root, at(files, item, "files")),
    decode: (items, settings) => decodeFolder(folder, items, settings),
  };
}

function classesOf(
  root: string,
  name: string,
  { part, leastClasses }: { readonly part: string; readonly leastClasses: number },
): string[] {
  const inside = join(root, part);
  const classes = listEntries(inside).folders.filter((folder) => !leadsBack(inside, folder));
  const where = part === "" ? name : `${name}/${part}`;
  const [only] = classes;
  if (only === undefined) throw new DataError(`${where}: no class folders`);
  if (classes.length < leastClasses) {
    const nested = listEntries(join(inside, only)).folders.length > 1;
    throw new DataError(
      `${where}: one class folder ("${legibleName(only)}"); at least two classes are needed${nested ? `, or was ${where}/${legibleName(only)} meant?` : ""}`,
    );
  }
  refuseAlike(where, classes);
  return classes;
}

/** Two folders whose names look the same to people would be two classes that nobody can tell apart. */
function refuseAlike(where: string, classes: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const folder of classes) {
    const looks = sameLook(folder);
    const other = seen.get(looks);
    if (other !== undefined)
      throw new DataError(
        `${where}: two class folders are named "${legibleName(folder)}", in different Unicode forms (${bytesOf(other)}; ${bytesOf(folder)}); rename one, or move its images into the other`,
      );
    seen.set(looks, folder);
  }
}

/** A Mac writes an accented letter as two characters (NFD), others as one (NFC). */
const sameLook = (name: string) => legibleName(name).normalize("NFC");

const bytesOf = (name: string) =>
  Buffer.from(pathOfName(name) as string)
    .toString("hex")
    .replaceAll(/(..)(?=.)/g, "$1 ");

const some = (names: readonly string[]) =>
  `${names.slice(0, 3).map(legibleName).join(", ")}${names.length > 3 ? ", ..." : ""}`;

interface PartFolder {
  /** Whose class folders are looked for. */
  readonly part: string;
  readonly train: string;
  readonly classes: readonly string[];
}

/** Of each class its folder in a part, or null where the part has none of it. */
function foldersByClass(
  root: string,
  name: string,
  { part, train, classes }: PartFolder,
): (string | null)[] {
  if (part === train) return [...classes];
  const inside = join(root, part);
  const folders = listEntries(inside).folders.filter((folder) => !leadsBack(inside, folder));
  refuseAlike(`${name}/${part}`, folders);
  const byLook = new Map(folders.map((folder) => [sameLook(folder), folder]));
  const known = new Set(classes.map(sameLook));
  for (const [looks, folder] of byLook)
    if (!known.has(looks))
      throw new DataError(
        `${name}/${part}: class "${legibleName(folder)}" is not in ${name}/${train} (${classes.map(legibleName).join(", ")}); rename or remove it`,
      );
  return classes.map((className) => byLook.get(sameLook(className)) ?? null);
}
