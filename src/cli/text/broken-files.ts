/** @file Files that a source had to leave out, and those that are copies of others, by name. */

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

/** What a record says of files that are the same bytes; nothing where there are none. */
export function describeCopies(
  { copies, copiesLeftOut }: Pick<DatasetRecord, "copies" | "copiesLeftOut">,
  { limit = Number.POSITIVE_INFINITY }: { readonly limit?: number } = {},
): string[] {
  const left = copiesLeftOut
    ? [`${plural(copiesLeftOut, "file")} left out, as others are the same bytes`]
    : [];
  if (!copies) return left;
  const { files, acrossParts, inTwoClasses, groups } = copies;
  const harm = [
    ...(acrossParts > 0 ? [`${plural(acrossParts, "picture")} on both sides of the split`] : []),
    ...(inTwoClasses > 0 ? [`${plural(inTwoClasses, "picture")} in two classes`] : []),
  ];
  return [
    ...left,
    `${plural(files, "file")} ${files === 1 ? "is a copy" : "are copies"} of others${harm.length > 0 ? `: ${harm.join(", ")}` : ""}; --copies leave-out takes one of each:`,
    ...groups
      .slice(0, limit)
      .map(
        (group) =>
          `  ${group.files.map(visibleLine).join(" = ")}${group.count > group.files.length ? ` and ${group.count - group.files.length} more` : ""}`,
      ),
    ...(groups.length > limit ? ["  and others; lrscope data names them"] : []),
  ];
}

/** Files of which the first picture alone is taken; nothing where there is none. */
export function describeSeveral(
  { firstOfSeveral }: Pick<DatasetRecord, "firstOfSeveral">,
  { limit = Number.POSITIVE_INFINITY }: { readonly limit?: number } = {},
): string[] {
  if (!firstOfSeveral) return [];
  const { files, names } = firstOfSeveral;
  const shown = names.slice(0, limit).map(visibleLine);
  const rest = files - shown.length;
  return [
    `${plural(files, "file")} ${files === 1 ? "holds" : "hold"} several pictures (an animation's frames, pages), of which the first is taken: ${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`,
  ];
}
