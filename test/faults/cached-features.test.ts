/** @file A comparison that trains from kept features is killed, and goes on: the same bytes in the end. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, TINY_FLAGS } from "./tiny.ts";

const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));
const absent = engineAbsent();
const within = temporaryFolder();
/** Two at a time, where there are cores for them: the features are then made by both. */
const jobs = Math.min(2, availableParallelism());
const threads = ["--threads", String(jobs)];

/** @returns the exit code; null: it was killed, after an epoch was reported */
function run(words: readonly string[], { kill = false } = {}): Promise<number | null> {
  const env = { ...process.env, LRSCOPE_CACHE: within("cache") };
  const child: ChildProcess = spawn(process.execPath, [bin, ...words], { stdio: "pipe", env });
  let text = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (data: Buffer) => {
      text += data;
      if (kill && /epoch +\d+ /.test(text)) child.kill("SIGKILL");
    });
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}

test.skipIf(absent)(`killed and resumed${absent ? ` (${absent})` : ""}`, async () => {
  const weights = [
    "train",
    ...TINY_FLAGS,
    "--no-samples",
    "--epochs",
    "1",
    "--out",
    within("weights"),
  ];
  expect(await run([...weights, "--optimizer", "adam"])).toBe(0);
  const pretrained = within("weights/trials/adam-0/best.safetensors");
  const words = (out: string) => [
    ...["compare", ...TINY_FLAGS, ...threads, "--jobs", String(jobs), "--no-samples"],
    ...["--pretrained", pretrained, "--cache-features", "2"],
    ...["--optimizers", "adam,sgd", "--seeds", "1", "--epochs", "6", "--out", within(out)],
  ];
  expect(await run(words("whole"))).toBe(0);
  expect(await run(words("killed"), { kill: true })).toBeNull();
  expect(existsSync(within("killed/experiment.json"))).toBe(true);
  expect(await run(["compare", "--resume", within("killed"), "--jobs", "1"])).toBe(0);
  expect(resultOf(within("killed"))).toEqual(resultOf(within("whole")));
  // One file served all of them, whatever the cores of those who went on.
  expect(readdirSync(join(within("cache"), "features"))).toHaveLength(1);
});
