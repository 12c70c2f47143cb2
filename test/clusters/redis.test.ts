/**
 * @file A comparison whose runs wait in a real Redis for workers, of which workers, their processes, Redis and the
 * comparison's own process are taken away: in the end it has what one machine would have made of it, byte for byte.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
const EPOCHS = 80;

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

  test("killed, or stopped past its lease: another goes on, and who wakes is refused", {
    timeout: PATIENCE,
  }, async () => {
    const [first, second] = workers as [Spoken, Spoken];
    first.kill("SIGKILL");
    // The comparison alone: its runs would take the cores of those that are awaited.
    alone = run(["compare", ...flags, "--out", within("whole")]);
    workers.push(worker("--jobs", "4"));
    const third = workers[2] as Spoken;
    await until("they go on", () =>
      [killed, stopped].every(({ key }) => /goes on after epoch/.test(logOf(key))),
    );
    // Stopped once more, it is taken over once more.
    const again = await hold(third, epochsOf(stopped.key), stopped.key);
    await until("it goes on again", () => {
      const now = taskOf(third, stopped.key);
      return logOf(stopped.key).split("goes on after epoch").length > 2 && now;
    });
    process.kill(killed.pid, "SIGKILL");
    for (const { pid } of [stopped, again]) process.kill(pid, "SIGCONT");
    // What they send is refused, or they find their lease gone before they send it.
    for (const [child, { pid }] of [
      [second, stopped],
      [third, again],
    ] as const)
      await until("who woke ends", () => !tasksOf(child).some((task) => task.pid === pid));
  });

  test("Redis killed, and back with its data, and without: nothing is lost", {
    timeout: PATIENCE,
  }, async () => {
    await redis.kill();
    await until("it says so", () => /redis: .*does not answer/.test(parent.said()));
    await redis.start();
    await until("it says so", () => /redis: .*answers again/.test(parent.said()));
    await redis.kill();
    redis.forget();
    await redis.start();
    await until("the runs are there again", () => redis.cli("keys", "lrscope:*:meta") !== "");
  });

  test("the comparison killed: its runs wait, and go on with the call that resumes it", {
    timeout: PATIENCE,
  }, async () => {
    parent.kill("SIGKILL");
    await ended(parent);
    parent = compare("--resume", path());
    expect([await ended(parent), parent.said()]).toEqual([0, expect.any(String)]);
  });

  test("records and weights are those of one machine, and nothing is left in Redis", {
    timeout: PATIENCE,
  }, async () => {
    expect([await ended(alone), alone.said()]).toEqual([0, expect.any(String)]);
    expect(resultOf(path())).toEqual(resultOf(within("whole")));
    expect(existsSync(join(path(), "tasks"))).toBe(false);
    expect(redis.cli("keys", "lrscope:*:adam*")).toBe("");
    expect(redis.cli("smembers", "lrscope:studies")).toBe("");
  });

  test("a worker that leaves gives its run back, and one without the network's file gets none", {
    timeout: PATIENCE,
  }, async () => {
    for (const child of workers) child.kill("SIGINT");
    expect(await ended(workers[1] as Spoken)).toBe(130);
    for (const folder of ["here", "there", "elsewhere"]) mkdirSync(within(folder));
    const net = (more = "") => `import { layers } from "lrscope";
export const network = ({ classes, channels, size }) =>
  layers.network({ name: "net", input: [channels, size, size],
    layers: [layers.flatten(), layers.linear(classes)] });
${more}`;
    writeFileSync(within("here/net.ts"), net());
    writeFileSync(within("there/net.ts"), net());
    writeFileSync(within("elsewhere/net.ts"), net("// Another.\n"));
    parent = compare(
      ...[...TINY_FLAGS, "--optimizers", "adam", "--seeds", "1", "--epochs", "400"],
      ...["--threads", "1", "--no-samples", "--model", within("here/net.ts")],
      ...["--out", within("own-network")],
    );
    const without = run(["worker", redis.url], within("elsewhere"));
    await until("it is told", () => parent.said().includes("no code is sent to workers"));
    expect(without.said()).toContain("takes no runs of own-network");
    const leaving = run(["worker", redis.url], within("there"));
    await until("it runs", () => /seed 0 +epoch +2/.test(parent.said()));
    leaving.kill("SIGINT");
    expect(await ended(leaving)).toBe(130);
    await until("it says so", () => /adam-0: .* gives it back after epoch \d/.test(parent.said()));
    parent.kill("SIGINT");
    expect(await ended(parent)).toBe(130);
    expect(parent.said()).toContain("0 of 1 runs finished");
  });

  test("a Redis that may throw runs away is refused", { timeout: PATIENCE }, async () => {
    redis.cli("config", "set", "maxmemory-policy", "allkeys-lru");
    const refused = run([
      ...["compare", ...flags, "--out", within("refused"), "--executor", redis.url],
    ]);
    const leaving = worker();
    expect([await ended(refused), await ended(leaving)]).toEqual([2, 2]);
    for (const { said } of [refused, leaving])
      expect(said()).toContain("its maxmemory-policy must be noeviction");
  });
});
