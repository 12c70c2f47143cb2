/** @file Where a study's events go on a terminal: the bar, the lines, and the warnings of range tests. */

import type { StudySink } from "../../study/study-sink.ts";
import type { Terminal } from "../terminal.ts";
import { openProgress } from "./progress.ts";

export interface StudyOutput extends Required<StudySink> {
  /** Takes the bar away; idempotent. */
  stop(): void;
}

/** @param warnings of range tests are printed as they come, as no result will show them */
export function studyOutput(terminal: Terminal, { warnings }: { warnings: boolean }): StudyOutput {
  const progress = openProgress(terminal);
  return {
    event(event) {
      if (event.type === "dataset" || event.type === "interrupted") progress.stop();
      if (warnings && event.type === "range-test-finished")
        for (const warning of event.record.warnings)
          terminal.note(`range test of ${event.arm}: ${warning}`);
      progress.onEvent(event);
    },
    stop: () => progress.stop(),
  };
}
