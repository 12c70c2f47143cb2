/** @file tasks/<key>.json: what `lrscope trial` runs, and as which attempt; there as long as the task has not ended. */

import { z } from "zod";
import { fileName } from "./file-name.ts";
import { type Task, task } from "./task.ts";

const schema = z.object({
  formatVersion: z.literal(1),
  /** Names the task within its study: "adam-0". */
  key: fileName,
  /** From 1; one more each time that the task is given to an executor. */
  attempt: z.number().int().positive(),
  task,
});
export type TaskFile = Omit<z.infer<typeof schema>, "task"> & { readonly task: Task };
export const taskFile = schema as unknown as z.ZodType<TaskFile>;
