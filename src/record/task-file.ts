/** @file tasks/<key>.json: what `lrscope trial` runs, and as which attempt; there as long as the task has not ended. */

import { z } from "zod";
import { fileName } from "./file-name.ts";
import { task } from "./task.ts";

export const taskFile = z.object({
  formatVersion: z.literal(1),
  /** Names the task within its study: "adam-0". */
  key: fileName,
  /** From 1; one more each time that the task is given to an executor. */
  attempt: z.number().int().positive(),
  task,
});
export type TaskFile = z.infer<typeof taskFile>;
