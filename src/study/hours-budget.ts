/**
 * @file A budget in worker-hours: what the records say was spent on training and validation, by all trials together.
 * Once it is spent the trials under way stop at their checkpoints, and none begins.
 */

import type { StudyListener, TrialHistory } from "../record/index.ts";

export interface HoursBudget {
  /** Aborts where the study's own does, or when the budget is spent. */
  readonly signal: AbortSignal;
  /** Adds up the epochs that end. */
  readonly onEvent: StudyListener;
  /** Worker-hours so far. */
  used(): number;
  isSpent(): boolean;
}

/** @param trials as they are recorded; their epochs count, whichever call made them */
export function hoursBudget(
  maxHours: number | undefined,
  trials: readonly TrialHistory[],
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: StudyListener },
): HoursBudget {
  const spent = new AbortController();
  let seconds = trials.reduce((sum, { metrics }) => sum + secondsOf(metrics), 0);
  const check = () => {
    if (maxHours !== undefined && seconds / 3600 >= maxHours) spent.abort();
  };
  check();
  return {
    signal: AbortSignal.any([signal, spent.signal]),
    onEvent(event) {
      if (event.type === "epoch") {
        seconds += event.metrics.seconds;
        check();
      }
      return onEvent(event);
    },
    used: () => seconds / 3600,
    isSpent: () => spent.signal.aborted,
  };
}

const secondsOf = (metrics: TrialHistory["metrics"]): number =>
  metrics.reduce((sum, { seconds }) => sum + seconds, 0);
