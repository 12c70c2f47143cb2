/** @file The plan of a network that was compiled, and where two plans differ. */

import type { CompiledNetwork } from "../compile/index.ts";
import { compileNetwork } from "../compile/index.ts";
import { differences } from "../core/differences.ts";
import { optimizerOfSpec } from "../optimizers/index.ts";
import type { Plan, Task } from "../record/index.ts";
import { compileOptions } from "./compile-options.ts";
import type { TrainingSetup } from "./options.ts";

export const describePlan = (setup: TrainingSetup, compiled: CompiledNetwork): Plan => ({
  engine: setup.backend.description,
  threads: setup.threads ?? setup.backend.threads,
  precision: setup.precision ?? "fp32",
  convolutions: setup.convolutions ?? {},
  decidedBy: setup.convolutionsDecidedBy ?? (setup.convolutions ? "given" : "rule"),
  memory: compiled.memory,
  flops: compiled.flops,
  implementations: compiled.programs.train.instructions.map(({ layer, kind, implementation }) => ({
    layer,
    kind,
    implementation,
  })),
});

/** The plan of an experiment before any trial has begun, with the optimizer of one of its arms. */
export const planOf = (setup: TrainingSetup, optimizer: Task["optimizer"]): Plan =>
  describePlan(setup, compileNetwork(compileOptions(setup, optimizerOfSpec(optimizer))));

/** What every trial shares: the optimizer's instructions, and the memory it takes, are an arm's own. */
const shared = ({ engine, threads, precision, implementations }: Plan) => ({
  engine,
  threads,
  precision,
  implementations: Object.fromEntries(
    implementations
      .filter(({ kind }) => kind !== "optimizer")
      .map(({ layer, kind, implementation }, index) => [
        `${index} (${kind} of ${layer})`,
        implementation,
      ]),
  ),
});

/** Where the bits of two plans may differ: `["engine is ..., not ..."]`. */
export const planDifferences = (recorded: Plan, found: Plan): string[] =>
  differences(shared(recorded), shared(found));
