/** @file --tune and --memory: which implementation computes each convolution of an experiment. */

import type { Terminal } from "../cli/terminal.ts";
import { plural } from "../cli/text/format.ts";
import type { ArmRecord } from "../record/index.ts";
import type { TrainingSetup } from "../train/options.ts";

export type ConvolutionDecision = Pick<TrainingSetup, "convolutions" | "convolutionsDecidedBy">;

/**
 * By the engine's rule, unless the flags say otherwise: then timed, then bounded.
 * @throws ArgumentError where no choice fits into --memory
 */
export async function chooseConvolutions(
  setup: TrainingSetup,
  arms: readonly Pick<ArmRecord, "optimizer">[],
  {
    flags,
    terminal,
    signal,
  }: {
    flags: { readonly tune: boolean; readonly memory: number | undefined };
    terminal: Terminal;
    signal: AbortSignal;
  },
): Promise<ConvolutionDecision> {
  if (!flags.tune && flags.memory === undefined) return {};
  const { compileOptions } = await import("../train/compile-options.ts");
  const { whollyUnfrozen } = await import("../train/freezing/unfreeze.ts");
  const { createOptimizer } = await import("../optimizers/index.ts");
  let decision: ConvolutionDecision = {};
  if (flags.tune) {
    const { tune } = await import("../engine/tuning/tune.ts");
    const { network, backend, labelSmoothing } = setup;
    const { batch, threads, classWeights, precision } = compileOptions(
      setup,
      createOptimizer("sgd"),
    );
    terminal.note("timing the implementations of each convolution ...");
    const { openTuningCache } = await import("../store/tuning-cache.ts");
    const onNote = (text: string) => terminal.note(text);
    const tuned = await tune({
      network,
      backend,
      batch,
      threads,
      labelSmoothing,
      classWeights,
      precision,
      remember: (about) => openTuningCache({ ...about, onNote }),
      signal,
    });
    terminal.note(
      `tuned: ${tuned.stepMs.toFixed(1)} ms a step, ${tuned.ruleStepMs.toFixed(1)} by the rule; ${plural(Object.keys(tuned.convolutions).length, "choice")} other than the rule's`,
    );
    decision = { convolutions: tuned.convolutions, convolutionsDecidedBy: "tuned" };
  }
  if (flags.memory !== undefined) {
    const { boundMemory } = await import("../engine/tuning/memory-bound.ts");
    // The bound holds for every arm; what one has given up, all give up.
    for (const name of new Set(arms.map(({ optimizer }) => optimizer))) {
      const bounded = boundMemory({
        // The largest step of a run that unfreezes more and more.
        ...compileOptions(whollyUnfrozen(setup), createOptimizer(name)),
        limitBytes: flags.memory,
        ...(decision.convolutions ? { convolutions: decision.convolutions } : {}),
      });
      if (bounded.givenUp.length > 0)
        decision = { convolutions: bounded.convolutions, convolutionsDecidedBy: "memory" };
    }
  }
  return decision;
}
