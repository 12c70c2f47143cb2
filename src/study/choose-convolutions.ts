/** @file --tune-convolutions and --memory: which implementation computes each convolution of an experiment. */

import type { ArmRecord, StudySpec } from "../record/index.ts";
import type { Emitter } from "../train/emit.ts";
import type { TrainingSetup } from "../train/options.ts";

export type ConvolutionDecision = Pick<TrainingSetup, "convolutions" | "convolutionsDecidedBy">;

/**
 * By the engine's rule, unless the study asks for more: then timed, then bounded.
 * @throws ArgumentError where no choice fits into the memory
 */
export async function chooseConvolutions(
  setup: TrainingSetup,
  arms: readonly Pick<ArmRecord, "optimizer">[],
  {
    study,
    emit,
    signal,
  }: {
    study: Pick<StudySpec, "tune" | "memory">;
    emit: Emitter["emit"];
    signal?: AbortSignal | undefined;
  },
): Promise<ConvolutionDecision> {
  if (!study.tune && study.memory === undefined) return {};
  const { compileOptions } = await import("../train/compile-options.ts");
  const { whollyUnfrozen } = await import("../train/freezing/unfreeze.ts");
  const { createOptimizer } = await import("../optimizers/index.ts");
  let decision: ConvolutionDecision = {};
  if (study.tune) {
    const { tune } = await import("../engine/tuning/tune.ts");
    const { network, backend, labelSmoothing } = setup;
    const { batch, threads, classWeights, precision } = compileOptions(
      setup,
      createOptimizer("sgd"),
    );
    emit({ type: "tuning" });
    const { openTuningCache } = await import("../store/tuning-cache.ts");
    const onNote = (text: string) => emit({ type: "tuning-detail", text });
    const tuned = await tune({
      network,
      backend,
      batch,
      threads,
      labelSmoothing,
      classWeights,
      precision,
      remember: (about) => openTuningCache({ ...about, onNote }),
      ...(signal ? { signal } : {}),
    });
    const { stepMs, ruleStepMs } = tuned;
    const choices = Object.keys(tuned.convolutions).length;
    emit({ type: "tuned", stepMs, ruleStepMs, choices });
    decision = { convolutions: tuned.convolutions, convolutionsDecidedBy: "tuned" };
  }
  if (study.memory !== undefined) {
    const { boundMemory } = await import("../engine/tuning/memory-bound.ts");
    // The bound holds for every arm; what one has given up, all give up.
    for (const name of new Set(arms.map(({ optimizer }) => optimizer))) {
      const bounded = boundMemory({
        // The largest step of a run that unfreezes more and more.
        ...compileOptions(whollyUnfrozen(setup), createOptimizer(name)),
        limitBytes: study.memory,
        ...(decision.convolutions ? { convolutions: decision.convolutions } : {}),
      });
      if (bounded.givenUp.length > 0)
        decision = { convolutions: bounded.convolutions, convolutionsDecidedBy: "memory" };
    }
  }
  return decision;
}
