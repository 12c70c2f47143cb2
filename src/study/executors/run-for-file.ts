/** @file `lrscope trial TASK.json --end FILE`: a task for an executor that looks at files, as no channel leads to it. */

import { taskFile } from "../../record/index.ts";
import { readRecord } from "../../store/index.ts";
import { garbageCollector } from "./collect-garbage.ts";
import { reported } from "./reported-error.ts";
import { type RunTaskOptions, runTaskFile } from "./run-task-file.ts";
import { writeEnd } from "./trial-end.ts";

/** Runs the task and notes how it ended. @throws as runTaskFile does */
export async function runForFile(
  path: string,
  end: string,
  options: RunTaskOptions,
): Promise<void> {
  const attempt = options.attempt ?? readRecord(path, taskFile).attempt;
  const collectGarbage = garbageCollector();
  try {
    await runTaskFile(path, {
      ...options,
      onEvent(event) {
        if (event.type === "checkpoint") collectGarbage();
      },
    });
  } catch (error) {
    writeEnd(end, { attempt, error: reported(error) });
    throw error;
  }
  writeEnd(end, { attempt, error: null });
}
