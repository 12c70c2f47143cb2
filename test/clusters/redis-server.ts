/** @file A Redis of a test's own, on a port of its own: killed, and started again with its data or without. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";

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
}

/** A port that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param folder takes its data; it is made */
export async function testRedis(folder: string): Promise<TestRedis> {
  const port = String(await freePort());
  let child: ChildProcess | undefined;
  const cli = (...args: string[]) =>
    spawnSync("redis-cli", ["-p", port, ...args], { encoding: "utf8" }).stdout.trim();
  return {
    url: `redis://127.0.0.1:${port}`,
    cli,
    async start({ policy = "noeviction" } = {}) {
      mkdirSync(folder, { recursive: true });
      child = spawn(
        "redis-server",
        [
          ...["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
          ...["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", policy],
        ],
        { stdio: "ignore" },
      );
      while (cli("ping") !== "PONG") await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async kill() {
      const killed = child;
      if (!killed || killed.exitCode !== null) return;
      const gone = new Promise((resolve) => killed.once("exit", resolve));
      killed.kill("SIGKILL");
      await gone;
      child = undefined;
    },
    forget: () => rmSync(folder, { recursive: true, force: true }),
  };
}
