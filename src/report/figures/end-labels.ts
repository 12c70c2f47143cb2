/** @file Labels at the ends of lines: on a wide page and on a phone, distinct in both. */

import { labelsFor } from "../../arms/arm-labels.ts";
import { textWidth } from "../text-width.ts";

/** Pixels of a name beside a plot. */
const WIDE_ROOM = 200;
const NARROW_ROOM = 112;

/** What an arm's line is called at its end. */
export type EndLabels = (name: string) => readonly [wide: string, narrow: string];

/** Of arms that are in one figure. */
export function endLabels(names: readonly string[]): EndLabels {
  const distinct = [...new Set(names)];
  const [wide, narrow] = [WIDE_ROOM, NARROW_ROOM].map((room) =>
    labelsFor(distinct, (label) => distinct.every((name) => textWidth(label(name)) <= room)),
  );
  return (name) => [wide?.(name) ?? name, narrow?.(name) ?? name];
}
