/** @file What a study may not ask for where machines that differ take its runs. */

import { ArgumentError } from "../../core/errors.ts";
import type { TaskFile } from "../../record/index.ts";

/** @throws ArgumentError for runs that end by time: what a second is worth depends on the machine */
export function checkMixed({
  mixed = false,
  time,
}: {
  readonly mixed?: boolean | undefined;
  /** Seconds of training after which a run ends. */
  readonly time?: number | undefined;
}): void {
  if (mixed && time !== undefined)
    throw new ArgumentError(
      "compare: --time beside --mixed would give runs on slow machines fewer epochs, so that arms differ by where they ran; say --epochs, or leave out --mixed",
    );
}

/** The same of a task, for whoever is handed nothing else of the study. */
export const checkMixedTask = ({ task }: TaskFile, mixed: boolean | undefined): void =>
  checkMixed({ mixed, time: task.kind === "trial" ? task.ends?.time : undefined });
