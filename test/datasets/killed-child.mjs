// Dies, as of SIGKILL, in the middle of filling the cache: of decoding, or of unpacking an archive.
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { unpack } from "../../dist/datasets/download/unpack.js";
import { openDataset } from "../../dist/datasets/open.js";

const [, , what, source, cacheDir] = process.argv;
const die = () => process.kill(process.pid, "SIGKILL");
if (what === "decode") {
  await openDataset(source, { cacheDir, size: 8, threads: 1, onEvent: die });
} else {
  const parent = dirname(cacheDir);
  // At the first file that is there: no turn of the event loop is enough for all of them.
  const watch = () => {
    const names = existsSync(parent) ? readdirSync(parent, { recursive: true }) : [];
    if (names.some((name) => name.endsWith(".jpg"))) die();
    setImmediate(watch);
  };
  watch();
  await unpack({ archive: source, folder: "photos", destination: cacheDir });
}
