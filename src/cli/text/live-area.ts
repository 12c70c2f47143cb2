/** @file The last lines of a terminal, written again as they change: what is under way stands below all that was said. */

import { columnsOf } from "./columns.ts";

export interface AreaStream {
  write(text: string): unknown;
  readonly columns?: number;
}

export interface LiveArea {
  /** Takes the place of what the area showed. Each line has to fit the terminal. */
  show(lines: readonly string[]): void;
  /** Writes something else above the area. */
  around(write: () => void): void;
  /** Nothing is left of it. */
  clear(): void;
}

/** The cursor is never hidden, so that a process that ends at any moment leaves the terminal as it was. */
export function openLiveArea(stream: AreaStream): LiveArea {
  let shown: readonly string[] = [];
  const erased = (): string => {
    if (shown.length === 0) return "";
    // A terminal that was made narrower since has broken lines in two.
    const width = stream.columns ?? Number.POSITIVE_INFINITY;
    const rows = shown.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(columnsOf(line) / width)),
      0,
    );
    // Up so many rows, to the first column, and all below it away.
    return `\x1b[${rows}A\r\x1b[J`;
  };
  const write = (text: string) => {
    if (text !== "") stream.write(text);
  };
  const show = (lines: readonly string[]) => {
    const before = erased();
    shown = lines;
    write(before + lines.map((line) => `${line}\n`).join(""));
  };
  return {
    show,
    around(other) {
      const lines = shown;
      show([]);
      other();
      show(lines);
    },
    clear: () => show([]),
  };
}
