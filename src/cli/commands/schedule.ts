/** @file `lrscope schedule SPEC`: a schedule as a curve, before any training. */

import { asciiChart, axisLabels, chartWidth } from "../ascii-chart.ts";
import { defineCommand, optional } from "../define-command.ts";
import { jsonFlag } from "../flags.ts";
import { rate } from "../format.ts";
import { parseScheduleSpec, updatesToDraw } from "../schedule-spec.ts";
import { positiveInteger } from "../values.ts";

export const schedule = defineCommand({
  name: "schedule",
  summary: "draw a schedule",
  details:
    "SPEC is TYPE:KEY=VALUE,... or the JSON of a trial's record. Types: constant (lr), triangular or clr (base, max, step), cosine (peak, steps, floor), linear (from, to, steps), 1cycle (max, steps). Lengths are in updates.",
  args: [{ name: "spec", help: "the schedule, as in triangular:base=1e-4,max=1e-2,step=216" }],
  flags: {
    updates: optional({
      placeholder: "n",
      help: "updates to draw",
      read: positiveInteger("1000"),
      shownFallback: "the schedule's own length, or two cycles",
    }),
    ...jsonFlag,
  },
  examples: [
    "lrscope schedule triangular:base=1e-4,max=1e-2,step=216",
    "lrscope schedule 1cycle:max=0.1,steps=1000 --json",
  ],
  async run({ args, flags, terminal }) {
    const drawn = await parseScheduleSpec(args[0]!);
    const spec = drawn.toJSON();
    const updates = flags.updates ?? updatesToDraw(spec);
    const points = Array.from({ length: updates }, (_, update) => ({ update, lr: drawn(update) }));
    const { describeSchedule } = await import("../../schedules/index.ts");
    const width = chartWidth(terminal.columns);
    const rates = points.map(({ lr }) => lr);
    terminal.print(describeSchedule(spec));
    terminal.print("");
    terminal.print(asciiChart(rates, { width, height: 10, format: rate }));
    terminal.print(axisLabels("0", "update", String(updates - 1), width));
    terminal.result({ schedule: spec, points });
  },
});
