/**
 * @file derived.json: from which records the costlier of a run's derived files were made, so that what
 * was made from others (the run was killed, and went on) is made again.
 */

import { z } from "zod";

export const derivedRecord = z.object({
  formatVersion: z.literal(1),
  /** Of confusions.json; absent before it was made for the first time. */
  confusions: z
    .object({
      /** SHA-256 of the records that they were counted from. */
      from: z.string(),
      /** SHA-256 of the file; null: those records give none. */
      content: z.string().nullable(),
    })
    .optional(),
  /** Files in figures/ that belong to the report; no path leads out of it. */
  figures: z.array(z.string().regex(/^[^/\\]+\.(svg|png)$/)),
});
export type DerivedRecord = z.infer<typeof derivedRecord>;
