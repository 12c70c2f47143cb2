/** @file What a finished comparison prints: the table, the report's path, or the JSON; then what failed. */

import { get } from "../../core/at.ts";
import { publishedTableOf } from "../../study/protocols.ts";
import type { FinishedStudy } from "../../study/run-study.ts";
import type { SaidBefore } from "../flags/study-of-flags.ts";
import type { Terminal } from "../terminal.ts";
import { resultsText } from "./results-text.ts";

/**
 * @param said of the call, for the command that is to follow it
 * @throws AddonError, after all is printed, where a trial failed
 */
export async function printComparison(
  finished: FinishedStudy,
  terminal: Terminal,
  said: SaidBefore,
): Promise<void> {
  const { run, path, report } = finished;
  // There is one wherever trials have ended.
  const summary = get(run, "summary", "run");
  terminal.print("");
  const published = await publishedTableOf(run.experiment, summary);
  const { columns, colors } = terminal;
  terminal.print(await resultsText(summary, { columns, colors, published }));
  terminal.print("");
  terminal.print(`Records: ${path}`);
  terminal.print(`Report:  ${terminal.colors.bold(report)}`);
  const { specification } = run.experiment;
  if (specification) {
    const { afterCompare, nextLine, withPlaces } = await import("./next-command.ts");
    const next = nextLine(
      afterCompare(summary, specification),
      await withPlaces(said, run.experiment),
    );
    if (next) terminal.printCommand(`\n${next}`);
  }
  terminal.result({
    ...summary,
    rangeTests: run.rangeTests.map(({ arm, suggestion, verdict, suggestions, seconds }) => ({
      ...{ arm, suggestion, verdict, suggestions, seconds },
    })),
    directory: path,
    report,
  });
  if (finished.failure) throw finished.failure;
}
