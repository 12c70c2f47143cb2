/** @file Images and weights of a study, fetched once and kept in this machine's cache by what they are. */

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../files/cache-dir.ts";
import { pathOfName } from "../../files/file-names.ts";
import { makeFolders } from "../../files/make-folders.ts";
import { digestOfFile } from "../../store/index.ts";
import { leaseTrial } from "../executors/task-store.ts";
import type { Wire } from "../executors/wire/client.ts";
import { receiveFiles, type SentFile, type WantedFiles } from "../executors/wire/receive-files.ts";
import { folderList } from "../executors/wire/sent-files.ts";

/** Seconds that another process of this machine may take to fetch the same. */
const PATIENCE = 24 * 3600;

const REMEDY = "begin the study anew";

interface Fetched extends Omit<WantedFiles, "remedy"> {
  readonly wire: Wire;
  /** Folder of the cache that holds it, and nothing else. */
  readonly kept: string;
  /** Where it is asked for. */
  readonly path: string;
}

/**
 * The folder of a study's images; fetched where it is not in the cache.
 * @param options.isDamaged what is kept has turned out to be no longer what it was: that of it is fetched again
 * @throws DataError where other bytes come than were promised
 */
export async function fetchImages(
  wire: Wire,
  fingerprint: string,
  { isDamaged = false }: { readonly isDamaged?: boolean } = {},
): Promise<string> {
  const kept = join(cacheDirectory(undefined), "fetched", fingerprint);
  const path = `files/${fingerprint}`;
  const list = await wire.ask({ method: "GET", path: `${path}/list` }, folderList);
  const folder = join(kept, list.name);
  const fetched = { wire, kept, path, folder, files: list.files };
  if (isDamaged) dropDamaged(fetched);
  await once(fetched, () => {
    for (const name of list.empty) makeFolders(join(folder, name));
  });
  return folder;
}

/** The file of a study's first weights, which are read as they are. @throws DataError where other bytes come than were promised */
export async function fetchWeights(wire: Wire, { name, sha256, bytes }: SentFile): Promise<string> {
  const kept = join(cacheDirectory(undefined), "fetched", sha256);
  const files = [{ name, sha256, bytes }];
  const fetched = { wire, kept, path: `files/${sha256}`, folder: kept, files };
  dropDamaged(fetched);
  await once(fetched, () => undefined);
  return join(kept, name);
}

const wholeMark = (kept: string) => join(kept, ".whole");

/** Takes away what is no longer what it was: a disk fails, and files of a cache can be written to. */
function dropDamaged({ kept, folder, files }: Fetched): void {
  for (const { name, sha256 } of files) {
    const file = pathOfName(join(folder, name));
    if (!existsSync(file) || digestOfFile(file.toString()) === sha256) continue;
    rmSync(wholeMark(kept), { force: true });
    rmSync(file, { force: true });
  }
}

/** Fetches it unless that was done; others of this machine that want the same wait. */
async function once({ wire, kept, path, ...wanted }: Fetched, prepare: () => void): Promise<void> {
  const done = wholeMark(kept);
  if (existsSync(done)) return;
  makeFolders(kept);
  const lease = await leaseTrial(kept, PATIENCE);
  try {
    if (existsSync(done)) return;
    prepare();
    await receiveFiles(wire, path, { ...wanted, remedy: REMEDY });
    writeFileSync(done, "");
  } finally {
    lease.release();
  }
}
