/** @file The table at the end of a comparison, under a line that says what its numbers are. */

import type { SummaryRecord } from "../record/index.ts";

export async function resultsText(summary: SummaryRecord): Promise<string> {
  const { formatSummaryTable } = await import("../report/index.ts");
  const seeds = Math.max(...summary.optimizers.map((entry) => entry.seeds.length));
  return [
    `Accuracy on the validation images${seeds > 1 ? ", mean ± standard deviation over the seeds" : ""}; best first`,
    "",
    formatSummaryTable(summary),
  ].join("\n");
}
