/** @file The images that a path, or the name of a source, means to prediction: those that training would take. */

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Source, SourceContext } from "../data/source.ts";
import { legibleName, pathOfName } from "../files/file-names.ts";
import { listEntries, listFiles } from "./sources/folder-listing.ts";
import { holdsPackedImages, openSource } from "./sources/open-source.ts";
import { isSourceName } from "./sources/source-names.ts";

/** An image to decode: a file, or an item of a source whose images are no files of their own. */
export type ListedImage = {
  /** What people call it. */
  readonly name: string;
} & (
  | { readonly path: string }
  | { readonly path?: undefined; readonly source: Source; readonly item: number }
);

/** Whether `listImages` knows what it means: something that is there, or the name of a source. */
export const meansImages = (path: string): boolean =>
  existsSync(pathOfName(path)) || isSourceName(path);

/**
 * The path itself where it is a file. Of a folder every file at any depth, sorted by name, whatever it is called,
 * as the format is told by the content; hidden files and the leavings of systems are passed over. Of a folder of
 * IDX files or of CIFAR-10's, and of a source's name where there is no such path, the images in it.
 * @throws DataError for a folder or a source that cannot be read
 */
export async function listImages(path: string, context: SourceContext): Promise<ListedImage[]> {
  if (!existsSync(pathOfName(path))) return imagesOfSource(await openSource(path, context));
  if (!statSync(pathOfName(path)).isDirectory()) return [{ name: legibleName(path), path }];
  const { files, folders } = listEntries(path);
  if (holdsPackedImages({ files, folders }))
    return imagesOfSource(await openSource(resolve(path), context));
  return [...files, ...folders.flatMap((folder) => listFiles(path, folder))]
    .sort()
    .map((file) => ({ name: legibleName(join(path, file)), path: join(path, file) }));
}

/** Every item of a source, in its order. */
export const imagesOfSource = (source: Source): ListedImage[] =>
  Array.from(source.labels, (_, item) => {
    const path = source.pathOf?.(item);
    return path === undefined
      ? { name: `${source.name}#${item}`, source, item }
      : { name: source.fileOf?.(item) ?? legibleName(path), path };
  });
