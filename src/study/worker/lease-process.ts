/**
 * @file The thread that keeps a task's lease in Redis, within the task's process: what holds up the process's event
 * loop does not hold up this one, and what stops or kills the process ends both.
 */

import { parentPort, workerData } from "node:worker_threads";
import { connectRedis } from "../executors/redis/connection.ts";
import { PREFIX } from "../executors/redis/registry.ts";
import { type FromLease, type LeaseOptions, RENEWALS } from "./messages.ts";

const { redis, queue: name, job, lease } = workerData as LeaseOptions;
const tell = (message: FromLease) => parentPort?.postMessage(message);
const { Queue } = await import("bullmq");
const connection = await connectRedis({
  url: redis,
  say: (message) => tell({ type: "say", message }),
  fail: (error) => tell({ type: "say", message: error.message }),
});
const queue = new Queue(name, { connection: connection.client, prefix: PREFIX });
queue.on("error", () => undefined);

const renew = async (): Promise<boolean> => {
  const found = await queue.getJob(job.id);
  return found !== undefined && (await found.extendLock(job.lockToken, lease)) === 1;
};

for (;;) {
  const held = await renew().catch(() => null);
  if (held !== null) tell({ type: held ? "held" : "lost" });
  await new Promise((resolve) => setTimeout(resolve, lease / RENEWALS));
}
