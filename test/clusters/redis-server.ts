/** @file A Redis of a test's own, on a port of its own: killed, and started again with its data or without. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll } from "vitest";
import { present } from "../../src/core/at.ts";

/** Why there can be none here; null where there can. */
export const redisAbsent = (): string | null =>
  spawnSync("which", ["redis-server"]).status === 0 ? null : "redis-server is not installed";

export interface TestRedis {
  readonly url: string;
  /** Resolves when it answers. */
  start(options?: { readonly policy?: string }): Promise<void>;
  /** As a power cut would; what it wrote down stays. */
  kill(): Promise<void>;
  /** Throws away what it wrote down, while it is killed. */
  forget(): void;
  /** What redis-cli prints. */
  cli(...args: string[]): string;
  /** From now on, all that it is asked. @returns what it was asked until the call, oldest first */
  monitor(): Promise<() => Asked[]>;
}

/** A command that Redis was sent, by a client or by one of their scripts. */
export interface Asked {
  /** Seconds, by the clock of Redis. */
  readonly at: number;
  /** "SET", "name", "value" */
  readonly words: readonly string[];
}

/** A port that nobody listens at. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * @param folder takes its data; it is made
 * @param host an address of this machine
 */
export async function testRedis(folder: string, host = "127.0.0.1"): Promise<TestRedis> {
  const port = String(await freePort(host));
  let child: ChildProcess | undefined;
  let listening: ChildProcess | undefined;
  const cli = (...args: string[]) =>
    spawnSync("redis-cli", ["-h", host, "-p", port, ...args], { encoding: "utf8" }).stdout.trim();
  return {
    url: `redis://${host}:${port}`,
    cli,
    async start({ policy = "noeviction" } = {}) {
      mkdirSync(folder, { recursive: true });
      child = spawn(
        "redis-server",
        [
          ...["--port", port, "--bind", host, "--protected-mode", "no", "--dir", folder],
          ...["--save", ""],
          ...["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", policy],
        ],
        { stdio: "ignore" },
      );
      while (cli("ping") !== "PONG") await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async kill() {
      listening?.kill();
      const killed = child;
      if (!killed || killed.exitCode !== null) return;
      const gone = new Promise((resolve) => killed.once("exit", resolve));
      killed.kill("SIGKILL");
      await gone;
      child = undefined;
    },
    async monitor() {
      let text = "";
      listening = spawn("redis-cli", ["-h", host, "-p", port, "monitor"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const begun = new Promise((resolve) =>
        listening?.stdout?.on("data", (data) => {
          text += data;
          resolve(null);
        }),
      );
      await begun;
      return () =>
        text.split("\n").flatMap((line) => {
          const [, at, words = ""] = /^(\d+\.\d+) \[[^\]]*\] (.*)$/.exec(line) ?? [];
          if (at === undefined) return [];
          return [
            {
              at: Number(at),
              words: [...words.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) => word),
            },
          ];
        });
    },
    forget: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A Redis for the tests of a file: started before them, and killed after what else is to end. */
export function startedRedis(within: (name: string) => string, end: () => void): () => TestRedis {
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    redis = await testRedis(within("redis"));
    await redis.start();
  });
  afterAll(async () => {
    end();
    await redis?.kill();
  });
  return () => present(redis, "redis");
}
