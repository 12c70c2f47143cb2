/** @file A profile by layer, and what its time waits for: for a table, a figure, and a sentence. */

import type { CostRow } from "../report/index.ts";
import type { Bound, ProfiledInstruction, StepProfile } from "./profile.ts";

const MS = { forward: "forwardMs", backward: "backwardMs", update: "updateMs" } as const;

/** One row a layer, in the order in which a step first comes to it; the optimizer's update is one of its own. */
export function layerCosts({ instructions }: StepProfile): CostRow[] {
  const rows = new Map<string, { -readonly [K in keyof CostRow]: CostRow[K] }>();
  for (const instruction of instructions) {
    const name = nameOf(instruction);
    const row = rows.get(name) ?? {
      ...{ name, forwardMs: 0, backwardMs: 0, updateMs: 0, leastMs: 0 },
    };
    row[MS[instruction.part]] += instruction.medianMs;
    row.leastMs += instruction.leastMs;
    rows.set(name, row);
  }
  return [...rows.values()];
}

const nameOf = ({ part, layer }: ProfiledInstruction) =>
  part === "update" ? `update by ${layer}` : layer;

export interface BoundShare {
  readonly bound: Bound;
  /** Of the instructions' time, 0 .. 1. */
  readonly share: number;
  readonly instructions: number;
}

/** How much of the time is spent in instructions that wait for each, most first. */
export const boundShares = ({ instructions }: StepProfile): BoundShare[] =>
  (["memory", "arithmetic", "start"] as const)
    .map((bound) => {
      const of = instructions.filter((one) => one.bound === bound);
      return {
        bound,
        share: of.reduce((sum, { share }) => sum + share, 0),
        instructions: of.length,
      };
    })
    .filter(({ instructions: count }) => count > 0)
    .sort((a, b) => b.share - a.share);
