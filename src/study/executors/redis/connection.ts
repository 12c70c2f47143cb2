/** @file A connection to Redis that waits for it, as long as it takes, and says so. */

import type { Redis } from "ioredis";
import { ArgumentError } from "../../../core/errors.ts";

export interface RedisConnection {
  readonly client: Redis;
  /** "10.0.0.7:6379": of the address what may be shown, which a password may not. */
  readonly name: string;
  close(): void;
}

export interface ConnectionOptions {
  /** "redis://host:6379", "rediss://user:password@host/2" */
  readonly url: string;
  /** Hears once that it is waited for, and once that it answers again. */
  say(message: string): void;
  /** Hears what waiting does not mend: a wrong password, a Redis that throws jobs away. */
  fail(error: ArgumentError): void;
  /** Called whenever it answers anew. */
  ready?(): void;
}

/** Whether a text is the address of a Redis. */
export const isRedisUrl = (text: string): boolean =>
  /^rediss?:\/\/[^/\s]/.test(text) && URL.canParse(text);

/** Milliseconds between two tries. */
const LONGEST = 2000;

const REFUSED = /^(WRONGPASS|NOAUTH|NOPERM|ERR (invalid|Client sent AUTH|AUTH))/;

export async function connectRedis(options: ConnectionOptions): Promise<RedisConnection> {
  const { Redis } = await import("ioredis");
  const { hostname, port } = new URL(options.url);
  const name = `${hostname}:${port || 6379}`;
  let lost = false;
  const client = new Redis(options.url, {
    maxRetriesPerRequest: null,
    connectTimeout: 5000,
    retryStrategy: (times) => Math.min(100 * times, LONGEST),
  });
  // Queues make connections of their own from this one, which they do not end while Redis does not answer.
  const clients = [client];
  client.duplicate = (override) => {
    const made = Redis.prototype.duplicate.call(client, override) as Redis;
    clients.push(made);
    made.on("error", () => undefined);
    return made;
  };
  const failed = (error: unknown) => {
    const message = (error as Error).message ?? String(error);
    if (REFUSED.test(message))
      return options.fail(
        new ArgumentError(
          `redis://${name}: ${message}; give user and password in the address: redis://USER:PASSWORD@${name}`,
        ),
      );
    const { code = message } = error as NodeJS.ErrnoException;
    if (!lost) options.say(`Redis at ${name} does not answer (${code}): waits for it`);
    lost = true;
  };
  client.on("error", failed);
  client.on("close", () => {
    if (client.status !== "end") failed(new Error("the connection was closed"));
  });
  client.on("ready", () => {
    if (lost) options.say(`Redis at ${name} answers again`);
    lost = false;
    void checkPolicy(client, name)
      .then(() => options.ready?.())
      .catch((error) => (error instanceof ArgumentError ? options.fail(error) : undefined));
  });
  return {
    client,
    name,
    close() {
      for (const one of clients) one.disconnect();
    },
  };
}

/** A Redis that is full and may throw keys away would throw away jobs. */
async function checkPolicy(client: Redis, name: string): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info("memory"))?.[1];
  if (policy !== undefined && policy !== "noeviction")
    throw new ArgumentError(
      `redis://${name}: its maxmemory-policy must be noeviction, as it would throw away runs that wait when its memory is full; it is ${policy}. Set it: redis-cli -h HOST config set maxmemory-policy noeviction`,
    );
}
