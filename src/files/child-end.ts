/** @file How a child process ended. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** What the system sends to a process whose own code went wrong; V8 ends itself by SIGTRAP or SIGILL. */
export const CRASHES: ReadonlySet<string | null> = new Set([
  "SIGSEGV",
  "SIGABRT",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGTRAP",
  "SIGSYS",
]);

/**
 * Exit code and signal, once the process is gone and all that it said has been heard; neither where it could
 * not be started.
 * @param when "close" waits for its streams, too
 */
export async function ended(
  child: ChildProcess,
  when: "exit" | "close" = "exit",
): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.pid === undefined) return [null, null];
  const [status] = await Promise.all([
    once(child, when) as Promise<[number | null, NodeJS.Signals | null]>,
    child.connected ? once(child, "disconnect") : undefined,
  ]);
  return status;
}
