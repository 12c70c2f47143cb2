/** @file How training went at the rates of a range test that were tried, in the report's own figures. */

import type { RangeTestRecord } from "../src/record/index.ts";
import { draw } from "../src/report/draw.ts";
import { captions } from "../src/report/figures/captions.ts";
import { confirmationFigure, tuningFigure } from "../src/report/figures/confirmation.ts";
import { figures } from "../src/report/sections/figures.ts";
import { element } from "./element.ts";

/** A heading and a figure for each that was made. */
export function figuresOfRates(record: RangeTestRecord): HTMLElement[] {
  const made = [
    ["The rate, tuned", tuningFigure(record, "arm")],
    ["The rate, confirmed", confirmationFigure(record, "arm")],
  ] as const;
  return made.flatMap(([heading, figure]) => {
    if (!figure) return [];
    const drawn = element("div");
    drawn.innerHTML = figures([{ drawn: draw(figure), caption: captions.confirmation }]).text;
    return [element("h3", {}, heading), drawn];
  });
}
