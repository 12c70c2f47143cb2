/**
 * @file A network's graph as a checkpoint holds it: what has the form of one. Whether its nodes fit each
 * other, compile/stored-graph.ts says.
 */

import { z } from "zod";
import type { Graph } from "./graph.ts";

/** More would be compiled for minutes; the deepest networks in use have a thousand. */
const MAXIMUM_NODES = 10_000;
const MAXIMUM_TENSORS = 50_000;

const count = z.int().min(0);

const initializer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("constant"), value: z.number() }),
  z.object({ kind: z.literal("uniform"), low: z.number(), high: z.number() }),
  z.object({ kind: z.literal("normal"), std: z.number() }),
]);

const tensor = z.object({
  id: count,
  name: z.string(),
  role: z.enum(["images", "parameter", "statistic", "value"]),
  shape: z.array(z.int().min(1)).max(8),
  dtype: z.literal("f32"),
  initializer: initializer.optional(),
  trainable: z.boolean().optional(),
  ordinal: count.optional(),
});

const node = z.object({
  op: z.string(),
  layer: z.string(),
  inputs: z.array(count).max(8),
  outputs: z.array(count).max(8),
  attributes: z.record(
    z.string(),
    z.union([z.number(), z.boolean(), z.string(), z.array(z.number()).max(8)]),
  ),
});

/** The forward graph of a network: images, parameters and statistics, and the values made of them. */
export const forwardGraphRecord: z.ZodType<Graph> = z.object({
  name: z.string(),
  batch: z.int().min(1),
  tensors: z.array(tensor).max(MAXIMUM_TENSORS),
  nodes: z.array(node).max(MAXIMUM_NODES),
  outputs: z.record(z.string(), count),
}) as z.ZodType<Graph>;
