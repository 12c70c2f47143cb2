/** @file plan.json: the choices that fix an experiment's bits, and what its step costs. */

import { z } from "zod";
import { PRECISIONS } from "../compile/graph/precision.ts";

const bytes = z.number().int().nonnegative();

export const planRecord = z.object({
  /** "oneDNN 2.6.3, avx2, 2 threads" */
  engine: z.string(),
  /** Of the machine; who writes plan.json adds it, and events have none. */
  processor: z.string().optional(),
  threads: z.number().int(),
  precision: z.enum(PRECISIONS),
  /** Implementations that were chosen against the engine's rule, by convolution. */
  convolutions: z.record(z.string(), z.string()),
  decidedBy: z.enum(["rule", "tuned", "memory", "given"]),
  memory: z.object({ persistentBytes: bytes, arenaBytes: bytes, lowerBoundBytes: bytes }),
  /** Multiplications and additions of one training step; the optimizer's are not counted. */
  flops: z.object({ forward: z.number(), backward: z.number() }),
  /** Which implementation runs each instruction of the training step, in order. */
  implementations: z.array(
    z.object({ layer: z.string(), kind: z.string(), implementation: z.string() }),
  ),
});
export type Plan = z.infer<typeof planRecord>;

/** What of a plan.json of any version fixes the bits. */
export const storedPlan = z.looseObject({
  ...planRecord.pick({ engine: true, threads: true, implementations: true }).shape,
  // Absent before there was a choice.
  precision: z.enum(PRECISIONS).default("fp32"),
});
