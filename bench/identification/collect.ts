/**
 * @file Runs the candidates for the article's plain CNN, one comparison each, in an order in which a study that is
 * broken off is worth most. It goes on where it was: `npx jiti bench/identification/collect.ts OUT SOURCE
 * [--epochs N] [--seeds N] [--only NAME,...] [--arm NAME]`, SOURCE being the photos of at least 224 pixels.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { armsOf, CANDIDATES, type Candidate, modelFile } from "./candidates.ts";

const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: "string", default: "30" },
    seeds: { type: "string", default: "1" },
    only: { type: "string" },
    arm: { type: "string" },
  },
});
const [out, source] = positionals;
if (out === undefined || source === undefined)
  throw new Error("collect.ts OUT SOURCE [--epochs N] [--seeds N] [--only NAME,...] [--arm NAME]");

const only = values.only?.split(",");
for (const candidate of CANDIDATES) if (only?.includes(candidate.name) ?? true) run(candidate);

function run(candidate: Candidate): void {
  const { name, size, augment, splitSeed } = candidate;
  const [folder, model] = [join(out!, name), join(out!, `${name}.ts`)];
  mkdirSync(out!, { recursive: true });
  writeFileSync(model, modelFile(candidate));
  const arms = armsOf(candidate).filter(
    (arm) => values.arm === undefined || arm.replace(/[(@].*$/, "") === values.arm,
  );
  const length = ["--epochs", values.epochs, "--seeds", values.seeds];
  const begun = existsSync(join(folder, "experiment.json"));
  const argv = begun
    ? ["compare", "--resume", folder]
    : [
        ...["compare", source!, "--model", model, "--optimizers", arms.join(",")],
        ...["--size", String(size), "--augment", augment, "--split-seed", String(splitSeed)],
        ...["--batch", "64", "--no-samples", "--keep", "none", "--out", folder, ...length],
      ];
  const { status } = spawnSync(process.execPath, [bin, ...argv], { stdio: "inherit" });
  if (status !== 0 && status !== 1) process.exit(status ?? 130);
}
