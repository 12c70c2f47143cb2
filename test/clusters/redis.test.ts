/**
 * @file A comparison whose runs wait in a real Redis for workers, of which workers, their processes, Redis and the
 * comparison's own process are taken away: in the end it has what one machine would have made of it, byte for byte.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { workersRecord } from "../../src/record/index.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { saidOf } from "../faults/derived.ts";
import { resultOf, TINY_FLAGS } from "../faults/tiny.ts";
import {
  commands,
  ended,
  NETWORK,
  PATIENCE,
  type RunUnderWay,
  runsOf,
  type Spoken,
  until,
} from "./commands.ts";
import { type Asked, redisAbsent, type TestRedis, testRedis } from "./redis-server.ts";

/** Seconds; long enough for a process that is busy to be heard of. */
const LEASE = 5;
const EPOCHS = 100;

const absent = engineAbsent() ?? redisAbsent();
describe.skipIf(absent)(`with Redis${absent ? ` (${absent})` : ""}`, { timeout: PATIENCE }, () => {
  const within = temporaryFolder();
  const { run, end } = commands();
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis(within("redis"));
    writeFileSync(within("net.ts"), NETWORK);
  });
  afterAll(async () => {
    end();
    for (const pid of frozen) process.kill(pid, "SIGKILL");
    await redis?.kill();
  });

  const flags = () => [
    ...[...TINY_FLAGS, "--optimizers", "adam,sgd@1e-2", "--seeds", "2", "--epochs", `${EPOCHS}`],
    ...["--threads", "1", "--no-samples", "--model", within("net.ts")],
  ];
  const path = () => within("run");
  const compare = (...more: string[]) =>
    run(["compare", ...more, "--executor", redis.url, "--lease", `${LEASE}s`]);
  const workers: Spoken[] = [];
  const joinWith = (...more: string[]) => {
    const worker = run(["worker", redis.url, "--files", within("net.ts"), ...more]);
    workers.push(worker);
    return worker;
  };
  const linesOf = (key: string) => {
    const file = join(path(), "trials", key, "metrics.jsonl");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  };
  const logOf = (key: string) => readFileSync(join(path(), "trials", key, "log.txt"), "utf8");
  const standing = () =>
    workersRecord.parse(JSON.parse(readFileSync(join(path(), "workers.json"), "utf8")));
  const beginningsOf = (key: string) => logOf(key).split("goes on after epoch").length - 1;
  /** Processes that are stopped: they do not even see that their worker is gone. */
  const frozen = new Set<number>();
  /** Stops the process that has a run, once it has told so many epochs more. */
  const hold = async (epochs: number, key?: string, of = workers): Promise<RunUnderWay> => {
    const before = key === undefined ? 0 : linesOf(key).length;
    const one = await until(`${key ?? "a run"} goes on`, () =>
      runsOf(of).find(
        (found) =>
          !frozen.has(found.pid) &&
          (key === undefined || found.key === key) &&
          linesOf(found.key).length >= before + epochs &&
          linesOf(found.key).length < EPOCHS,
      ),
    );
    process.kill(one.pid, "SIGSTOP");
    frozen.add(one.pid);
    return one;
  };
  const wake = ({ pid }: RunUnderWay) => {
    frozen.delete(pid);
    process.kill(pid, "SIGCONT");
  };
  const isOver = ({ pid, worker }: RunUnderWay) => !runsOf([worker]).some((one) => one.pid === pid);

  let parent: Spoken;
  let alone: Spoken;
  let asked: () => Asked[];
  /** Of a run, on a worker that is killed; on one that is stopped; and on the one that took that over. */
  let killed: RunUnderWay;
  let stopped: RunUnderWay;
  let again: RunUnderWay;

  test("without a Redis all wait for it, and begin when it is there", async () => {
    parent = compare(...flags(), "--out", path());
    for (const child of [parent, joinWith(), joinWith()])
      await until("it says so", () => child.said().includes("does not answer (ECONNREFUSED)"));
    await redis.start();
    asked = await redis.monitor();
    [killed, stopped] = await Promise.all([
      hold(2, undefined, workers.slice(0, 1)),
      hold(2, undefined, workers.slice(1, 2)),
    ]);
    expect(killed.key).not.toBe(stopped.key);
  });

  test("killed, and stopped past its lease: others go on as soon as the lease has ended", async () => {
    // As a machine that loses its power does.
    killed.worker.kill("SIGKILL");
    process.kill(killed.pid, "SIGKILL");
    frozen.delete(killed.pid);
    // The comparison alone: its runs would take the cores of those that are awaited.
    alone = run(["compare", ...flags(), "--out", within("whole")]);
    joinWith("--jobs", "6");
    [again] = await Promise.all([
      hold(1, stopped.key),
      until("another goes on", () => beginningsOf(killed.key) > 0),
    ]);
    for (const { key } of [killed, stopped]) {
      const { looks, early, late, passedOver } = takeoverOf(`${key}-1`, asked());
      // By the clock of Redis: every second it is looked for leases that have ended, the first look that may find it
      // does, and the next worker that looks for work takes it, which is half a second later at most.
      expect([looks, early, late, passedOver]).toEqual([[1000], false, 0, 0]);
      expect(logOf(key)).toMatch(/turn 2 at it: \S+ takes over from \S+, which is not heard of/);
    }
  });

  test("stopped once more, it is taken over once more; what those who wake tell is refused, and logged", async () => {
    const { key } = stopped;
    const now = await hold(1, key);
    expect(beginningsOf(key)).toBeGreaterThanOrEqual(2);
    const before = linesOf(key);
    // What comes of a run before its process finds that it is over, whichever it is.
    for (const turn of [1, 2]) await expectStale({ key, turn });
    expect(linesOf(key)).toEqual(before);
    // As the live page shows it.
    const { pid } = now.worker;
    await until("the folder says who has it, in which turn, and what was refused", () => {
      const { executor, lease, workers, running, refused, lastRefused } = standing();
      const found = running.find((one) => one.key === key);
      return (
        executor === "redis" &&
        lease === LEASE &&
        workers.some(({ name }) => name.endsWith(`-${pid}`)) &&
        found?.worker.endsWith(`-${pid}`) &&
        found.leaseLeft !== null &&
        found.leaseLeft <= LEASE &&
        (found.turn ?? 0) >= 3 &&
        refused >= 6 &&
        lastRefused?.includes(`refused the end of attempt 1.2 at ${key}`)
      );
    });
    for (const one of [stopped, again]) {
      wake(one);
      await until("who woke ends", () => isOver(one));
      await until("it is said", () =>
        /its lease ended, and it may be with another worker|is over/.test(
          (one.worker as Spoken).said(),
        ),
      );
    }
    wake(now);
  });

  test("a worker that leaves gives its run back, to one that has joined", async () => {
    joinWith("--jobs", "6");
    const { key } = stopped;
    const held = await hold(1, key);
    const leaving = held.worker as Spoken;
    leaving.kill("SIGINT");
    wake(held);
    expect([await ended(leaving), leaving.said()]).toEqual([0, expect.any(String)]);
    await until("it is said", () =>
      new RegExp(`${key}: \\S+-${leaving.pid} gives it back after epoch`).test(parent.said()),
    );
  });

  test("Redis killed, back with its data, and without: runs go on, workers leave, nothing is lost", async () => {
    const { key } = stopped;
    if (workers.filter(isLeft).length < 3) joinWith("--jobs", "6");
    const held = await hold(1, key);
    await redis.kill();
    await until("it is said", () => /redis: .*does not answer/.test(parent.said()));
    wake(held);
    const still = await hold(2, key);
    expect(still.pid).toBe(held.pid);
    // Nobody has to wait for a Redis to leave.
    const idle = workers.filter(isLeft).find((worker) => worker !== held.worker) as Spoken;
    idle.kill("SIGTERM");
    expect(await ended(idle)).toBe(0);
    await redis.start();
    await until("it is said", () => /redis: .*answers again/.test(parent.said()));
    wake(still);
    const lost = await hold(1, key);
    await redis.kill();
    redis.forget();
    await redis.start();
    await until("what it lost is there again", () =>
      redis.cli("keys", `lrscope:*:${key}-1`).includes(key),
    );
    const next = await hold(1, key);
    expect(next.pid).not.toBe(lost.pid);
    wake(lost);
    await until("who had it before ends", () => isOver(lost));
    wake(next);
  });

  test("the comparison killed: its runs wait, and go on with the call that resumes it", async () => {
    const held = await hold(1, stopped.key);
    parent.kill("SIGKILL");
    await ended(parent);
    wake(held);
    await until("it is waited for", () =>
      /http:\/\/\S+ does not answer/.test((held.worker as Spoken).said()),
    );
    parent = compare("--resume", path());
    expect([await ended(parent), parent.said()]).toEqual([0, expect.any(String)]);
  });

  test("records and weights are those of one machine, each epoch once, and nothing is left in Redis", async () => {
    expect([await ended(alone), alone.said()]).toEqual([0, expect.any(String)]);
    expect(resultOf(path())).toEqual(resultOf(within("whole")));
    expect(await saidOf(path())).toEqual(await saidOf(within("whole")));
    for (const key of ["adam-0", "adam-1", "sgd-1e-2-0", "sgd-1e-2-1"])
      expect(linesOf(key).map((line) => JSON.parse(line).epoch)).toEqual(
        Array.from({ length: EPOCHS }, (_, index) => index + 1),
      );
    for (const name of ["tasks", "workers.json"])
      expect(existsSync(join(path(), name))).toBe(false);
    expect(redis.cli("keys", "lrscope:*:adam*")).toBe("");
    expect(redis.cli("smembers", "lrscope:studies")).toBe("");
  });

  test("a worker without the network's file gets no run, and one with it does", async () => {
    for (const worker of workers) worker.kill("SIGINT");
    for (const worker of workers) await ended(worker);
    mkdirSync(within("elsewhere"));
    writeFileSync(within("elsewhere/net.ts"), `${NETWORK}// Another.\n`);
    parent = compare(
      ...[...TINY_FLAGS, "--optimizers", "adam", "--seeds", "1", "--epochs", "2"],
      ...["--threads", "1", "--no-samples", "--model", within("net.ts")],
      ...["--out", within("own-network")],
    );
    const without = run(["worker", redis.url], { cwd: within("elsewhere") });
    await until("it is told", () => parent.said().includes("no code is sent to workers"));
    expect(without.said()).toContain("takes no runs of own-network");
    run(["worker", redis.url, "--files", within("net.ts")]);
    expect([await ended(parent), parent.said()]).toEqual([0, expect.any(String)]);
  });

  test("a Redis that may throw runs away is refused", async () => {
    redis.cli("config", "set", "maxmemory-policy", "allkeys-lru");
    const refused = compare(...flags(), "--out", within("refused"));
    const worker = run(["worker", redis.url]);
    expect([await ended(refused), await ended(worker)]).toEqual([2, 2]);
    for (const { said } of [refused, worker])
      expect(said()).toContain("its maxmemory-policy must be noeviction");
  });

  /** A record, a checkpoint and an end of a turn that is over: each refused, and in the log of the run. */
  async function expectStale({ key, turn }: { key: string; turn: number }) {
    const [id] = redis.cli("smembers", "lrscope:studies").split("\n");
    const { url, token } = JSON.parse(redis.cli("get", `lrscope:study:${id}`));
    const metrics = linesOf(key).map((line) => JSON.parse(line));
    const [arm, seed] = [JSON.parse(trialOf(key)).arm, JSON.parse(trialOf(key)).seed];
    const next = { ...metrics.at(-1), epoch: metrics.length + 1 };
    const record = {
      ...{ formatVersion: 1, epoch: metrics.length, update: metrics.at(-1).update },
      ...{ metrics, msPerStep: 1, seconds: 1 },
    };
    const event = { formatVersion: 1, type: "epoch", arm, seed, metrics: next };
    const sha256 = "0".repeat(64);
    const told: [string, string, string][] = [
      ["POST event", "a record (epoch)", JSON.stringify({ seq: 9, event })],
      ["PUT checkpoint", "a checkpoint", `${JSON.stringify({ seq: 9, sha256, record })}\n`],
      ["POST end", "the end", JSON.stringify({ seq: 9, how: "ended", error: null })],
    ];
    for (const [call, what, body] of told) {
      const [method = "", name] = call.split(" ");
      const response = await fetch(`${url}/attempts/${key}/1/${turn}/${name}`, {
        ...{ method, body, headers: { authorization: `Bearer ${token}` } },
      });
      expect([response.status, await response.json()]).toMatchObject([409, { kind: "stale" }]);
      expect(logOf(key)).toContain(`refused ${what} of attempt 1.${turn} at ${key}`);
    }
  }
  const trialOf = (key: string) => readFileSync(join(path(), "trials", key, "trial.json"), "utf8");
});

