/** @file The files that a folder of images is made of, for whoever makes the same folder elsewhere. */

import { join, relative, resolve } from "node:path";
import { hasCifarFiles } from "./cifar-source.ts";
import { listEntries } from "./folder-listing.ts";
import { folderSource } from "./folder-source.ts";
import { hasIdxFiles } from "./idx-source.ts";
import { CIFAR_FOLDER, holdsPackedImages } from "./open-source.ts";

export interface FolderContents {
  /** Relative to the folder, with forward slashes; as functions of files/file-names.ts take them. */
  readonly files: readonly string[];
  /** Class folders without a file. */
  readonly empty: readonly string[];
}

const isPacked = (name: string) =>
  hasIdxFiles([name]) ||
  hasCifarFiles([name]) ||
  /^(test_batch\.bin|batches\.meta\.txt)$/.test(name);

/** Of a folder, or of IDX files or CIFAR-10 binaries in it: what is read, and nothing that lies beside it. */
export function filesOfFolder(path: string): FolderContents {
  const root = resolve(path);
  const entries = listEntries(root);
  if (holdsPackedImages(entries)) {
    const within = entries.folders.includes(CIFAR_FOLDER)
      ? listEntries(join(root, CIFAR_FOLDER)).files.map((name) => `${CIFAR_FOLDER}/${name}`)
      : [];
    const files = [...entries.files, ...within].filter((name) =>
      isPacked(name.replace(`${CIFAR_FOLDER}/`, "")),
    );
    return { files, empty: [] };
  }
  const source = folderSource(root, undefined, { leastClasses: 1 });
  const files = Array.from(source.labels, (_, item) =>
    relative(root, source.pathOf?.(item) ?? "").replaceAll("\\", "/"),
  );
  const filled = new Set(files.flatMap((file) => [file.split("/")[0], parentOf(file)]));
  const folders = entries.folders.flatMap((folder) => [
    folder,
    ...listEntries(join(root, folder)).folders.map((inner) => `${folder}/${inner}`),
  ]);
  return { files, empty: folders.filter((folder) => !filled.has(folder)) };
}

const parentOf = (file: string) => file.split("/").slice(0, 2).join("/");
