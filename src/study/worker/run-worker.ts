/**
 * @file `lrscope worker`: takes tasks of the studies that a Redis knows, some at a time, each in a process of its own,
 * as long as it is not told to stop.
 */

import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import type { Job, Worker } from "bullmq";
import { ended } from "../../files/child-end.ts";
import { tailOf } from "../executors/process-end.ts";
import { connectRedis, type RedisConnection } from "../executors/redis/connection.ts";
import type { JobData } from "../executors/redis/executor.ts";
import {
  announceWorker,
  BEAT,
  type ListedStudy,
  listStudies,
  PREFIX,
  withdrawWorker,
} from "../executors/redis/registry.ts";
import { openWire, pause } from "../executors/wire/client.ts";
import { granted } from "../executors/wire/messages.ts";
import { Refusal } from "../executors/wire/refusal.ts";
import { type FromTask, RENEWALS, type TakenJob, type TaskEnd, type ToTask } from "./messages.ts";

export interface WorkerOptions {
  /** "redis://host:6379" */
  readonly url: string;
  /** Tasks at a time; default 1. */
  readonly jobs?: number;
  /** Files of code that studies may name: networks, arms. One is run where its content is the study's. */
  readonly files?: readonly string[];
  /** Ends its tasks after the update under way, and gives them back. */
  readonly signal: AbortSignal;
  /** For people. */
  say(message: string): void;
}

/** Milliseconds between two looks for tasks, from the first, twice as many where there are none. */
const LOOK = 100;
const LONGEST = 1000;
/** Milliseconds until a study whose tasks could not be begun is tried again. */
const AGAIN = 10_000;
/** The same where it could not even be looked at: its images do not come, the disk is full. */
const MUCH_LATER = 60_000;
/** Of a lease, by a worker whose task's process has not begun: one that hangs is given up. */
const MOST_RENEWALS = 10 * RENEWALS;
/** Milliseconds that a Redis which does not answer is waited for when the worker leaves. */
const LAST = 2000;
/** Bytes of what a task's process prints that are kept. */
const MOST_LOG = 1 << 16;

interface Joined {
  readonly study: ListedStudy;
  /** Takes its jobs; null as long as it is looked at, or where this machine cannot run them. */
  queue: Worker<JobData> | null;
}

/**
 * Works until the signal comes.
 * @throws ArgumentError for a Redis that refuses it, or would throw tasks away
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { url, jobs = 1, signal, say } = options;
  const name = `${hostname()}-${process.pid}`;
  const failure = new AbortController();
  const connection = await connectRedis({
    ...{ url, say },
    fail: (error) => failure.abort(error),
  });
  const { client } = connection;
  const over = AbortSignal.any([signal, failure.signal]);
  /** Redis may not answer for long. */
  const aborted = new Promise<never>((_, reject) =>
    over.addEventListener("abort", () => reject(over.reason)),
  );
  aborted.catch(() => undefined);
  const orOver = <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined);
    return Promise.race([work, aborted]);
  };
  const left = new Promise<void>((resolve) =>
    over.addEventListener("abort", () => setTimeout(resolve, LAST).unref()),
  );
  const joined = new Map<string, Joined>();
  const running = new Set<Promise<void>>();
  const children = new Set<ChildProcess>();
  const stopAll = () => {
    for (const child of children)
      if (child.connected) child.send({ type: "stop" } satisfies ToTask);
  };
  over.addEventListener("abort", stopAll);

  const begin = (message: StartOfTask, leased?: () => void) =>
    startTask(message, { say, children, ...(leased ? { leased } : {}) });
  const common = { redis: url, worker: name, files: options.files ?? [] };

  /** Looks whether this machine can run the study's tasks, and then takes them. */
  const join = async (entry: Joined) => {
    const { study } = entry;
    const { end } = await begin({ ...common, study, job: null });
    if (joined.get(study.id) !== entry || over.aborted) return;
    if (end.how !== "done") {
      const reason = "reason" in end ? end.reason : end.how;
      say(`takes no runs of ${study.name}: ${reason}`);
      if (end.how === "failed") later(study, MUCH_LATER);
      await tell(study, "unfit", { worker: name, reason }, over);
      return;
    }
    entry.queue = await openQueue(connection, study);
    say(`takes runs of ${study.name}`);
  };

  const look = async () => {
    const found = await listStudies(client);
    for (const study of found) {
      const known = joined.get(study.id);
      if (known?.study.url === study.url && known.study.token === study.token) continue;
      leave(known);
      const entry: Joined = { study, queue: null };
      joined.set(study.id, entry);
      void join(entry).catch((error) => over.aborted || say(`${study.name}: ${error.message}`));
    }
    for (const [id, entry] of joined)
      if (!found.some((study) => study.id === id)) {
        joined.delete(id);
        leave(entry);
      }
  };

  /** A study whose tasks do not even begin here is looked at again after a while. */
  const later = ({ id }: ListedStudy, milliseconds = AGAIN) => {
    const entry = joined.get(id);
    leave(entry);
    setTimeout(() => {
      if (joined.get(id) === entry) joined.delete(id);
    }, milliseconds).unref();
  };

  /** Takes one job, where there is one. */
  const take = async (): Promise<boolean> => {
    for (const { study, queue } of joined.values()) {
      const lockToken = randomBytes(12).toString("hex");
      const job = await queue?.getNextJob(lockToken, { block: false });
      if (!job?.id) continue;
      const { key, attempt } = job.data;
      // The queue goes on where its study's process has begun anew, at another address: that is joined first.
      const now = (await listStudies(client)).find(({ id }) => id === study.id);
      if (now?.url !== study.url || now.token !== study.token) {
        await job.moveToWait(lockToken).catch(() => undefined);
        leave(joined.get(study.id));
        joined.delete(study.id);
        return false;
      }
      const taken: TakenJob = { key, attempt, id: job.id, lockToken };
      say(`${study.name}: runs ${key}`);
      const work = (async () => {
        // Until its own process does: under load that takes a while to begin.
        let renewals = 0;
        const renewing = setInterval(() => {
          if (++renewals > MOST_RENEWALS) return leased();
          void job.extendLock(lockToken, study.lease).catch(() => undefined);
        }, study.lease / RENEWALS);
        const leased = () => clearInterval(renewing);
        const { end, turn, died } = await begin({ ...common, study, job: taken }, leased).finally(
          leased,
        );
        if (died && turn !== "") await tell(study, `${turn}/died`, died, over);
        if (end.how !== "done")
          say(`${study.name}: ${key}: ${"reason" in end ? end.reason : end.how}`);
        // Of a lease that cannot be given back the end gives it.
        await Promise.race([giveBack(job, taken, end), left]);
        if (end.how === "unfit" || (turn === "" && end.how !== "over")) later(study);
      })().catch((error) => say(`${study.name}: ${key}: ${error.message}`));
      running.add(work);
      void work.finally(() => running.delete(work));
      return true;
    }
    return false;
  };

  try {
    say(`looks for runs at ${connection.name}`);
    for (let wait = LOOK, looked = 0, told = 0; !over.aborted; ) {
      if (client.status === "ready") {
        if (told === 0 || performance.now() - told > BEAT) {
          await orOver(announceWorker(client, { name, jobs, busy: running.size }));
          told = performance.now();
        }
        if (performance.now() - looked > LONGEST) {
          await orOver(look());
          looked = performance.now();
        }
        const took = running.size < jobs && (await orOver(take()));
        wait = took ? 0 : Math.min(Math.max(LOOK, 2 * wait), LONGEST / 2);
      }
      await pause(wait, over);
    }
  } catch (error) {
    if (!over.aborted) throw error;
  } finally {
    stopAll();
    await Promise.all(running);
    for (const entry of joined.values()) leave(entry);
    if (client.status === "ready")
      await Promise.race([withdrawWorker(client, name).catch(() => undefined), left]);
    connection.close();
  }
  if (failure.signal.aborted) throw failure.signal.reason;
}

