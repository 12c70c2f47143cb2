/** @file An executor of this machine: a queue, of which some attempts run at a time, however one is started. */

import { eventStream } from "./event-stream.ts";
import type { Executor, ExecutorEvent, SubmittedTask } from "./executor.ts";
import { reported } from "./reported-error.ts";

/** How an attempt ended. */
export type AttemptEnd = Pick<ExecutorEvent, "detail" | "error" | "ended">;

/** An attempt under way. */
export interface StartedAttempt {
  /** Resolves when it runs no more; never rejects. */
  readonly gone: Promise<AttemptEnd>;
  cancel(how: "checkpoint" | "now"): void;
}

export interface LocalExecutorOptions {
  readonly name: string;
  /** Attempts at a time. */
  readonly jobs: number;
  /** What it throws is how the attempt ended. */
  start(task: SubmittedTask): StartedAttempt;
}

const attemptOf = ({ key, attempt }: SubmittedTask) => `${key} ${attempt}`;

/** After all that wait with its priority, or a higher one. */
export function placeIn(
  queue: readonly Pick<SubmittedTask, "priority">[],
  { priority = 0 }: Pick<SubmittedTask, "priority">,
): number {
  const after = queue.findLastIndex((other) => (other.priority ?? 0) >= priority);
  return after + 1;
}

export function localExecutor({ name, jobs, start }: LocalExecutorOptions): Executor {
  const known = new Set<string>();
  const running = new Map<string, { task: SubmittedTask; started: StartedAttempt }>();
  const { push, end, read } = eventStream<ExecutorEvent>();
  let queue: SubmittedTask[] = [];
  let idle: () => void = () => undefined;
  const gone = ({ key, attempt }: SubmittedTask, how: AttemptEnd = {}) =>
    push({ key, attempt, state: "gone", ...how });

  const pump = (): void => {
    while (running.size < jobs) {
      const task = queue.shift();
      if (task === undefined) return;
      const { key, attempt } = task;
      push({ key, attempt, state: "running" });
      let started: StartedAttempt;
      try {
        started = start(task);
      } catch (error) {
        gone(task, { error: reported(error) });
        continue;
      }
      running.set(attemptOf(task), { task, started });
      void started.gone.then((how) => {
        running.delete(attemptOf(task));
        gone(task, how);
        pump();
        if (running.size === 0) idle();
      });
    }
  };

  return {
    name,
    async submit(tasks) {
      for (const task of tasks) {
        if (known.has(attemptOf(task))) continue;
        known.add(attemptOf(task));
        queue.splice(placeIn(queue, task), 0, task);
        push({ key: task.key, attempt: task.attempt, state: "queued" });
      }
      pump();
    },
    events: read,
    async cancel(key, how) {
      const dropped = queue.filter((task) => task.key === key);
      queue = queue.filter((task) => task.key !== key);
      for (const task of dropped) gone(task, { detail: "it was cancelled before it began" });
      for (const { task, started } of running.values()) if (task.key === key) started.cancel(how);
    },
    async close() {
      for (const task of queue.splice(0))
        gone(task, { detail: "it was cancelled before it began" });
      const empty = new Promise<void>((resolve) => {
        idle = resolve;
      });
      for (const { started } of running.values()) started.cancel("now");
      if (running.size > 0) await empty;
      end();
    },
  };
}
