/** @file pruning.jsonl: what became of arms at rungs, a line a decision, in the order in which they were taken. */

import { join } from "node:path";
import { type RungDecision, type RungEvent, rungEvent, versioned } from "../record/index.ts";
import { appendLine, dropTornLine } from "./durable-write.ts";
import { readLines } from "./read-run.ts";
import type { RunDirectory } from "./run-directory.ts";

export const PRUNING_LOG = "pruning.jsonl";

/** Every decision on an arm of a run directory; a last line that is torn is none. @throws StoreError, exit code 2, naming the line */
export const readDecisions = (path: string): RungEvent[] =>
  readLines(join(path, PRUNING_LOG), rungEvent);

/** Puts decisions on the record, on the disk when this returns. @throws StoreError, exit code 1 */
export function recordDecisions(
  { path, fence }: Pick<RunDirectory, "path" | "fence">,
  decisions: readonly RungDecision[],
): void {
  if (decisions.length === 0) return;
  fence?.check();
  const file = join(path, PRUNING_LOG);
  dropTornLine(file);
  const lines = decisions.map((decision) =>
    JSON.stringify(versioned({ type: "rung", ...decision })),
  );
  appendLine(file, lines.join("\n"), { durable: true });
}

/** The arms that ended at a rung, by name, with the decision on each. */
export const prunedArms = (path: string): ReadonlyMap<string, RungEvent> =>
  new Map(
    readDecisions(path)
      .filter(({ decision }) => decision === "pruned")
      .map((event) => [event.arm, event]),
  );
