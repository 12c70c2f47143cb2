/** @file plan.json: written once, and held against what would be compiled today by all that comes after. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { StoreError } from "../core/errors.ts";
import { type Plan, planDifferences } from "../lab/index.ts";
import { type RunDirectory, readRecord } from "../store/index.ts";

const planRecord: z.ZodType<Pick<Plan, "engine" | "threads" | "implementations">> = z.looseObject({
  engine: z.string(),
  threads: z.number(),
  implementations: z.array(
    z.object({ layer: z.string(), kind: z.string(), implementation: z.string() }),
  ),
});

/**
 * Writes the plan, or compares it with the one there is.
 * @throws StoreError, exit code 2, naming the difference
 */
export function checkOrWritePlan(directory: RunDirectory, plan: Plan): void {
  const file = join(directory.path, "plan.json");
  if (!existsSync(file)) {
    directory.writePlan(plan);
    return;
  }
  const recorded = readRecord(file, planRecord) as Plan;
  const found = planDifferences(recorded, plan);
  if (found.length > 0) throw cannotGoOn(directory.path, found);
}

/** The refusal to go on with an experiment where its bits would not be what they were. */
export const cannotGoOn = (path: string, found: readonly string[]): StoreError =>
  new StoreError(
    `${path}: cannot be gone on with here, as its results would not be those of one run: ${found.join("; ")}. Bring back what it was begun with, or begin anew with another --out`,
    { exitCode: 2 },
  );
