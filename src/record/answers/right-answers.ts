/**
 * @file Which images a trial's last weights answered rightly, one bit an image: what the images of the
 * validation part do to a difference between two arms is estimated from it.
 */

import { z } from "zod";
import { MOST_ANSWERS } from "./answer-bits.ts";

/** Base64 with its padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const rightAnswers = z.object({
  formatVersion: z.literal(1),
  /** Whose weights answered: the trial's last. */
  epoch: z.number().int(),
  /** In the validation part. */
  images: z.number().int().positive().max(MOST_ANSWERS),
  /** Base64 of ceil(images / 8) bytes: bit i % 8 (0 the least) of byte floor(i / 8) is image i's, in the part's order. */
  bits: z.string().regex(BASE64),
});
export type RightAnswers = z.infer<typeof rightAnswers>;
