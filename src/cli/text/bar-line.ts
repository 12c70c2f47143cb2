/** @file A bar in one line of a terminal: what it is of, how far it is, and what there is room for besides. */

import { columnsOf, shortenedTo } from "./columns.ts";

export interface BarLine {
  readonly label: string;
  /** In 0 .. 1. */
  readonly part: number;
  /** ", 3,000 images/s", or "". */
  readonly detail: string;
  /** ", 12 s left", or "". */
  readonly left: string;
}

/** Columns of the bar itself. */
const LONGEST = 30;
const SHORTEST = 8;

/** The line, at most so many columns: first the detail goes, then the bar, then the time left, last of the label. */
export function barLine({ label, part, detail, left }: BarLine, columns: number): string {
  const percentage = `${Math.floor(Math.min(1, Math.max(0, part)) * 100)}%`;
  for (const after of [`${percentage}${detail}${left}`, `${percentage}${left}`]) {
    const room = columns - columnsOf(`${label}  ${after}`);
    if (room >= SHORTEST) return `${label} ${bar(part, Math.min(LONGEST, room))} ${after}`;
  }
  for (const after of [`${percentage}${left}`, percentage])
    if (columnsOf(`${label} ${after}`) <= columns) return `${label} ${after}`;
  return `${shortenedTo(label, columns - percentage.length - 1)} ${percentage}`;
}

function bar(part: number, length: number): string {
  const done = Math.round(Math.min(1, Math.max(0, part)) * length);
  return "█".repeat(done) + "░".repeat(length - done);
}
