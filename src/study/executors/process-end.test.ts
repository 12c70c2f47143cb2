/** @file How a process ended, in words: what V8 and Node print is made into one sentence, or left out. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { describeEnd, tailOf } from "./process-end.ts";

/** What a process prints and how it ends that runs out of a heap of so many MiB. */
function outOfMemory(heap: number) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...["--max-semi-space-size=1", `--max-old-space-size=${heap}`, "-e"],
      "console.log('started; learning rate from default'); const all = []; for (;;) all.push({ x: [1, 2, 3] });",
    ],
    { encoding: "utf8" },
  );
  return { end: { exitCode: status, signal }, log: stdout + stderr };
}

test("out of V8's heap: in words, with the limit and the remedy, and none of V8's lines", () => {
  const { end, log } = outOfMemory(40);
  expect(end.exitCode).not.toBe(0);
  const said = describeEnd(end, log);
  expect(said).toMatch(
    /^its process ran out of memory for JavaScript \(heap limit about (3|4|5)\d MiB\); give it more by NODE_OPTIONS=--max-old-space-size=MIB/,
  );
  const tail = tailOf(log);
  expect(tail[0]).toBe("started; learning rate from default");
  expect(tail.at(-1)).toMatch(/^FATAL ERROR: .*JavaScript heap out of memory$/);
  expect(tail).toHaveLength(2);
});

test.each([
  [{ exitCode: null, signal: "SIGSEGV" }, "", "its process crashed (SIGSEGV)"],
  [
    { exitCode: null, signal: "SIGKILL" },
    "started\nepoch 1: training loss 1\n",
    "its process was killed (SIGKILL); last in its log: epoch 1: training loss 1",
  ],
  [{ exitCode: null, signal: null }, "", "its process could not be started"],
  [
    { exitCode: 7, signal: null },
    "file:///x/net.mjs:3\n  throw new Error('no');\n  ^\nError: no\n    at file:///x/net.mjs:3:9\n\nNode.js v22.0.0\n",
    "its process ended with exit code 7; last in its log: Error: no",
  ],
] as const)("%j", (end, log, want) => expect(describeEnd(end, log)).toBe(want));
