/** @file The table of runs. */

import type { ListedRun } from "../../index.ts";
import type { Terminal } from "../terminal.ts";
import { accuracy, mebibytes, rate, textTable } from "./format.ts";

/** Characters of a cell that may be long: arms, notes. */
const MOST = 32;

const short = (text: string) => (text.length > MOST ? `${text.slice(0, MOST - 3)}...` : text);

/** "61.3% sgd+clr", or of a range test the rate that it suggests. */
function outcome({ about, reason }: ListedRun): string {
  if (!about) return short(reason ?? "");
  if (about.rate !== null) return `rate ${rate(about.rate)}`;
  return about.best ? `${accuracy(about.best.accuracy)} ${short(about.best.arm)}` : "-";
}

/** "12 of 40" of one that is not finished; where its budget is spent, that too. */
function statusText({ about, status }: ListedRun): string {
  if (!about || (status !== "unfinished" && status !== "budget-reached")) return status;
  const done = `${about.done} of ${about.runs}`;
  return status === "unfinished" ? done : `${done}, budget reached`;
}

/** One line a run, as far as the terminal is wide: what is said of it goes last; a few lines where it is narrow. */
export function runsTable(
  runs: readonly ListedRun[],
  { colors, columns, width: most }: Terminal,
): string {
  const rows = runs.map((run) => {
    const { name, about, tags, note } = run;
    return [
      name,
      about?.kind ?? "?",
      statusText(run),
      about?.dataset ?? "?",
      about
        ? about.arms.length === 1
          ? short(about.arms.join())
          : `${about.arms.length} arms`
        : "?",
      outcome(run),
      mebibytes(run.bytes),
      [...tags.map((tag) => `#${tag}`), short(note)].join(" ").trim(),
    ];
  });
  const heading = ["run", "kind", "status", "data", "arms", "outcome", "size", ""];
  const width = (column: number) =>
    Math.max(...[heading, ...rows].map((row) => row[column]?.length ?? 0));
  // The least needed go where the width does not suffice: the arms, the kind, the data, the outcome.
  let kept = heading.map((_, column) => column);
  const wanted = () => kept.reduce((sum, each) => sum + width(each) + 2, -2);
  for (const column of [4, 1, 7, 3, 5]) {
    if (wanted() <= columns) break;
    kept.splice(kept.indexOf(column), 1);
  }
  // Each run on lines of its own has room for all of it.
  if (wanted() > most) kept = heading.map((_, column) => column);
  const only = (row: readonly string[]) => kept.map((column) => row[column] ?? "");
  return textTable(
    only(heading),
    rows.map(only),
    kept.map((column) => (column === 6 ? "right" : "left")),
    colors,
    most,
  );
}
