/** @file notes.json: what people say of a run, which nothing that is computed depends on. */

import { z } from "zod";

export const runNotes = z.object({
  formatVersion: z.literal(1),
  /** A sentence or more; "" where there is none. */
  note: z.string().default(""),
  tags: z.array(z.string()).readonly().default([]),
});
export type RunNotes = z.infer<typeof runNotes>;
