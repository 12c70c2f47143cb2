/** @file The study of `lrscope demo`: the default comparison in small, on data that comes with the package. */

import { resolveRecipe } from "../record/recipe.ts";
import type { StudyRequest } from "../record/study-spec.ts";
import { DEFAULT_ARMS } from "./default-arms.ts";

/** Chosen so that range test and 18 runs take under 3 minutes on 2 slow cores. */
export const DEMO_EPOCHS = 4;

/** Cycles of its cyclical arm: one, which ends with the run, at the lower bound. Two leave it less time there. */
const CYCLES = 1;

/** The demonstration, with what can be chosen of it. */
export const demoStudy = (
  chosen: Pick<StudyRequest, "seeds" | "epochs" | "answers" | "threads">,
): StudyRequest => ({
  formatVersion: 2,
  kind: "demo",
  optimizers: DEFAULT_ARMS,
  source: "mnist",
  data: { size: 28, limit: 200, validation: 0.2, splitSeed: 0, augment: "default" },
  model: "vanilla",
  // Three blocks, as 28 pixels allow few poolings.
  modelOptions: { widths: [16, 32, 64], hidden: 128 },
  recipe: resolveRecipe({ batch: 32 }),
  stepSize: { count: chosen.epochs / (2 * CYCLES), unit: "epochs" },
  ...chosen,
});
