/**
 * @file Tasks as jobs of a queue in Redis, which workers on any hosts take. Redis says who may work at what; what
 * came of it, workers tell this process, which alone writes the run directory.
 */

import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { basename } from "node:path";
import type { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { ArgumentError } from "../../../core/errors.ts";
import { thisProcess } from "../../../files/process-identity.ts";
import { versioned } from "../../../record/index.ts";
import { currentTask, digestOf } from "../../../store/index.ts";
import type { ExecutorContext } from "../child-process.ts";
import { eventStream } from "../event-stream.ts";
import type { Executor, ExecutorEvent } from "../executor.ts";
import { checkMixedTask } from "../mixed.ts";
import { reported } from "../reported-error.ts";
import { atTime, MOST_NAMED, tellWorkers, type Workers } from "../tell-workers.ts";
import { attempts } from "../wire/attempts.ts";
import { describeStudy } from "../wire/describe-study.ts";
import { mostWeights } from "../wire/kept-weights.ts";
import { sentFiles } from "../wire/sent-files.ts";
import { type StoreServer, startStoreServer } from "../wire/server.ts";
import { connectRedis, isRedisUrl, type RedisConnection } from "./connection.ts";
import { announce, BEAT, listWorkers, PREFIX, withdraw } from "./registry.ts";

export interface RedisOptions {
  /** Seconds without a sign of life after which a task goes on with another worker; default 60. */
  readonly lease?: number;
  /** "HOST" or "HOST:PORT" by which workers reach this process; default: the address by which it reaches Redis. */
  readonly address?: string;
  /** Whether workers whose plan differs get tasks, too; default false. */
  readonly mixed?: boolean;
}

/** Milliseconds between two looks for tasks whose worker is not heard of. */
const STALLED = 1000;
/** BullMQ fails a job that was taken over more often; how often it may be, this side counts. */
const NO_LIMIT = 1_000_000_000;
/** Of BullMQ's priorities the least is begun first, and of those without one all before; ours count upwards from 0. */
const LAST_PRIORITY = 1_000_000;
/** Milliseconds that are waited, at the end, for a Redis that does not answer. */
const LAST = 2000;

/** The name of an attempt in the queue. */
export const jobIdOf = ({ key, attempt }: { key: string; attempt: number }): string =>
  `${key}-${attempt}`;

/** What a job holds. */
export interface JobData {
  readonly key: string;
  readonly attempt: number;
}

/**
 * An executor of a Redis.
 * @param url "redis://host:6379"
 * @throws ArgumentError for an address that is none
 */
export function redis(
  url: string,
  options: RedisOptions = {},
): (context: ExecutorContext) => Executor {
  if (!isRedisUrl(url))
    throw new ArgumentError(`redis: the address must be redis://HOST:PORT; got "${url}"`);
  return (context) => redisExecutor({ url, ...options }, context);
}

function redisExecutor(
  options: RedisOptions & { readonly url: string },
  context: ExecutorContext,
): Executor {
  const { directory, shared } = context;
  const path = realpathSync(directory.path);
  const id = digestOf(`${thisProcess().host} ${path}`).slice(0, 16);
  const lease = Math.round((options.lease ?? 60) * 1000);
  const token = randomBytes(24).toString("base64url");
  const { push, end, read } = eventStream<ExecutorEvent>();
  /** Of all attempts that were submitted, by their names. */
  const priorities = new Map<string, number>();
  const said = new Map<string, number>();
  const say = (message: string) => {
    const now = performance.now();
    // What comes again and again is said once in a while.
    if (now - (said.get(message) ?? Number.NEGATIVE_INFINITY) < 5000) return;
    said.set(message, now);
    context.onEvent(versioned({ type: "executor", executor: "redis", message }));
  };
  const accepted = attempts({
    directory,
    onEvent: context.onEvent,
    say,
    running: ({ key, attempt }) => push({ key, attempt, state: "running" }),
    gone: ({ key, attempt }, how) => push({ key, attempt, state: "gone", ...how }),
  });
  /** Ends all that is left, with what its submitter is to hear. */
  const fail = (error: unknown) => {
    for (const task of accepted.left()) {
      push({ key: task.key, attempt: task.attempt, state: "running" });
      accepted.drop(task.key, { error: reported(error) });
    }
  };

  let closed = false;
  let parts: Promise<{ server: StoreServer; connection: RedisConnection } & Bull> | undefined;
  let beating: ReturnType<typeof setInterval> | undefined;
  let telling: ReturnType<typeof tellWorkers> | undefined;

  const open = async () => {
    const { hostname } = new URL(options.url);
    const isHere = /^(localhost|127\.|\[::1\])/.test(hostname);
    const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(options.address ?? "") ?? [];
    const description = describeStudy(shared, { mixed: options.mixed ?? false });
    const server = await startStoreServer({
      host: isHere && options.address === undefined ? "127.0.0.1" : "0.0.0.0",
      ...{ port: Number(port ?? 0), token, attempts: accepted },
      mostWeights: mostWeights(shared.plan),
      description: JSON.stringify(description),
      unfit: (worker, reason) => say(`${worker} gets no run: ${reason}`),
      files: sentFiles(shared, description.weights?.sha256 ?? null),
    });
    const connection = await connectRedis({
      ...{ url: options.url, say, fail },
      // What Redis may have lost is there again; what is there already is not put there twice.
      ready: () => void bull.then((made) => fill(made)).catch(() => undefined),
    });
    const bull = openBull(connection, { id, lease });
    const made = { server, connection, ...(await bull) };
    const beat = async () => {
      const address = host || localAddress(connection) || "127.0.0.1";
      const url = `http://${address.includes(":") ? `[${address}]` : address}:${server.port}`;
      await announce(connection.client, { id, name: basename(path), url, token, lease });
    };
    telling = tellWorkers(directory, () => standing(connection));
    beating = setInterval(() => {
      if (connection.client.status === "ready") void beat().catch(() => undefined);
    }, BEAT);
    void (async () => {
      // Of an earlier call; its attempts are over.
      await made.queue.obliterate({ force: true });
      emptied = true;
      await fill(made);
      if (closed) return;
      await beat();
      if (!closed) await made.checker.startStalledCheckTimer();
    })().catch((error) => closed || fail(error));
    return made;
  };
  const standing = async ({ client }: RedisConnection): Promise<Workers> => {
    const { running, waiting, ...refused } = accepted.standing();
    // Without Redis nobody knows what becomes of leases; what is told comes all the same.
    const isThere = client.status === "ready";
    const workers = isThere ? await listWorkers(client) : [];
    const left = isThere ? await leasesLeft(client, running.map(lockOf)) : [];
    return {
      ...{ executor: "redis", lease: lease / 1000, workers, ...refused },
      running: running.map(({ since, heard, ...turn }, index) => ({
        ...{ ...turn, since: atTime(since), heard: atTime(heard) },
        leaseLeft: left[index] ?? null,
      })),
      ...{ waiting: waiting.length, next: waiting.slice(0, MOST_NAMED) },
    };
  };
  const lockOf = (turn: { key: string; attempt: number }) =>
    `${PREFIX}:${id}:${jobIdOf(turn)}:lock`;
  let emptied = false;
  const fill = async ({ queue }: Bull) => {
    if (!emptied || closed) return;
    const jobs = accepted.left().map(({ key, attempt }) => ({
      name: key,
      data: { key, attempt } satisfies JobData,
      opts: {
        ...{ jobId: jobIdOf({ key, attempt }), removeOnComplete: true, removeOnFail: true },
        priority: LAST_PRIORITY - (priorities.get(jobIdOf({ key, attempt })) ?? 0),
      },
    }));
    if (jobs.length > 0) await queue.addBulk(jobs);
  };

  return {
    name: "redis",
    async submit(tasks) {
      for (const { key, attempt, priority = 0 } of tasks) {
        const name = jobIdOf({ key, attempt });
        if (priorities.has(name)) continue;
        priorities.set(name, priority);
        const file = currentTask(directory.path, key);
        if (file?.attempt !== attempt) continue;
        checkMixedTask(file, options.mixed);
        accepted.open(file);
        push({ key, attempt, state: "queued" });
      }
      if (parts) await fill(await parts);
      parts ??= open();
      await parts;
    },
    events: read,
    async cancel(key, how) {
      const running = accepted.stop(key);
      if (how === "now" || !running) return accepted.drop(key, { detail: "it was cancelled" });
      // Of a worker that is not heard of any more nothing would come.
      setTimeout(
        () =>
          accepted.drop(key, {
            error: { code: "INTERRUPTED", message: "interrupted", exitCode: 130 },
          }),
        lease + STALLED,
      ).unref();
    },
    async close() {
      closed = true;
      clearInterval(beating);
      telling?.close();
      for (const { key } of accepted.left()) accepted.drop(key, { detail: "it was cancelled" });
      const made = await parts?.catch(() => undefined);
      if (made) {
        const { connection, queue, checker, server } = made;
        const cleared = withdraw(connection.client, id)
          .then(() => queue.obliterate({ force: true }))
          .then(() => Promise.all([queue.close(), checker.close()]));
        await Promise.race([
          cleared.catch(() => undefined),
          new Promise((resolve) => setTimeout(resolve, LAST).unref()),
        ]);
        void queue.disconnect().catch(() => undefined);
        void checker.disconnect().catch(() => undefined);
        connection.close();
        await server.close();
      }
      end();
    },
  };
}

interface Bull {
  readonly queue: Queue;
  /** Looks for tasks whose worker is not heard of. */
  readonly checker: Worker;
}

async function openBull(
  { client }: RedisConnection,
  { id, lease }: { readonly id: string; readonly lease: number },
): Promise<Bull> {
  const { Queue, Worker } = await import("bullmq");
  const shared = { connection: client, prefix: PREFIX };
  const queue = new Queue(id, shared);
  const checker = new Worker(id, null, {
    ...{ ...shared, autorun: false, lockDuration: lease },
    ...{ stalledInterval: STALLED, maxStalledCount: NO_LIMIT },
  });
  // The connection says what is wrong with it.
  queue.on("error", () => undefined);
  checker.on("error", () => undefined);
  return { queue, checker };
}

/** Seconds until locks end, by one request for all of them: a thousand workers have a thousand. */
async function leasesLeft(client: Redis, locks: readonly string[]): Promise<number[]> {
  if (locks.length === 0) return [];
  const answers = await client.pipeline(locks.map((lock) => ["pttl", lock])).exec();
  return (answers ?? []).map(([, left]) => Math.max(0, Number(left ?? 0)) / 1000);
}

/** The address by which this machine reaches Redis. */
const localAddress = ({ client }: RedisConnection): string | undefined =>
  (client as unknown as { stream?: { localAddress?: string } }).stream?.localAddress;
