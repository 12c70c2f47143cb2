/** @file A bit of the decoded images flips between two runs: the weights are the same, and it is said. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

/** @returns what was said, and the weights */
async function train(out: string) {
  const { code, stderr } = await cli([
    ...["train", "synthetic", "--size", "16", "--limit", "9", "--batch", "16", "--epochs", "1"],
    ...["--optimizer", "sgd", "--lr", "0.1", "--no-samples", "--threads", "1"],
    ...["--out", within(out)],
  ]);
  expect(code).toBe(0);
  const trials = join(within(out), "trials");
  const weights = readFileSync(join(trials, readdirSync(trials)[0]!, "best.safetensors"));
  return { stderr, weights };
}

test.skipIf(absent)(`trained twice${absent ? ` (${absent})` : ""}`, async () => {
  const first = await train("first");
  const folder = join(within("cache"), "decoded");
  const file = join(folder, readdirSync(folder)[0]!);
  const bytes = readFileSync(file);
  // Every third pixel, so that old behaviour cannot end in the same weights by chance.
  for (let place = 4096; place < 4096 + 36 * 16 * 16 * 3; place += 3) bytes[place]! ^= 0x80;
  writeFileSync(file, bytes);
  const second = await train("second");
  expect(second.weights.equals(first.weights)).toBe(true);
  expect(first.stderr).not.toContain("of no use");
  expect(second.stderr).toContain(
    "synthetic: the decoded images in the cache are of no use: MiB 1 of 1 does not give its checksum; they are decoded again",
  );
});
