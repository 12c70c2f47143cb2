/** @file The order in which arms are shown. */

import type { OptimizerSummary } from "../record/index.ts";

/** Best mean of final accuracy first; without one, in the order given. */
export const ranked = (optimizers: readonly OptimizerSummary[]): OptimizerSummary[] =>
  [...optimizers].sort(
    (a, b) =>
      (b.finalValidationAccuracy.mean ?? -1) - (a.finalValidationAccuracy.mean ?? -1) ||
      optimizers.indexOf(a) - optimizers.indexOf(b),
  );
