/** @file The regrets of the rules as a figure: a dot a range test, on tasks that were held out. */

import { draw } from "../../src/report/draw.ts";
import type { Axis } from "../../src/report/plot/line-plot.ts";
import { drawRows, type Row } from "../../src/report/plot/row-plot.ts";
import { judge, quantile } from "./judge.ts";
import { PEAK_RULES, RULES } from "./rules.ts";
import type { Measured } from "./surface.ts";
import { partsOf } from "./tables.ts";

/** Points: where the axis begins; less is drawn there. */
const LEAST = 0.05;

const AXIS: Axis = {
  title: "points of validation accuracy lost against the best rate (less than 0.05: at 0.05)",
  choice: "",
  format: "number",
  low: LEAST,
  high: 100,
  log: true,
  ticks: [0.05, 0.1, 0.3, 1, 3, 10, 30, 100].map((at) => ({ at, text: String(at) })),
  fewTicks: [0.1, 1, 10, 100].map((at) => ({ at, text: String(at) })),
};

/** As SVG. Range tests of 200 updates from 1e-7 to 10. */
export function regretFigure(measured: readonly Measured[]): string {
  const { heldOut } = partsOf(measured);
  const rows = ([0, 1] as const).flatMap((cycles): Row[] => [
    {
      name: cycles === 0 ? "constant rate" : "peak of one triangular cycle",
      heading: true,
      colour: "",
      value: "",
    },
    ...Object.entries(cycles === 0 ? RULES : PEAK_RULES).map(([name, rule]): Row => {
      const { regrets } = judge(rule, { of: heldOut, updates: 200, to: 10, cycles });
      const drawn = (value: number) => Math.max(LEAST, value);
      return {
        name,
        colour: name === "lrscope" ? "var(--lr-1)" : "var(--lr-muted)",
        value: [0.5, 0.95, 1].map((share) => quantile(regrets, share).toFixed(1)).join(" / "),
        dots: regrets.map((x) => ({ x: drawn(x), tip: `${name}: ${x.toFixed(2)} points` })),
        centre: drawn(quantile(regrets, 0.5)),
      };
    }),
  ]);
  const { standalone } = draw({
    name: "regret",
    label: `Regret of range-test rules on held-out tasks: ${rows.map(({ name, value }) => `${name} ${value}`).join("; ")}`,
    draw: (width) => drawRows({ axis: AXIS, rows, row: 26 }, width),
  });
  return standalone;
}
