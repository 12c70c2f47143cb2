/**
 * @file A comparison whose runs wait in a real Redis for workers, of which workers, their processes, Redis and the
 * comparison's own process are taken away: in the end it has what one machine would have made of it, byte for byte.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, TINY_FLAGS } from "../faults/tiny.ts";
import { redisAbsent, type TestRedis, testRedis } from "./redis-server.ts";

const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));
const PATIENCE = 180_000;
/** Seconds; long enough for a process to begin on a machine that is busy. */
const LEASE = "8s";
const EPOCHS = 8;

const absent = engineAbsent() ?? redisAbsent();
describe.skipIf(absent)(`with Redis${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let redis: TestRedis;
  const started: ChildProcess[] = [];
  beforeAll(async () => {
    redis = await testRedis(within("redis"));
  });
  afterAll(async () => {
    for (const child of started) child.kill("SIGKILL");
    await redis?.kill();
  });

  type Spoken = ChildProcess & { said(): string };
  const run = (args: readonly string[], cwd?: string): Spoken => {
    let text = "";
    const child = spawn(process.execPath, [bin, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    started.push(child);
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        text += data;
      });
    return Object.assign(child, { said: () => text });
  };
  const ended = (child: ChildProcess) =>
    new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
      child.on("exit", resolve);
    });
  const until = async <T>(what: string, holds: () => T | undefined | false | null): Promise<T> => {
    const end = Date.now() + PATIENCE / 2;
    for (;;) {
      const found = holds();
      if (found) return found;
      if (Date.now() > end) throw new Error(`never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  const flags = [
    ...[...TINY_FLAGS, "--optimizers", "adam,sgd@1e-2", "--seeds", "2", "--epochs", `${EPOCHS}`],
    ...["--threads", "1", "--no-samples"],
  ];
  const path = () => within("run");
  const compare = (...more: string[]) =>
    run(["compare", ...more, "--executor", redis.url, "--lease", LEASE]);
  const worker = (...more: string[]) => run(["worker", redis.url, ...more]);
  const epochsOf = (key: string): number => {
    const file = join(path(), "trials", key, "metrics.jsonl");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
  };
  const logOf = (key: string) => readFileSync(join(path(), "trials", key, "log.txt"), "utf8");
  /** The processes that a worker has at work at a run. */
  const tasksOf = ({ pid }: ChildProcess): { pid: number; key: string }[] =>
    spawnSync("ps", ["-o", "pid=,args=", "--ppid", `${pid}`], { encoding: "utf8" })
      .stdout.split("\n")
      .flatMap((line) => {
        const [, pid, key] = /^\s*(\d+) lrscope run (\S+)/.exec(line) ?? [];
        return key === undefined ? [] : [{ pid: Number(pid), key }];
      });
  const taskOf = (child: ChildProcess, key?: string) =>
    tasksOf(child).find((task) => key === undefined || task.key === key);
  /** Stops a worker's process after so many epochs of its run. */
  const hold = async (child: ChildProcess, epochs: number, key?: string) => {
    const task = await until("a run begins", () => {
      const found = taskOf(child, key);
      return found && epochsOf(found.key) >= epochs ? found : null;
    });
    process.kill(task.pid, "SIGSTOP");
    return task;
  };

  let parent: Spoken;
  let alone: Spoken;
  let workers: Spoken[];
  /** Of the second worker, stopped. */
  let stopped: { pid: number; key: string };
  let killed: { pid: number; key: string };

  test("without a Redis all wait for it, and begin when it is there", {
    timeout: PATIENCE,
  }, async () => {
    parent = compare(...flags, "--out", path());
    workers = [worker(), worker()];
    for (const child of [parent, ...workers])
      await until("it says so", () => child.said().includes("does not answer (ECONNREFUSED)"));
    await redis.start();
    [killed, stopped] = (await Promise.all(workers.map((child) => hold(child, 2)))) as [
      typeof killed,
      typeof stopped,
    ];
    expect(killed.key).not.toBe(stopped.key);
  });

  test("a worker killed, one stopped past its lease, Redis killed: the bytes of one machine", {
    timeout: PATIENCE,
  }, async () => {
    (workers[0] as Spoken).kill("SIGKILL");
    process.kill(killed.pid, "SIGKILL");
    alone = run(["compare", ...flags, "--out", within("whole")]);
    await redis.kill();
    await until("it says so", () => /redis: .*does not answer/.test(parent.said()));
    await redis.start();
    workers.push(worker("--jobs", "6"));
    await until("they go on", () =>
      [killed, stopped].every(({ key }) => /goes on after epoch/.test(logOf(key))),
    );
    process.kill(stopped.pid, "SIGCONT");
    expect([await ended(parent), parent.said()]).toEqual([0, expect.any(String)]);
    expect([await ended(alone), alone.said()]).toEqual([0, expect.any(String)]);
    expect(resultOf(path())).toEqual(resultOf(within("whole")));
    expect(existsSync(join(path(), "tasks"))).toBe(false);
    expect(redis.cli("smembers", "lrscope:studies")).toBe("");
  });
});
