// Builds the fuzz targets and runs test/fuzz/main.ts, which says what may be asked of it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";

const root = new URL("../", import.meta.url);
// A process of a part has been built for already.
if (!process.argv.includes("--slice")) {
  const { status } = spawnSync("bash", [fileURLToPath(new URL("scripts/build-fuzz", root))], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
}
try {
  await createJiti(import.meta.url).import(fileURLToPath(new URL("test/fuzz/main.ts", root)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
