/** @file One schedule as a picture that stands alone. */

import { describeSchedule, formatRate, type Schedule } from "../schedules/index.ts";
import { sampledRates } from "../schedules/sampled.ts";
import { draw, type Figure, lineFigure } from "./draw.ts";
import { linearRateAxis, updateAxis } from "./plot/axes.ts";
import { simplified } from "./simplify.ts";

const FRAME = { height: 250, top: 30, right: 18, bottom: 46, left: 52 };

/**
 * The learning rate at updates 0 .. `updates`, as the text of an SVG file, 410 by 250 pixels and an
 * edge, light or dark as its reader prefers. Its title is `label`, which defaults to the schedule in
 * words. The same schedule gives the same text, to the byte.
 */
export async function drawSchedule(
  schedule: Schedule,
  options: { readonly updates: number; readonly label?: string },
): Promise<string> {
  return draw(scheduleFigure(schedule, options)).standalone;
}

/** The same as a figure, for a page. */
export function scheduleFigure(
  schedule: Schedule,
  { updates, label }: { readonly updates: number; readonly label?: string },
): Figure {
  const all = sampledRates(schedule, updates);
  const greatest = all.reduce((most, { lr }) => Math.max(most, lr), 0) || 1;
  const points = simplified(all, 2e-3 * greatest);
  return lineFigure(
    {
      name: "schedule",
      x: [updateAxis(0, Math.max(1, updates))],
      y: [linearRateAxis("learning rate", greatest * 1.08)],
      frames: [FRAME, FRAME],
      lines: [
        {
          key: "rate",
          name: "learning rate",
          colour: "var(--lr-1)",
          dash: [1, 0],
          x: [points.map(({ update }) => update)],
          y: points.map(({ lr }) => lr),
        },
      ],
      bands: [],
    },
    {
      label: `Learning rate against update, greatest ${formatRate(greatest)}. ${label ?? describeSchedule(schedule.toJSON())}`,
      half: true,
    },
  );
}
