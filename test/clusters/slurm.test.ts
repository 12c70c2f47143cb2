/**
 * @file A comparison on a real Slurm, of which processes, a node and time are taken away: in the end it has what
 * one machine would have made of it, byte for byte.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { workersRecord } from "../../src/record/index.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { saidOf } from "../faults/derived.ts";
import { resultOf, TINY_FLAGS } from "../faults/tiny.ts";
import { type SlurmCluster, slurmAbsent, startSlurm } from "./slurm-cluster.ts";

const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));
const PATIENCE = 180_000;

const absent = engineAbsent() ?? slurmAbsent();
describe.skipIf(absent)(`with Slurm${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let cluster: SlurmCluster;
  let release: ReturnType<typeof setInterval>;
  beforeAll(async () => {
    cluster = await startSlurm();
    // What is given back to the queue waits for two minutes, unless somebody says otherwise; said at once, the
    // node would still refuse it, as one that was cancelled.
    const since = new Map<string, number>();
    const releaseWaiting = () => {
      const pending = listed().filter(({ reason }) => reason === "BeginTime");
      for (const id of since.keys()) if (!pending.some((task) => task.id === id)) since.delete(id);
      for (const { id } of pending) {
        const seen = since.get(id) ?? Date.now();
        since.set(id, seen);
        if (Date.now() - seen > 3000)
          cluster.run("scontrol", "update", `JobId=${id}`, "StartTime=now");
      }
    };
    release = setInterval(() => {
      try {
        releaseWaiting();
      } catch {
        // It has begun or was cancelled since it was listed, or Slurm is too busy to answer: what waits is seen again.
      }
    }, 500);
  });
  afterAll(() => {
    clearInterval(release);
    cluster?.stop();
  });

  const flags = [
    ...[...TINY_FLAGS, "--optimizers", "adam,sgd@1e-2", "--seeds", "2", "--epochs", "30"],
    ...["--threads", "1", "--no-samples"],
  ];
  const start = (...more: string[]): ChildProcess & { said(): string } => {
    let text = "";
    const child = spawn(process.execPath, [bin, "compare", ...more], {
      env: { ...process.env, ...cluster.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        text += data;
      });
    return Object.assign(child, { said: () => text });
  };
  const ended = (child: ChildProcess) =>
    new Promise<number | null>((resolve) => {
      if (child.exitCode !== null) resolve(child.exitCode);
      child.on("exit", resolve);
    });
  /** Tasks that wait or run. */
  const listed = () =>
    cluster
      .run("squeue", "--noheader", "--array", "--format=%F_%K|%T|%r|%N")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [id = "", state = "", reason = "", node = ""] = line.split("|");
        return { id, state, reason, node };
      });
  const until = async (what: string, holds: () => boolean) => {
    const end = Date.now() + PATIENCE / 2;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const path = () => within("run");
  const KEYS = ["adam-0", "adam-1", "sgd-1e-2-0", "sgd-1e-2-1"];
  const epochsOf = (key: string): number => {
    const file = join(path(), "trials", key, "metrics.jsonl");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
  };
  /** The process that is at work at a trial. */
  const workerOf = (key: string): number =>
    JSON.parse(readFileSync(join(path(), "trials", key, "lock"), "utf8")).pid;

  /** Stops the processes of trials in the epoch after next, or sooner where they have not begun. */
  async function hold(keys: readonly string[]): Promise<void> {
    const before = new Map(keys.map((key) => [key, epochsOf(key)]));
    await until(`${keys.join(", ")} go on`, () => {
      for (const [key, epochs] of before)
        if (epochsOf(key) >= epochs + 2) {
          process.kill(workerOf(key), "SIGSTOP");
          before.delete(key);
        }
      return before.size === 0;
    });
  }
  const goOn = (key: string) => process.kill(workerOf(key), "SIGCONT");
  const notes = () => join(path(), "tasks/slurm");
  /** A variable that Slurm has given the process at work at a trial. */
  const variableOf = (key: string, name: string): string =>
    readFileSync(`/proc/${workerOf(key)}/environ`, "utf8")
      .split("\0")
      .find((line) => line.startsWith(`${name}=`))!
      .slice(name.length + 1);
  /** File of what its batch script prints. */
  const outputOf = (key: string) =>
    join(
      notes(),
      `${variableOf(key, "SLURM_ARRAY_JOB_ID")}_${variableOf(key, "SLURM_ARRAY_TASK_ID")}.out`,
    );
  const hasPrinted = (file: string, text: string) =>
    existsSync(file) && readFileSync(file, "utf8").includes(text);
  const logOf = (key: string) => readFileSync(join(path(), "trials", key, "log.txt"), "utf8");
  const on = ["--executor", "slurm"];
  let parent: ReturnType<typeof start>;
  /** The same comparison on this machine alone, while the other waits for Slurm. */
  let alone: ReturnType<typeof start>;
  /** Trials of the node that is going to die. */
  let moved: string[];

  test("one array has a task a trial", { timeout: PATIENCE }, async () => {
    parent = start(
      ...[...flags, "--out", path(), ...on],
      ...["--slurm-options", "--time=1 --comment='two words'"],
    );
    await hold(KEYS);
    const tasks = listed();
    expect(new Set(tasks.map(({ id }) => id.split("_")[0])).size).toBe(1);
    expect(tasks.map(({ node }) => node).sort()).toEqual(["n1", "n1", "n2", "n2"]);
    // As the live page shows it.
    const named = tasks.map(({ id, node }) => `job ${id} on ${node}`).sort();
    await until("the folder says what runs where", () => {
      const { executor, running, waiting } = workersRecord.parse(
        JSON.parse(readFileSync(join(path(), "workers.json"), "utf8")),
      );
      const there = running.map(({ worker }) => worker).sort();
      return executor === "slurm" && waiting === 0 && there.join() === named.join();
    });
  });

  test("a killed process, a dead node and a time limit: all go on from their last epoch", {
    timeout: PATIENCE,
  }, async () => {
    const on = (node: string) => KEYS.filter((key) => variableOf(key, "SLURMD_NODENAME") === node);
    const [killed = "", limited = ""] = on("n1");
    moved = on("n2");
    const output = outputOf(limited);
    alone = start(...flags, "--out", within("whole"));
    process.kill(workerOf(killed), "SIGKILL");
    cluster.killNode("n2");
    const going = hold(moved);
    await until("Slurm warns of the time limit", () => hasPrinted(output, "limit: "));
    goOn(limited);
    await going;
    await until("the others end", () => [killed, limited].every((key) => epochsOf(key) === 30));
    expect(logOf(limited)).toContain(" interrupted\n");
    for (const key of KEYS) expect(logOf(key)).toMatch(/ goes on after epoch \d/);
  });

  test("Ctrl-C ends the others at a checkpoint", { timeout: PATIENCE }, async () => {
    const outputs = moved.map(outputOf);
    parent.kill("SIGINT");
    await until("they were asked", () => outputs.every((file) => hasPrinted(file, "stop: ")));
    moved.forEach(goOn);
    expect([await ended(parent), parent.said()]).toEqual([
      130,
      expect.stringContaining("2 of 4 runs finished"),
    ]);
    await until("the queue is empty", () => listed().length === 0);
    for (const key of moved) expect(logOf(key)).toContain(" interrupted\n");
  });

  test("Ctrl-C twice ends them at once", { timeout: PATIENCE }, async () => {
    parent = start("--resume", path(), ...on);
    await hold(moved);
    parent.kill("SIGINT");
    await until("it has heard", () => parent.said().includes("once more ends at once"));
    parent.kill("SIGINT");
    expect(await ended(parent)).toBe(130);
    await until("the queue is empty", () => listed().length === 0);
  });

  test("killed with its tasks under way, it leaves them to the call that resumes it", {
    timeout: PATIENCE,
  }, async () => {
    parent = start("--resume", path(), ...on);
    await hold(moved);
    parent.kill("SIGKILL");
    await ended(parent);
    expect(listed()).toHaveLength(2);
  });

  test("resumed: the bytes of one machine, and nothing is left of the tasks", {
    timeout: PATIENCE,
  }, async () => {
    parent = start("--resume", path(), ...on);
    expect([await ended(parent), parent.said()]).toEqual([0, expect.any(String)]);
    expect([await ended(alone), alone.said()]).toEqual([0, expect.any(String)]);
    expect(parent.said()).toMatch(/seed \d +epoch +30/);
    expect(resultOf(path())).toEqual(resultOf(within("whole")));
    expect(await saidOf(path())).toEqual(await saidOf(within("whole")));
    for (const name of ["tasks", "workers.json"])
      expect(existsSync(join(path(), name))).toBe(false);
  });

  test("a study of more trials than an array has, on nodes without lrscope", {
    timeout: PATIENCE,
  }, async () => {
    const failing = start(
      ...[...TINY_FLAGS, "--optimizers", "adam", "--seeds", "5", "--epochs", "1"],
      ...["--threads", "1", "--no-samples", "--out", within("failing"), ...on],
      ...["--slurm-setup", "lrscope=(no-such-command)"],
    );
    expect(await ended(failing)).toBe(1);
    for (const seed of [0, 1, 2, 3, 4])
      expect(failing.said()).toMatch(
        new RegExp(
          `seed ${seed} +failed: its job \\d+_\\d+ ended.*no-such-command: command not found`,
        ),
      );
  });
});
