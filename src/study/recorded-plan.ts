/** @file plan.json: written once, and held against what would be compiled today by all that comes after. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { StoreError } from "../core/errors.ts";
import { knownImplementations } from "../engine/native/engines.ts";
import { describeMachine } from "../files/machine.ts";
import { type Plan, storedPlan } from "../record/index.ts";
import { type RunDirectory, readRecord } from "../store/index.ts";
import { planDifferences } from "../train/plan.ts";
import type { ConvolutionDecision } from "./choose-convolutions.ts";

/** With the names of implementations that this version's engines have. */
const decision = z.looseObject({
  convolutions: z.record(z.string(), z.enum(knownImplementations)).default({}),
  decidedBy: z.enum(["rule", "tuned", "memory", "given"]).default("rule"),
});

/**
 * The convolutions that an experiment was begun with, so that going on with it times nothing anew;
 * null where it has no plan yet.
 */
export function recordedConvolutions(path: string): ConvolutionDecision | null {
  const file = join(path, "plan.json");
  if (!existsSync(file)) return null;
  const { convolutions, decidedBy } = readRecord(file, decision);
  return decidedBy === "rule" ? {} : { convolutions, convolutionsDecidedBy: decidedBy };
}

/** plan.json, with the processor that it was made on. */
export function writePlan(directory: RunDirectory, { engine, ...rest }: Plan): void {
  directory.writePlan({ engine, processor: describeMachine().processor, ...rest });
}

/**
 * Writes the plan, or compares it with the one there is.
 * @throws StoreError, exit code 2, naming the difference
 */
export function checkOrWritePlan(directory: RunDirectory, plan: Plan): void {
  const file = join(directory.path, "plan.json");
  if (!existsSync(file)) {
    writePlan(directory, plan);
    return;
  }
  const recorded = readRecord(file, storedPlan) as Plan;
  const found = planDifferences(recorded, plan);
  if (found.length > 0) throw cannotGoOn(directory.path, found);
}

/** The refusal to go on with an experiment where its bits would not be what they were. */
export const cannotGoOn = (path: string, found: readonly string[]): StoreError =>
  new StoreError(
    `${path}: cannot be gone on with here, as its results would not be those of one run: ${found.join("; ")}. Bring back what it was begun with, or begin anew with another --out`,
    { exitCode: 2 },
  );
