/** @file `lrscope schedule SPEC`: a schedule as a curve, before any training. */

import { defineCommand, optional } from "../flags/define-command.ts";
import { jsonFlag } from "../flags/flags.ts";
import { positiveInteger, text } from "../flags/values.ts";
import { rate } from "../text/format.ts";

const count = (help: string) =>
  optional({
    placeholder: "n",
    help,
    read: positiveInteger("1000"),
    shownFallback: "the schedule's own length, or three cycles",
  });

export const schedule = defineCommand({
  name: "schedule",
  api: ["parseSchedule", "sampledRates", "updatesToDraw", "chartedRates"],
  summary: "draw a schedule",
  details:
    "SPEC is TYPE:KEY=VALUE,... or the JSON of a trial's record. Types: constant (lr), triangular or clr, triangular2 (base, max, step, down), exp_range (and gamma, decay), 1cycle (max, steps, rise, phases, anneal, dialect, end), cosine (peak, steps, floor), sgdr (peak, cycle, growth), linear (from, to, steps), wsd (peak, steps, warmup, down, decay), isqrt (peak, warmup), poly (from, to, steps, power), exp (lr, factor, every), step (lr, factor, every), multistep (lr, at=30/60), piecewise (points=0:0.1/50:0.01, between); and, of another schedule in round brackets, warmup (steps, from, shape, schedule), sequence (STEPS=(SPEC),...), repeat (steps, times, schedule), stretch (steps, to, after, schedule), clip (min, max, schedule), hold (steps, schedule). Lengths are in updates, up to 2^53 - 1; of more than 20,000, --json and --svg have so many points or fewer, the turns among them.",
  args: [{ name: "spec", help: "the schedule, as in triangular:base=1e-4,max=1e-2,step=216" }],
  flags: {
    steps: count("updates to draw"),
    updates: count("the same as --steps"),
    svg: optional({ placeholder: "file", help: "draw it into this SVG file too", read: text }),
    ...jsonFlag,
  },
  examples: [
    "lrscope schedule triangular:base=1e-4,max=1e-2,step=216",
    "lrscope schedule 1cycle:max=0.1,steps=1000 --json",
    "lrscope schedule 'warmup:steps=100,schedule=(cosine:peak=0.1,steps=900)' --svg warmup.svg",
  ],
  async run({ args, flags, terminal }) {
    const { asciiChart, axisLabels, chartWidth } = await import("../text/ascii-chart.ts");
    const { chartedRates, checkFinite, updatesToDraw } = await import("../../schedules/charted.ts");
    const { parseSchedule } = await import("../../schedules/text/parse-schedule.ts");
    const drawn = parseSchedule(args[0] ?? "");
    const spec = drawn.toJSON();
    const updates = flags.steps ?? flags.updates ?? updatesToDraw(drawn);
    const { describeSchedule } = await import("../../schedules/index.ts");
    const { sampledRates } = await import("../../schedules/sampled.ts");
    const points = sampledRates(drawn, updates - 1);
    checkFinite(drawn, points);
    const width = chartWidth(terminal.columns);
    const charted = chartedRates(drawn, { updates, width, points });
    terminal.print(describeSchedule(spec));
    terminal.print("");
    terminal.print(asciiChart(charted, { height: 10, format: rate }));
    terminal.print(axisLabels("0", "update", String(updates - 1), width));
    if (updates > drawn.steps + 1)
      terminal.note(`made for ${drawn.steps} updates; flat from there on`);
    if (flags.svg !== undefined) {
      const { drawSchedule } = await import("../../report/index.ts");
      const { writeText } = await import("../text/write-text.ts");
      writeText(flags.svg, await drawSchedule(drawn, { updates: Math.max(1, updates - 1) }));
      terminal.note(`drawn into ${flags.svg}`);
    }
    terminal.result({ schedule: spec, points });
  },
});
