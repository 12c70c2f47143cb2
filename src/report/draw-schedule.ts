/** @file One schedule as a picture that stands alone. */

import { describeSchedule, formatRate, type Schedule } from "../schedules/index.ts";
import { draw, yTitle } from "./draw.ts";
import { updateAxis } from "./figures/range-test.ts";
import { RATE_LABEL_FINE, simplified } from "./figures/schedule.ts";
import { linearTicks } from "./ticks.ts";

const MARGINS = { top: 36, right: 18, bottom: 44, left: 48 };

/**
 * The learning rate at updates 0 .. `updates`, as the text of an SVG file, 410 by 250 pixels and an
 * edge, light or dark as its reader prefers. Its title is `label`, which defaults to the schedule in
 * words. The same schedule gives the same text, to the byte.
 */
export async function drawSchedule(
  schedule: Schedule,
  { updates, label }: { readonly updates: number; readonly label?: string },
): Promise<string> {
  const stride = Math.max(1, Math.floor(updates / 20_000));
  const all: { update: number; lr: number }[] = [];
  for (let update = 0; update <= updates; update += stride)
    all.push({ update, lr: schedule(update) });
  const greatest = Math.max(...all.map(({ lr }) => lr)) || 1;
  const domain = [0, greatest * 1.08] as const;
  const values = simplified(all, 2e-3 * greatest);
  const { standalone } = await draw({
    name: "schedule",
    label: `Learning rate against update, greatest ${formatRate(greatest)}. ${label ?? describeSchedule(schedule.toJSON())}`,
    half: true,
    chart: (width) => ({
      width,
      height: 250,
      margins: MARGINS,
      layers: [
        {
          data: { values },
          mark: { type: "line", color: "var(--lr-1)", strokeWidth: 2, strokeJoin: "round" },
          encoding: {
            x: updateAxis("update", [0, updates]),
            y: {
              field: "lr",
              type: "quantitative",
              scale: { domain, nice: false },
              axis: {
                ...yTitle("learning rate", MARGINS.left),
                values: linearTicks(...domain, 5),
                labelExpr: RATE_LABEL_FINE,
              },
            },
          },
        },
      ],
    }),
  });
  return standalone;
}