async function openQueue({ client }: RedisConnection, { id, lease }: ListedStudy) {
  const { Worker } = await import("bullmq");
  const queue = new Worker<JobData>(id, null, {
    ...{ connection: client, prefix: PREFIX, autorun: false },
    // The study's own process looks for tasks whose worker is gone; a task's process keeps its lease.
    ...{ lockDuration: lease, skipStalledCheck: true, skipLockRenewal: true },
  });
  queue.on("error", () => undefined);
  return queue;
}

function leave(entry: Joined | undefined): void {
  const queue = entry?.queue;
  if (!entry || !queue) return;
  entry.queue = null;
  void queue.close(true).catch(() => undefined);
}

/** What the queue is to know of a job whose process is gone. */
async function giveBack(job: Job<JobData>, { lockToken }: TakenJob, end: TaskEnd): Promise<void> {
  // Of one that is over the lock is another's, or the job is gone, or nobody wants it any more.
  const isOver = end.how === "done" || end.how === "over";
  await (isOver ? job.moveToCompleted(null, lockToken, false) : job.moveToWait(lockToken)).catch(
    () => undefined,
  );
}

/** Tells the study's process something that nothing here depends on. */
async function tell(
  study: ListedStudy,
  path: string,
  body: object,
  signal: AbortSignal,
): Promise<void> {
  const wire = openWire({ ...study, signal, say: () => undefined });
  await wire.ask({ method: "POST", path, body: JSON.stringify(body) }, granted).catch((error) => {
    if (!(error instanceof Refusal) && !signal.aborted) throw error;
  });
}

interface EndedTask {
  readonly end: TaskEnd;
  /** "" where it had not begun. */
  readonly turn: string;
  /** Where it could not say how it ended. */
  readonly died?: { exitCode: number | null; signal: string | null; log: string[] };
}

type StartOfTask = Omit<Extract<ToTask, { type: "start" }>, "type">;

function startTask(
  message: StartOfTask,
  {
    say,
    children,
    leased = () => undefined,
  }: { say(message: string): void; children: Set<ChildProcess>; leased?: () => void },
): Promise<EndedTask> {
  const child = fork(ENTRY, [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // See child-process.ts of executors/.
    execArgv: ["--max-semi-space-size=1", "--expose-gc"],
    env: { MALLOC_MMAP_THRESHOLD_: "131072", ...process.env },
  });
  children.add(child);
  child.on("error", () => undefined);
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (text) => {
      log = (log + text).slice(-MOST_LOG);
    });
  let end: TaskEnd | undefined;
  let turn = "";
  child.on("message", (said: FromTask) => {
    if (said.type === "say") say(said.message);
    else if (said.type === "leased") leased();
    else if (said.type === "begun") turn = said.turn;
    else end = said;
  });
  child.send({ type: "start", ...message } satisfies ToTask, () => undefined);
  return ended(child).then(([exitCode, signal]) => {
    children.delete(child);
    if (end) return { end, turn };
    const died = { exitCode, signal, log: tailOf(log) };
    const how = signal === null ? `ended with exit code ${exitCode}` : `was killed (${signal})`;
    const last = died.log.at(-1);
    const reason = `its process ${how}${last === undefined ? "" : `; it said last: ${last}`}`;
    return { end: { how: "failed", reason }, turn, died };
  });
}

const ENTRY = fileURLToPath(new URL("./task-process.js", import.meta.url));
