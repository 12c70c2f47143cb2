/** @file The command line as a process of its own: exit codes, streams, signals, full disks. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readRun } from "../../src/store/index.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();
const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = join(root, "bin/lrscope.js");
const small = ["synthetic", "--size", "16", "--batch", "32", "--threads", "1"];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param onOutput may signal the process once it has said something */
function run(
  [command, ...argv]: readonly [string, ...string[]],
  onOutput: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(command, argv, { env: { ...process.env, NO_COLOR: "1" } });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (data: Buffer) => {
      texts[name] += data;
      onOutput(texts.stdout + texts.stderr, child);
    });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...texts })));
}

const lrscope = (argv: readonly string[], onOutput?: Parameters<typeof run>[1]) =>
  run([process.execPath, bin, ...argv], onOutput);

test("help: 0, on stdout", async () => {
  const { code, stdout, stderr } = await lrscope(["--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("Usage: lrscope <command>");
});

test("a wrong call: 2, one line on stderr, nothing on stdout", async () => {
  const { code, stdout, stderr } = await lrscope(["find", "no-such-place", "--lr", "1"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe("lrscope: find: does not take --lr (train does); see lrscope find --help\n");
});

test("a reader that goes away is no error", async () => {
  const { stdout, stderr } = await run([
    "bash",
    "-c",
    '"$0" "$1" schedule constant:lr=1 --updates 200000 --json 2>/dev/null | head -c 10 >/dev/null; echo $PIPESTATUS',
    process.execPath,
    bin,
  ]);
  expect([stdout, stderr]).toEqual(["0\n", ""]);
});

describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  test("--json: one line on stdout, progress on stderr", async () => {
    const call = ["train", ...small, "--epochs", "1", "--out", within("json"), "--json"];
    const { code, stdout, stderr } = await lrscope(call);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout).trial.status).toBe("done");
    expect(stderr).toContain("validation");
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s: 130, records readable", async (signal) => {
    const out = within(signal);
    let sent = false;
    const call = ["train", ...small, "--optimizer", "adam", "--epochs", "2000", "--out", out];
    const { code, stderr } = await lrscope(call, (text, child) => {
      if (sent || !/epoch +2 /.test(text)) return;
      sent = true;
      child.kill(signal);
    });
    expect(code).toBe(130);
    expect(stderr).toContain("once more ends at once");
    expect(stderr).not.toMatch(/\n\s+at /);
    const { trials } = readRun(out);
    expect(trials[0]!.trial.status).toBe("interrupted");
    expect(trials[0]!.metrics.length).toBeGreaterThanOrEqual(2);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("</html>");
  });

  test("killed outright, the records are readable too", async () => {
    const out = within("killed");
    const call = ["train", ...small, "--optimizer", "adam", "--epochs", "2000", "--out", out];
    const { code } = await lrscope(call, (text, child) => {
      if (/epoch +3 /.test(text)) child.kill("SIGKILL");
    });
    expect(code).toBeNull();
    const { trials } = readRun(out);
    expect(trials[0]!.trial.status).toBe("running");
    expect(trials[0]!.metrics.length).toBeGreaterThanOrEqual(3);
  });

  const expectFull = (out: string, { code, stdout, stderr }: Ended) => {
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^lrscope: .*\.safetensors: /m);
    expect(stderr).not.toMatch(/\n\s+at /);
    const { trials, experiment } = readRun(out);
    expect(experiment.kind).toBe("train");
    expect(trials[0]!.trial.status).toBe("failed");
    expect(trials[0]!.metrics).toHaveLength(1);
    // Where the run lies on the machine is said to the user, and not recorded.
    const log = readFileSync(join(out, "trials/sgd-0/log.txt"), "utf8");
    for (const text of [trials[0]!.trial.failure, log]) {
      expect(text).toContain("trials/sgd-0/best.safetensors: ");
      expect(text).not.toContain(out);
    }
    // Nothing half-written: no weights, and no temporary file of theirs.
    expect(readdirSync(join(out, "trials/sgd-0")).sort()).toEqual([
      "log.txt",
      "metrics.jsonl",
      "trial.json",
    ]);
    expect(existsSync(join(out, "summary.json"))).toBe(false);
  };
  const training = (out: string) => ["train", ...small, "--epochs", "2", "--out", out, "--json"];

  test("a file that may not grow: 1, the file is named, the records stay readable", async () => {
    // Decoded before, without the limit: 512 KiB here, fewer than the weights take.
    expect((await lrscope(["data", ...small.slice(0, 3)])).code).toBe(0);
    const out = within("limited");
    const limited = ["bash", "-c", 'ulimit -f 512; exec "$@"', "bash", process.execPath, bin];
    expectFull(out, await run([...limited, ...training(out)] as [string, ...string[]]));
  });

  test("a disk that fills up: 1, the file is named, the records stay readable", async ({
    skip,
  }) => {
    const disk = within("disk");
    mkdirSync(disk);
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
    if (status !== 0) skip("mounting a small disk needs root");
    try {
      const out = join(disk, "run");
      const ended = await lrscope(training(out));
      expectFull(out, ended);
      expect(ended.stderr).toContain("the disk is full");
    } finally {
      spawnSync("umount", [disk]);
    }
  });
});
