/** @file The tables of the regret study, in Markdown. */

import {
  type Cell,
  judge,
  quantile,
  regretText,
  surfacesOf,
  unavoidableOf,
  worseThan,
} from "./judge.ts";
import { flank, PEAK_RULES, RULES, type Rule } from "./rules.ts";
import { bestOf, type Measured } from "./surface.ts";

const LENGTHS = [200, 100, 50] as const;
/** Ramps, with how they are called. */
const RAMPS = [
  [10, "1e-7 to 10"],
  [0.1, "1e-7 to 0.1"],
  [null, "its own ends"],
] as const;

type Parts = Readonly<Record<"design" | "heldOut", readonly Measured[]>>;

export const partsOf = (measured: readonly Measured[]): Parts => ({
  design: measured.filter(({ task }) => !task.heldOut),
  heldOut: measured.filter(({ task }) => task.heldOut),
});

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Median, 95th percentile and greatest regret of every rule, by ramp and length. */
export function rulesTable(of: readonly Measured[], cycles: 0 | 1): string {
  const rules = cycles === 0 ? RULES : PEAK_RULES;
  const row = (name: string, rule: Rule, [to, ramp]: (typeof RAMPS)[number], together = 1) => [
    together === 1 ? name : `${name}, ${together} seeds read together`,
    ramp,
    ...LENGTHS.map((updates) => regretText(judge(rule, { of, updates, to, cycles }, together))),
  ];
  const rows = RAMPS.flatMap((ramp) =>
    Object.entries(rules)
      // A ramp that ends by itself is the product's own.
      .filter(([name]) => ramp[0] !== null || name === "lrscope")
      .flatMap(([name, rule]) => [
        row(name, rule, ramp),
        ...(name === "lrscope" && ramp[0] !== null ? [row(name, rule, ramp, 3)] : []),
      ]),
  );
  return table(["rule", "ramp", ...LENGTHS.map((updates) => `${updates} updates`)], rows);
}

/** What the default suggests, on both parts, beside what was aimed at. */
export function targetsTable({ design, heldOut }: Parts): string {
  const AIMS = { 200: "0.4 / 1.5 / 3.0", 100: "0.6 / 2.0 / 5.0", 50: "1.0 / 4.0 / 10.0" };
  const rows = ([0, 1] as const).flatMap((cycles) => {
    const rule = cycles === 0 ? RULES.lrscope : PEAK_RULES.lrscope;
    return LENGTHS.map((updates) => {
      const cell = (of: readonly Measured[]) => judge(rule, { of, updates, to: null, cycles });
      const [own, other] = [cell(design), cell(heldOut)];
      return [
        cycles === 0 ? "constant" : "peak of one cycle",
        `${updates}`,
        AIMS[updates],
        regretText(own),
        regretText(other),
        `${worseThan(own, 10).toFixed(1)}% / ${worseThan(other, 10).toFixed(1)}%`,
      ];
    });
  });
  return table(
    ["rate", "updates", "aim", "design", "held out", "more than 10 points lost, design / held out"],
    rows,
  );
}

/** Regrets at the flank times a factor, by cycles and their depth. */
export function factorsTable(of: readonly Measured[]): string {
  const factors = [1, 1.26, 1.6, 2, 2.5, 3.2, 4, 5, 6.3];
  const some = of.filter((measured) => surfacesOf(measured, 3).length > 0);
  const kinds = [
    { cycles: 0, ratio: 1, name: "constant" },
    { cycles: 1, ratio: 6, name: "one cycle, base = peak / 6" },
    { cycles: 3, ratio: 6, name: "three cycles, base = peak / 6" },
    { cycles: 1, ratio: 25, name: "one cycle, base = peak / 25" },
  ];
  // The tasks and optimizers alone that have all of them.
  const only = some.map((measured) => {
    const varied = new Set(surfacesOf(measured, 3).map(({ optimizer }) => optimizer));
    return {
      ...measured,
      surfaces: measured.surfaces.filter(({ optimizer }) => varied.has(optimizer)),
    };
  });
  const rows = kinds.map(({ cycles, ratio, name }) => [
    name,
    ...factors.map((factor) => {
      const cell: Cell = { of: only, updates: 200, to: null, cycles, ratio, factor };
      return regretText(judge(flank, cell));
    }),
  ]);
  return table(["schedule", ...factors.map((factor) => `x ${factor}`)], rows);
}

/** By task: what is best, what the default loses, and what the seeds alone make a perfect rule lose. */
export function tasksTable(measured: readonly Measured[]): string {
  const rows = measured.map((one) => {
    const cells = ([0, 1] as const).flatMap((cycles) => {
      const rule = cycles === 0 ? RULES.lrscope : PEAK_RULES.lrscope;
      const best = surfacesOf(one, cycles).map((surface) => bestOf(surface).accuracy);
      return [
        best.length === 0
          ? "-"
          : `${Math.min(...best).toFixed(1)} - ${Math.max(...best).toFixed(1)}`,
        regretText(judge(rule, { of: [one], updates: 200, to: null, cycles })),
        quantile(unavoidableOf([one], cycles).regrets, 0.5).toFixed(1),
      ];
    });
    return [`${one.task.name}${one.task.heldOut ? " (held out)" : ""}`, ...cells];
  });
  return table(
    [
      "task",
      ...["constant", "cycle"].flatMap((kind) => [
        `${kind}: best of the optimizers, %`,
        "lost",
        "by the seeds",
      ]),
    ],
    rows,
  );
}
