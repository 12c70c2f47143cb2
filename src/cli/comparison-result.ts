/** @file What a finished comparison prints: the table, the report's path, or the JSON. */

import type { FinishedComparison } from "./comparison.ts";
import { summaryTable } from "./summary-table.ts";
import type { Terminal } from "./terminal.ts";

export function printComparison(finished: FinishedComparison, terminal: Terminal): void {
  const { summary, run, path, report } = finished;
  terminal.print("");
  terminal.print(summaryTable(summary, terminal.colors));
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
}
