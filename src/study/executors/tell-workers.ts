/** @file Says in the run directory, every few seconds, who works at what: for those who look at the study. */

import type { WorkersRecord } from "../../record/index.ts";
import { type RunDirectory, removeWorkers, writeWorkers } from "../../store/index.ts";

/** Milliseconds between two sayings. */
const EVERY = 2000;
/** Tasks that wait, and are named. */
export const MOST_NAMED = 20;

export type Workers = Omit<WorkersRecord, "formatVersion" | "at">;

export const atTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/**
 * Until it is closed.
 * @param describe what it cannot find out is not said
 */
export function tellWorkers(
  directory: RunDirectory,
  describe: () => Promise<Workers> | Workers,
): { close(): void } {
  let closed = false;
  let telling = false;
  const tell = async () => {
    // One that takes long, as nobody answers, is not asked twice.
    if (telling) return;
    telling = true;
    try {
      const workers = await describe();
      if (!closed)
        writeWorkers(directory, { formatVersion: 1, at: atTime(Date.now()), ...workers });
    } catch {
      // The executor says itself what holds it up.
    } finally {
      telling = false;
    }
  };
  const timer = setInterval(() => void tell(), EVERY);
  timer.unref();
  void tell();
  return {
    close() {
      closed = true;
      clearInterval(timer);
      removeWorkers(directory);
    },
  };
}
