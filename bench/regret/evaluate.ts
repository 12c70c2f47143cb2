/**
 * @file What rules are worth: points of accuracy lost at the rate that each reads off a range test, against
 * the best rate of the grid. `npx jiti bench/regret/evaluate.ts FOLDER` prints the tables.
 */

import { RULES, type Rule } from "./rules.ts";
import {
  bestOf,
  type Measured,
  readMeasured,
  regretAt,
  type Surface,
  unavoidable,
} from "./surface.ts";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("bench: give the folder of the lines");
const measured = readMeasured(folder);

const quantile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] as number;

interface Row {
  readonly regrets: readonly number[];
  readonly silent: number;
}

/** Regrets of a rule over all tests of a length and ramp, times a factor, on constant rates or peaks. */
export function judge(
  rule: Rule,
  {
    of,
    updates,
    to,
    cycles,
    factor,
  }: {
    of: readonly Measured[];
    updates: number;
    to: number | null;
    cycles: number;
    factor: number;
  },
): Row {
  const regrets: number[] = [];
  let silent = 0;
  for (const { surfaces, tests } of of)
    for (const surface of surfaces) {
      if (surface.cycles !== cycles || (cycles > 0 && surface.ratio !== 6)) continue;
      if (surface.rates.length < 17) continue;
      for (const test of tests) {
        if (test.optimizer !== surface.optimizer || test.updates !== updates || test.to !== to)
          continue;
        const rate = rule(test);
        if (rate === null) silent += 1;
        else regrets.push(regretAt(surface, rate * factor));
      }
    }
  return { regrets: regrets.sort((a, b) => a - b), silent };
}

const show = ({ regrets, silent }: Row): string =>
  regrets.length === 0
    ? "-"
    : `${[0.5, 0.95, 1].map((p) => quantile(regrets, p).toFixed(1)).join(" / ")}${silent > 0 ? ` (${((100 * silent) / (silent + regrets.length)).toFixed(0)}% silent)` : ""}`;

const whole = (surface: Surface) =>
  surface.rates.length === 17 && Math.min(...surface.accuracies.map((a) => a.length)) >= 1;
for (const heldOut of [false, true]) {
  const of = measured.filter(({ task }) => task.heldOut === heldOut);
  console.log(
    `\n${heldOut ? "held out" : "design"}: ${of.map(({ task }) => task.name).join(", ")}`,
  );
  for (const cycles of [0, 1]) {
    const losses = of.flatMap(({ surfaces }) =>
      surfaces.filter((s) => s.cycles === cycles && whole(s)).flatMap((s) => unavoidable(s) ?? []),
    );
    if (losses.length)
      console.log(
        `unavoidable, cycles ${cycles}: ${show({ regrets: losses.sort((a, b) => a - b), silent: 0 })}`,
      );
  }
  for (const [cycles, factors] of [
    [0, [1]],
    [1, [1, 3]],
  ] as const)
    for (const to of [0.1, 10, null])
      for (const updates of [200, 100, 50])
        for (const factor of factors) {
          const cells = Object.entries(RULES).map(
            ([name, rule]) => `${name} ${show(judge(rule, { of, updates, to, cycles, factor }))}`,
          );
          console.log(
            `${cycles ? "clr" : "constant"} x${factor}, ${updates} updates to ${to ?? "its own end"} | ${cells.join(" | ")}`,
          );
        }
}
for (const { task, surfaces } of measured)
  for (const surface of surfaces.filter(whole)) {
    const { rate, accuracy } = bestOf(surface);
    console.log(
      `${task.name} ${surface.optimizer} cycles ${surface.cycles}: best ${accuracy.toFixed(1)} at ${rate.toPrecision(2)}; ${surface.accuracies.map((a) => (a.reduce((x, y) => x + y, 0) / a.length).toFixed(0)).join(" ")}`,
    );
  }
