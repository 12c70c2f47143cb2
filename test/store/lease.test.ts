/** @file A folder's lease: who is refused, who takes over, and that it is one at a time, wherever the others run. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { StoreError } from "../../src/core/errors.ts";
import {
  acquireLease,
  type LeaseClock,
  leaseHolder,
  openRunDirectory,
} from "../../src/store/index.ts";
import { temporaryFolder } from "../cli/temporary.ts";
import { root } from "../house/rooms.ts";

const within = temporaryFolder();

/** Time that stands still; what is waited for is counted, and `during` happens meanwhile. */
function stoppedClock(during: () => void = () => undefined) {
  const waits: number[] = [];
  const beats: (() => void)[] = [];
  const clock: LeaseClock = {
    async wait(milliseconds) {
      waits.push(milliseconds);
      during();
    },
    every(_, work) {
      beats.push(work);
      return () => undefined;
    },
  };
  return { clock, waits, beats };
}

const lockOf = (folder: string) => join(folder, "lock");
const read = (folder: string) => JSON.parse(readFileSync(lockOf(folder), "utf8"));
/** The lock of a folder as another would have left it, its last heartbeat so many seconds ago. */
function left(folder: string, record: object | string, secondsAgo = 0): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(lockOf(folder), typeof record === "string" ? record : JSON.stringify(record));
  age(folder, secondsAgo);
}
function age(folder: string, secondsAgo: number): void {
  const then = Date.now() / 1000 - secondsAgo;
  utimesSync(lockOf(folder), then, then);
}
/** What this process's own lock says. */
async function own(): Promise<Record<string, unknown>> {
  const folder = within("own");
  const lease = await acquireLease(folder);
  const record = read(folder);
  lease.release();
  return record;
}
const elsewhere = async (more: object = {}) => ({
  ...(await own()),
  host: "another machine",
  boot: "another boot",
  token: "theirs",
  ...more,
});
const refusal = (folder: string, clock = stoppedClock().clock): Promise<StoreError> =>
  acquireLease(folder, { clock }).then(
    () => expect.fail("the lease was given"),
    (error) => error,
  );

