/** @file Processes as Linux shows them, for tests that watch what a decoding process does. */

import { readdirSync, readFileSync } from "node:fs";

export const notLinux = process.platform === "linux" ? "" : "processes are watched through /proc";

/** Children of a process that still run. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const [state, ppid] = statusOf(pid);
      return ppid === parent && state !== "Z";
    });
}

/** ["S", parent]; nothing for a process that is gone. */
function statusOf(pid: number): [state?: string | undefined, parent?: number] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return [state, Number(parent)];
  } catch {
    return [];
  }
}

export const isRunning = (pid: number) => ![undefined, "Z", "X"].includes(statusOf(pid)[0]);

/** Memory that a process has in use, in MiB; 0 once it is gone. */
export function memoryOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** Waits for as long as the test may take. */
export async function until<T>(condition: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = condition();
    if (found !== undefined && found !== false) return found;
    await pause(10);
  }
}
