/**
 * @file What a folder of images holds: class folders, and the files in them. Hidden files, the
 * leavings of operating systems and links that lead back to a folder above are ignored.
 */

import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeOf, DataError } from "../../core/errors.ts";
import { legibleName, nameOfBytes, pathOfName } from "../../files/file-names.ts";

const leavings = new Set(["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"]);

const ignored = (name: string) => name.startsWith(".") || leavings.has(name.toLowerCase());

/**
 * Files and folders directly in `folder`, sorted by name; a link counts as what it points to. Names are
 * those of nameOfBytes, so that none is lost that is no UTF-8.
 */
export function listEntries(folder: string): { files: string[]; folders: string[] } {
  const files: string[] = [];
  const folders: string[] = [];
  let entries: { readonly name: string; readonly entry: Dirent<Buffer> }[];
  try {
    entries = readdirSync(pathOfName(folder), { encoding: "buffer", withFileTypes: true }).map(
      (entry) => ({ name: nameOfBytes(entry.name), entry }),
    );
  } catch (cause) {
    throw new DataError(
      `${legibleName(folder)}: the folder cannot be read (${codeOf(cause) ?? cause})`,
      {
        cause,
      },
    );
  }
  // Code-unit order: the same on every machine and locale.
  for (const { name, entry } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (ignored(name)) continue;
    const kind = entry.isFile() ? "file" : kindOf(join(folder, name));
    if (kind === "file") files.push(name);
    else if (kind === "folder") folders.push(name);
  }
  return { files, folders };
}

/** A link to nothing is a file that cannot be read; a link to itself is nothing. */
function kindOf(path: string): "file" | "folder" | "nothing" {
  try {
    const status = statSync(pathOfName(path));
    return status.isDirectory() ? "folder" : status.isFile() ? "file" : "nothing";
  } catch (error) {
    return codeOf(error) === "ELOOP" ? "nothing" : "file";
  }
}

/**
 * Every file under root/start at any depth, relative to `root` with forward slashes. A folder that
 * several links lead to is visited once; `root` itself and what lies above it never are.
 */
export function listFiles(root: string, start: string): string[] {
  const found: string[] = [];
  const visited = new Set<string>([realPath(root)]);
  const visit = (relative: string) => {
    const real = realPath(join(root, relative));
    if (visited.has(real) || realPath(root).startsWith(`${real === "/" ? "" : real}/`)) return;
    visited.add(real);
    const { files, folders } = listEntries(join(root, relative));
    for (const name of files) found.push(`${relative}/${name}`);
    for (const name of folders) visit(`${relative}/${name}`);
  };
  visit(start);
  return found.sort();
}

const realPath = (path: string) =>
  nameOfBytes(realpathSync.native(pathOfName(path), { encoding: "buffer" }));

/** Whether a class folder is a link to the folder that holds it, or to one above. */
export function leadsBack(root: string, folder: string): boolean {
  const real = realPath(join(root, folder));
  return `${realPath(root)}/`.startsWith(real === "/" ? "/" : `${real}/`);
}
