/** @file Files that a source had to leave out, by name. */

import { visibleLine } from "../../core/visible.ts";
import type { DatasetRecord } from "../../record/index.ts";
import { plural } from "./format.ts";

/** A heading and a line a file; nothing where there is none. */
export function describeBroken(
  broken: DatasetRecord["broken"],
  { limit }: { limit: number },
): string[] {
  if (broken.length === 0) return [];
  const shown = broken.slice(0, limit);
  const rest = broken.length - shown.length;
  return [
    `${plural(broken.length, "file")} cannot be used and ${broken.length === 1 ? "is" : "are"} left out:`,
    ...shown.map(({ file, reason }) => `  ${visibleLine(file)}: ${visibleLine(reason)}`),
    ...(rest > 0 ? [`  and ${rest} more; lrscope data lists them all`] : []),
  ];
}
