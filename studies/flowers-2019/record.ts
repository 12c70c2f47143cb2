/** @file An experiment's arms beside those of the article that it repeats: `published` of summary.json. */

import { spread } from "lrscope/record";
import { z } from "zod";

export const publishedRow = z.object({
  /** Name in the article: "sgd+clr". */
  optimizer: z.string(),
  /** The arm of ours that is set beside it. */
  arm: z.string(),
  final: z.object({ ours: spread, theirs: spread, difference: z.number().nullable() }),
  best: z.object({ ours: spread, theirs: spread, difference: z.number().nullable() }),
  /** Epoch up to which both are read: the shorter of the two. */
  epochs: z.number().int(),
});
export type PublishedRow = z.infer<typeof publishedRow>;

export const publishedComparison = z.object({
  /** Which of the article's experiments: "vanilla CNN from scratch, 150 epochs, 3 runs". */
  experiment: z.string(),
  citation: z.string(),
  rows: z.array(publishedRow),
  /** What differs between the protocols, one sentence each. */
  notes: z.array(z.string()),
});
export type PublishedComparison = z.infer<typeof publishedComparison>;
