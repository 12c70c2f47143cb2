/** @file Before all tests: dist/, from which trials, decoders and the command line start as processes. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("../scripts/build-dist.mjs", import.meta.url));

/**
 * Builds nothing where dist/ is of these sources, as it is after set-up; without checking types elsewhere, as
 * the type check does that once. @throws Error with what the compiler said
 */
export function setup(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BUILD, "--quick"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`dist/ cannot be built:\n${stdout}${stderr}`);
}
