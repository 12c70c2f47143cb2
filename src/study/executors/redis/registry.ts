/** @file Which studies there are, as workers find them in Redis: where each is asked for, and by which token. */

import type { Redis } from "ioredis";
import { z } from "zod";

/** Before all keys; a study's queue is lrscope:<id>. */
export const PREFIX = "lrscope";
const STUDIES = `${PREFIX}:studies`;
const studyKey = (id: string) => `${PREFIX}:study:${id}`;

/** Milliseconds between two signs of life of a study, and after which one without counts as gone. */
export const BEAT = 3000;
const GONE = 15_000;

const listed = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** For people: the folder's name. */
  name: z.string(),
  /** Of the process that holds its run directory. */
  url: z.string().regex(/^http:\/\/[^/]+$/),
  token: z.string(),
  /** Milliseconds that a worker has to be heard of. */
  lease: z.number().int().positive(),
});
export type ListedStudy = z.infer<typeof listed>;

export async function announce(client: Redis, study: ListedStudy): Promise<void> {
  await client
    .multi()
    .set(studyKey(study.id), JSON.stringify(study), "PX", GONE)
    .sadd(STUDIES, study.id)
    .exec();
}

const WORKERS = `${PREFIX}:workers`;
const workerKey = (name: string) => `${PREFIX}:worker:${name}`;

const listedWorker = z.object({
  /** "host-4711" */
  name: z.string().max(300),
  /** Tasks that it takes at a time, and that it has. */
  jobs: z.number().int().positive(),
  busy: z.number().int().nonnegative(),
});
export type ListedWorker = z.infer<typeof listedWorker>;

/** A worker's sign of life. Only those who look at a study need it: a task is leased by itself. */
export async function announceWorker(client: Redis, worker: ListedWorker): Promise<void> {
  await client
    .multi()
    .set(workerKey(worker.name), JSON.stringify(worker), "PX", GONE)
    .sadd(WORKERS, worker.name)
    .exec();
}

export async function withdrawWorker(client: Redis, name: string): Promise<void> {
  await client.multi().del(workerKey(name)).srem(WORKERS, name).exec();
}

/** Those that are alive, by name; the names of those that were killed are taken out. */
export async function listWorkers(client: Redis): Promise<ListedWorker[]> {
  const names = (await client.smembers(WORKERS)).sort();
  if (names.length === 0) return [];
  const found = await client.mget(names.map(workerKey));
  const gone = names.filter((_, index) => found[index] === null);
  if (gone.length > 0) await client.srem(WORKERS, gone);
  return found.flatMap((text) => parsed(text, listedWorker));
}

export async function withdraw(client: Redis, id: string): Promise<void> {
  await client.multi().del(studyKey(id)).srem(STUDIES, id).exec();
}

/** Those that are alive. What is no entry of lrscope's is passed over. */
export async function listStudies(client: Redis): Promise<ListedStudy[]> {
  const ids = (await client.smembers(STUDIES)).sort();
  if (ids.length === 0) return [];
  const found = await client.mget(ids.map(studyKey));
  return found.flatMap((text) => parsed(text, listed));
}

function parsed<T>(text: string | null, schema: z.ZodType<T>): T[] {
  if (text === null) return [];
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? [result.data] : [];
  } catch {
    return [];
  }
}