const isLeft = (worker: Spoken) => worker.exitCode === null && worker.signalCode === null;

/** How a job went from a worker that was not heard of any more to another, as Redis saw it. */
function takeoverOf(job: string, asked: readonly Asked[]) {
  const isLock = ({ words: [call, name = "", , unit] }: Asked, of = job) =>
    call === "SET" && name.endsWith(`${of}:lock`) && unit === "PX";
  const isLook = ({ words: [call, name = ""] }: Asked) =>
    call === "SET" && name.endsWith(":stalled-check");
  const isPush = ({ words: [call = "", name = "", id] }: Asked) =>
    /^[RL]PUSH$/.test(call) && name.endsWith(":wait") && id === job;
  const isPop = ({ words: [call = "", name = ""] }: Asked) =>
    /^(RPOPLPUSH|LMOVE)$/.test(call) && name.endsWith(":wait");
  const first = asked.findIndex((one) => isLock(one));
  const back = asked.findIndex((one, index) => index > first && isPush(one));
  const taken = asked.findIndex((one, index) => index > back && isLock(one));
  const renewed = asked
    .slice(0, back)
    .filter((one) => isLock(one))
    .at(-1);
  const ends = (renewed?.at ?? Number.NaN) + LEASE;
  const looksAt = asked.filter(isLook);
  /** Of all jobs that were taken since it was given back, this one the last, by the tokens of their takers. */
  const before = new Set(asked.slice(0, back).map(({ words }) => words[2]));
  const begun = new Set(
    asked
      .slice(back, taken + 1)
      .filter((one) => isLock(one, "") && !before.has(one.words[2]))
      .map(({ words }) => words[2]),
  );
  return {
    /** Milliseconds within which nobody looks again. */
    looks: [...new Set(looksAt.map(({ words }) => Number(words[4])))],
    /** Whether it was taken away before its lease had ended. */
    early: (asked[back]?.at ?? Number.NaN) < ends - 0.02,
    /** Looks after the end of the lease that did not find it; one at its very end may, or may not. */
    late: Math.max(
      0,
      asked.slice(0, back).filter((one) => isLook(one) && one.at > ends + 0.02).length - 1,
    ),
    /** Workers that looked for work, and found none. */
    passedOver: asked.slice(back, taken).filter(isPop).length - begun.size,
  };
}
