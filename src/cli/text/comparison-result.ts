/** @file What a finished comparison prints: the table, the report's path, or the JSON; then what failed. */

import type { FinishedStudy } from "../../study/run-study.ts";
import type { Terminal } from "../terminal.ts";
import { resultsText } from "./results-text.ts";

/** @throws AddonError, after all is printed, where a trial failed */
export async function printComparison(finished: FinishedStudy, terminal: Terminal): Promise<void> {
  const { run, path, report } = finished;
  // There is one wherever trials have ended.
  const summary = run.summary!;
  terminal.print("");
  terminal.print(await resultsText(summary, terminal));
  terminal.print("");
  terminal.print(`Records: ${path}`);
  terminal.print(`Report:  ${terminal.colors.bold(report)}`);
  terminal.result({
    ...summary,
    rangeTests: run.rangeTests.map(({ arm, suggestion, suggestions, seconds }) => ({
      arm,
      suggestion,
      suggestions,
      seconds,
    })),
    directory: path,
    report,
  });
  if (finished.failure) throw finished.failure;
}