describe("a lease", () => {
  test("is held until it is released, and names its holder", async () => {
    const folder = within("held");
    const lease = await acquireLease(folder);
    expect(lease.attempt).toBe(1);
    expect(leaseHolder(folder)?.pid).toBe(process.pid);
    const error = await refusal(folder);
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(
      `${folder}: process ${process.pid} has been working in this folder since `,
    );
    lease.check();
    lease.release();
    lease.release();
    expect(leaseHolder(folder)).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
    (await acquireLease(folder)).release();
  });

  test("holds nobody up once its holder is dead, and is taken over without a wait", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"]);
    const folder = within("dead");
    const started = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(" ")[21];
    left(folder, { ...(await own()), pid: child.pid, started, attempt: 3 });
    expect((await refusal(folder)).message).toContain(`process ${child.pid}`);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    const { clock, waits } = stoppedClock();
    const lease = await acquireLease(folder, { clock });
    expect([lease.attempt, waits]).toEqual([4, []]);
    lease.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("holds nobody up where another process got its holder's number", async () => {
    const folder = within("number");
    left(folder, { ...(await own()), started: "1" });
    expect(leaseHolder(folder)).toBeNull();
    (await acquireLease(folder)).release();
  });

  test("that cannot be read is nobody's, once it is seen not to be in the making", async () => {
    const folder = within("torn");
    left(folder, '{"heartbeat": "0');
    const { clock, waits } = stoppedClock();
    (await acquireLease(folder, { clock })).release();
    expect(waits.length).toBeGreaterThan(0);
    // It was.
    left(folder, "");
    const record = await own();
    const made = stoppedClock(() => left(folder, record));
    expect((await refusal(folder, made.clock)).message).toContain(`process ${process.pid}`);
  });

  test("of lrscope 0.1 is judged as it was then", async () => {
    const { pid, started, boot, since } = await own();
    const folder = within("0.1");
    left(folder, { pid, started, boot, since });
    expect((await refusal(folder)).message).toContain(`process ${pid} has been working`);
    left(folder, { pid, started, boot: "another", since });
    (await acquireLease(folder)).release();
    left(folder, { pid, started: "1", boot, since });
    (await acquireLease(folder)).release();
  });

  test("of a run of this machine that is over is taken over at once", async () => {
    const folder = within("restarted");
    const before = { ...(await own()), boot: "another" };
    left(folder, before, uptime() + 10);
    const { clock, waits } = stoppedClock();
    (await acquireLease(folder, { clock })).release();
    expect(waits).toEqual([]);
    // A heartbeat since the start: two machines have one id, as clones do.
    left(folder, before, Math.min(10, uptime() / 2));
    expect((await refusal(folder)).message).toContain("another machine or container");
  });
});

describe("a holder elsewhere", () => {
  test("lives as long as its heartbeat is young", async () => {
    const folder = within("young");
    left(folder, await elsewhere({ pid: 42 }), 20);
    const error = await refusal(folder);
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(
      /is held by another machine or container \(host another machine, process 42, last heartbeat \d+ s ago\); wait for it to end, end it there, or choose another folder with --out/,
    );
    expect(leaseHolder(folder)?.pid).toBe(42);
  });

  test("is the same in another namespace of this machine, dead though its number is here", async () => {
    const folder = within("namespace");
    left(folder, { ...(await own()), namespace: "another", started: "1" });
    expect((await refusal(folder)).message).toContain("another machine or container");
  });

  test("without a heartbeat for a minute is watched, then taken over", async () => {
    const folder = within("silent");
    left(folder, await elsewhere({ attempt: 6 }), 61);
    const { clock, waits } = stoppedClock();
    const lease = await acquireLease(folder, { clock });
    expect([lease.attempt, waits]).toEqual([7, [15_000]]);
    lease.release();
  });

  test.each([
    ["behind", 3600],
    ["ahead", -3600],
  ])("whose clock is %s lives where its heartbeat moves while it is watched", async (_, shift) => {
    const folder = within(`clock ${shift}`);
    const record = await elsewhere();
    let count = 0;
    const heartbeat = () => String(++count).padStart(10, "0");
    left(folder, { ...record, heartbeat: heartbeat() }, shift);
    // Watched three times, and alive each time: the fourth heartbeat is dated rightly.
    const { clock, waits } = stoppedClock(() =>
      left(folder, { ...record, heartbeat: heartbeat() }, count < 5 ? shift : 0),
    );
    expect((await refusal(folder, clock)).message).toContain("another machine or container");
    expect(waits.length).toBe(4);
  });
});

describe("a holder that was taken for dead", () => {
  /** A lease, as it looks from another machine a minute after its holder fell asleep; and that machine's. */
  async function overslept(name: string) {
    const folder = within(name);
    const sleeper = await acquireLease(folder, stoppedClock());
    const directory = openRunDirectory(folder, sleeper);
    directory.writeText("before.txt", "ours");
    left(folder, { ...read(folder), host: "another machine", boot: "another boot" }, 100);
    const other = await acquireLease(folder, stoppedClock());
    return { folder, sleeper, directory, other };
  }

  test("notices before it writes anything, and leaves the other's lease alone", async () => {
    const { folder, sleeper, directory, other } = await overslept("overslept");
    expect(other.attempt).toBe(2);
    other.check();
    for (const work of [
      () => sleeper.check(),
      () => sleeper.renew(),
      () => directory.writeText("after.txt", "theirs"),
      () => directory.writeTrial({ slug: "adam", seed: 0 } as never),
      () => directory.appendLog("adam", 0, "line"),
      () => directory.appendMetrics("adam", 0, {} as never),
      () => directory.checkpoints("adam", 0),
    ]) {
      const error = (() => {
        try {
          return work();
        } catch (thrown) {
          return thrown;
        }
      })() as StoreError;
      expect(error).toBeInstanceOf(StoreError);
      expect(error.exitCode).toBe(1);
      expect(error.message).toContain("is not this process's any more");
    }
    expect(readdirSync(folder).sort()).toEqual(["before.txt", "lock"]);
    sleeper.release();
    other.check();
    other.release();
    expect(readdirSync(folder)).toEqual(["before.txt"]);
  });

  test("does not move the other's heartbeat", async () => {
    const { folder, sleeper, other } = await overslept("no heartbeat");
    const { heartbeat } = read(folder);
    expect(() => sleeper.renew()).toThrow("took it over");
    expect(read(folder).heartbeat).toBe(heartbeat);
    other.renew();
    expect(Number(read(folder).heartbeat)).toBe(Number(heartbeat) + 1);
    other.release();
  });
});

test("the heartbeat moves, and nothing else of the file", async () => {
  const folder = within("beats");
  const { clock, beats } = stoppedClock();
  const lease = await acquireLease(folder, { clock });
  const before = read(folder);
  for (let count = 1; count <= 12; count++) beats[0]!();
  expect(read(folder)).toEqual({ ...before, heartbeat: "0000000012" });
  lease.release();
});

test("a folder that is gone: named by check, and no error of release", async () => {
  const folder = within("gone");
  const lease = await acquireLease(folder);
  rmSync(folder, { recursive: true });
  expect(() => lease.check()).toThrow("its lock is gone");
  lease.release();
  expect(existsSync(folder)).toBe(false);
});

/** Takes the lease, says so, and holds it until stdin ends; what is watched for in earnest passes at once. */
const CONTENDER = (beating: boolean) => `
  import { acquireLease } from ${JSON.stringify(pathToFileURL(join(root, "dist/store/lease.js")).href)};
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20)));
  const every = (_, work) => { const timer = setInterval(work, 20); return () => clearInterval(timer); };
  process.stdin.resume();
  process.stdin.once("data", async () => {
    try {
      const lease = await acquireLease(process.argv[1], { clock: { wait, every${beating ? "" : ": () => () => {}"} } });
      console.log("holds " + lease.attempt);
      process.stdin.once("end", () => { lease.release(); process.exit(0); });
    } catch (error) {
      console.log("refused " + error.message);
      process.exit(0);
    }
  });
  console.log("ready");
`;

interface Contender {
  readonly child: ChildProcess;
  /** The next line of its stdout. */
  next(): Promise<string>;
}

function contender(folder: string, command: readonly string[] = [], beating = false): Contender {
  const [program, ...argv] = [
    ...command,
    ...[process.execPath, "--input-type=module", "-e", CONTENDER(beating), folder],
  ];
  const child = spawn(program!, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return { child, next: async () => String((await lines.next()).value) };
}

describe("many at once", () => {
  const MANY = 10;

  test.each(["nobody's", "a dead process's", "a silent machine's"] as const)(
    "want %s lease: one gets it",
    async (whose) => {
      const folder = within(`race ${whose}`);
      const contenders = Array.from({ length: MANY }, () => contender(folder));
      for (const { next } of contenders) expect(await next()).toBe("ready");
      const record = await own();
      if (whose === "a dead process's") left(folder, { ...record, started: "1", token: "dead" });
      if (whose === "a silent machine's") left(folder, await elsewhere(), 100);
      for (const { child } of contenders) child.stdin!.write("go\n");
      const answers = await Promise.all(contenders.map(({ next }) => next()));
      expect(answers.filter((answer) => answer.startsWith("holds"))).toEqual([
        whose === "nobody's" ? "holds 1" : "holds 2",
      ]);
      const { pid } = read(folder);
      expect(contenders[answers.findIndex((answer) => answer.startsWith("holds"))]!.child.pid).toBe(
        pid,
      );
      for (const answer of answers)
        expect(answer).toMatch(/^holds|^refused .*process \d+ has been working in this folder/);
      const ended = contenders.map(({ child }) => child.exitCode ?? once(child, "exit"));
      for (const { child } of contenders) child.stdin!.end();
      await Promise.all(ended);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test("a claim that its owner did not live to use is taken over as well", async () => {
    const folder = within("dead claim");
    const dead = { ...(await own()), started: "1" };
    left(folder, { ...dead, token: "first" });
    const claim = (of: string) => join(folder, `.lock.${of}.claim.tmp`);
    writeFileSync(claim("first"), JSON.stringify({ ...dead, token: "second" }));
    writeFileSync(claim("second"), JSON.stringify({ ...dead, token: "third" }));
    const lease = await acquireLease(folder);
    expect(lease.attempt).toBe(2);
    lease.check();
    lease.release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("a living holder in another PID namespace keeps its lease; a killed one does not", async ({
  skip,
}) => {
  const unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
  if (spawnSync(unshare[0]!, [...unshare.slice(1), "true"]).status !== 0)
    return skip("making a PID namespace is not permitted here");
  const folder = within("container");
  const inside = contender(folder, unshare, true);
  expect(await inside.next()).toBe("ready");
  inside.child.stdin!.write("go\n");
  expect(await inside.next()).toBe("holds 1");
  const { pid } = read(folder);
  const message = (await refusal(folder)).message;
  expect(message).toContain("is held by another machine or container");
  // On a busy machine the last of its heartbeats is not of this second.
  expect(message).toMatch(new RegExp(`process ${pid}, last heartbeat \\d+ s ago`));
  // The other way round: who is in the container does not take what is held outside.
  const outside = within("outside");
  const lease = await acquireLease(outside);
  const intruder = contender(outside, unshare);
  expect(await intruder.next()).toBe("ready");
  intruder.child.stdin!.write("go\n");
  expect(await intruder.next()).toMatch(/^refused .*another machine or container/);
  lease.check();
  lease.release();

  const ended = once(inside.child, "exit");
  inside.child.kill("SIGKILL");
  await ended;
  age(folder, 61);
  const { clock, waits } = stoppedClock();
  const later = await acquireLease(folder, { clock });
  expect([later.attempt, waits]).toEqual([2, [15_000]]);
  later.release();
});
