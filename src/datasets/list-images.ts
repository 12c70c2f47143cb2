/** @file The images that a path means to prediction: itself, or those of a folder. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { listEntries, listFiles } from "./sources/folder-listing.ts";

const IMAGE = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif|bmp|heic)$/i;

/**
 * The path itself where it is a file; of a folder, every file at any depth that is named as an
 * image, sorted.
 */
export function listImages(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const { files, folders } = listEntries(path);
  return [...files, ...folders.flatMap((folder) => listFiles(path, folder))]
    .filter((file) => IMAGE.test(file))
    .sort()
    .map((file) => join(path, file));
}
