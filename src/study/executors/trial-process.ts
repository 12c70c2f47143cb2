/**
 * @file `lrscope trial TASK.json` in a process that an executor forked: it takes places over Node's IPC channel,
 * sends its events there, and ends with its parent.
 */

import type { StudyEvent, TaskFile } from "../../record/index.ts";
import { diskFailure } from "../../store/durable-write.ts";
import { loadOptimizer } from "../own-code/arm-files.ts";
import { openSetup } from "../setup.ts";
import { garbageCollector } from "./collect-garbage.ts";
import type { ReportedError } from "./executor.ts";
import { reported } from "./reported-error.ts";
import { runTask } from "./run-task.ts";
import type { FromTrial, ToTrial } from "./trial-messages.ts";

/** Milliseconds between two reports of updates: enough for a bar that moves. */
const REPORT_EVERY = 100;

/** Milliseconds that a parent has to say what a signal to all of its processes means. */
const GRACE = 1000;

/** Runs the task and leaves the process. */
export function runForParent(file: TaskFile): Promise<never> {
  const stop = new AbortController();
  let ending = false;
  // Without a parent nobody reads what is said here, and a resumed study wants the folder.
  const die = () => {
    if (!ending) process.kill(process.pid, "SIGKILL");
  };
  const say = (message: FromTrial, then?: () => void) =>
    process.send?.(message, undefined, undefined, (error) => (error ? die() : then?.()));
  process.on("disconnect", die);
  if (!process.connected) die();
  // A terminal sends Ctrl-C to all of its processes; the parent says what it means.
  process.removeAllListeners("SIGINT").on("SIGINT", () => undefined);
  // So do service managers with SIGTERM. Where the parent says nothing, it was meant for this one alone.
  process.removeAllListeners("SIGTERM").once("SIGTERM", () => {
    setTimeout(() => {
      if (!stop.signal.aborted) process.kill(process.pid, "SIGTERM");
    }, GRACE).unref();
  });

  const run = async ({ directory, lease, places }: Extract<ToTrial, { type: "start" }>) => {
    let error: ReportedError | null = null;
    try {
      const report = throttled((event) => say({ type: "event", event }));
      const collectGarbage = garbageCollector();
      const { signal } = stop;
      await runTask({
        ...{ path: directory, file, lease, signal },
        ...{ dataset: places.dataset, plan: places.plan },
        async open() {
          await loadOptimizer(file.task.optimizer.name, places.setup.files);
          return openSetup(places.setup, { signal });
        },
        onEvent(event) {
          report(event);
          if (event.type === "checkpoint") collectGarbage();
        },
      });
    } catch (thrown) {
      error = reported(diskFailure(thrown) ?? thrown);
      if (error.code === null) process.stderr.write(`${(thrown as Error).stack}\n`);
    }
    say({ type: "end", error }, () => {
      ending = true;
      process.exit(0);
    });
  };
  return new Promise(() => {
    process.on("message", (message: ToTrial) => {
      if (message.type === "start") void run(message);
      else stop.abort();
    });
  });
}

function throttled(report: (event: StudyEvent) => void): (event: StudyEvent) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type === "update" || event.type === "range-test-update") {
      const now = performance.now();
      if (now - last < REPORT_EVERY) return;
      last = now;
    }
    report(event);
  };
}
