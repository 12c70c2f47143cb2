/** @file The batch script of a task, run by bash without Slurm: what a signal does, and when it asks to run again. */

import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { batchScript, endFile, MOST_DEATHS } from "./script.ts";

/** Of a cluster on which no job may be given back but by its exit code. */
const REQUEUE = 75;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-script-"));
  writeFileSync(join(folder, "scontrol"), "#!/bin/sh\necho asked $* >>$0.log\nexit 1\n");
  chmodSync(join(folder, "scontrol"), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the second task of an array, whose lrscope is a script of bash: $end is the file that says how it ended. */
async function run(lrscope: string, signal?: NodeJS.Signals) {
  const inside = (name: string) => join(folder, name);
  const task = (key: string) => ({
    ...{ key, attempt: 2, task: inside(`${key}.json`), log: inside(`${key}.log`) },
    epochs: inside(`${key}.jsonl`),
  });
  const script = batchScript({
    ...{ tasks: [task("adam-0"), task("it's adam-1")], notes: folder, setup: "export SET=up" },
    lrscope: ["bash", "-c", `end=$6; echo "$*" >&2; ${lrscope}`, "lrscope"],
    places: ["--source", "/photos of mine"],
  });
  const child = spawn("bash", ["-c", script], {
    env: {
      PATH: `${folder}:${process.env.PATH}`,
      SLURM_ARRAY_TASK_ID: "1",
      SLURM_ARRAY_JOB_ID: "7",
    },
    stdio: "ignore",
  });
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  if (signal) {
    while (!existsSync(inside("ready"))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill(signal);
  }
  const code = await ended;
  const text = (name: string) =>
    existsSync(inside(name)) ? readFileSync(inside(name), "utf8") : "";
  return { code, asked: text("scontrol.log"), log: text("it's adam-1.log") };
}

const INTERRUPTED = `trap 'echo {\\"code\\":\\"INTERRUPTED\\"} >"$end"; exit 130' TERM; touch ready; while :; do sleep 0.01; done`;
const here = (script: string) => script.replace("touch ready", `touch '${folder}/ready'`);

test("gives lrscope its task, its attempt and the places; done, it asks for nothing", async () => {
  const { code, asked, log } = await run('echo {} >"$end"; echo $SET');
  expect([code, asked]).toEqual([0, ""]);
  const end = join(folder, endFile({ key: "it's adam-1", attempt: 2 }));
  expect(log).toBe(
    `trial ${folder}/it's adam-1.json --attempt 2 --end ${end} --source /photos of mine\nup\n`,
  );
});

test("its own failure is no reason to run again", async () => {
  const { code, asked } = await run('echo {} >"$end"; exit 1');
  expect([code, asked]).toEqual([1, ""]);
});

test("the warning of a time limit ends it, to be run again", async () => {
  const { code, asked } = await run(here(INTERRUPTED), "SIGUSR1");
  expect([code, asked]).toEqual([REQUEUE, "asked requeue 7_1\n"]);
});

test("TERM ends it for good", async () => {
  const { code, asked } = await run(here(INTERRUPTED), "SIGTERM");
  expect([code, asked]).toEqual([130, ""]);
});

test(`killed, it runs again, but not for ever: ${MOST_DEATHS} times in one epoch`, async () => {
  const codes: (number | null)[] = [];
  for (let i = 0; i < MOST_DEATHS; i++) codes.push((await run("kill -9 $$")).code);
  expect(codes).toEqual([...Array(MOST_DEATHS - 1).fill(REQUEUE), 137]);
  writeFileSync(join(folder, "it's adam-1.jsonl"), "{}\n");
  expect((await run("kill -9 $$")).code).toBe(REQUEUE);
});

test("a node without lrscope is not tried again", async () => {
  const { code, asked, log } = await run("exec no-such-command");
  expect([code, asked]).toEqual([127, ""]);
  expect(log).toContain("no-such-command");
});
