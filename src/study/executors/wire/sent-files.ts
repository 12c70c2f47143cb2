/** @file Files that workers fetch of the process that holds the run directory: a folder of images, and first weights. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { filesOfFolder } from "../../../datasets/sources/folder-files.ts";
import { isSourceName } from "../../../datasets/sources/source-names.ts";
import { pathOfName } from "../../../files/file-names.ts";
import { isWeightsFile } from "../../weights-file.ts";
import type { TaskPlaces } from "../trial-messages.ts";

/** A name below a folder; none leads out of it. */
const below = z
  .string()
  .min(1)
  .max(4096)
  .refine((name) => name.split("/").every((part) => !["", ".", ".."].includes(part)), {
    error: "must lie below its folder",
  })
  .refine((name) => !/[\\\0]/.test(name), { error: "must have forward slashes alone" });

/** A name of a file or folder, which lies nowhere but where it is put. */
export const oneName = below.refine((name) => !name.includes("/"), { error: "must be one name" });

/** What a folder is made of: its bytes are those of its files, one after another. */
export const folderList = z.object({
  name: oneName,
  files: z.array(
    z.object({
      name: below,
      bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  empty: z.array(below),
});
export type FolderList = z.infer<typeof folderList>;

export interface SentFiles {
  /** What the images' folder is made of; null where the fingerprint is not that of the study's images. */
  list(fingerprint: string): Promise<FolderList | null>;
  /** Paths of the files with the images, in order, or of the weights; null for any other fingerprint. */
  paths(fingerprint: string): Promise<readonly (string | Buffer)[] | null>;
}

export function sentFiles({ setup, dataset }: TaskPlaces, weights: string | null): SentFiles {
  let listed: Promise<FolderList> | undefined;
  const isImages = (fingerprint: string) =>
    fingerprint === dataset.fingerprint && !isSourceName(setup.source);
  const list = () => {
    listed ??= listFolder(setup.source);
    return listed;
  };
  return {
    list: async (fingerprint) => (isImages(fingerprint) ? list() : null),
    async paths(fingerprint) {
      const { pretrained } = setup;
      if (fingerprint === weights && pretrained !== undefined && isWeightsFile(pretrained))
        return [pretrained];
      if (!isImages(fingerprint)) return null;
      return (await list()).files.map(({ name }) => pathOfName(join(resolve(setup.source), name)));
    },
  };
}

async function listFolder(path: string): Promise<FolderList> {
  const { files, empty } = filesOfFolder(path);
  const described: FolderList["files"] = [];
  for (const name of files) {
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      for await (const part of createReadStream(pathOfName(join(path, name)))) {
        hash.update(part);
        bytes += part.length;
      }
    } catch {
      // What cannot be read here is left out there: the data are then others, and the worker says so.
      continue;
    }
    described.push({ name, bytes, sha256: hash.digest("hex") });
  }
  return { name: basename(resolve(path)), files: described, empty: [...empty] };
}
