/** @file Regrets of rules over many range tests, and their quantiles. */

import type { Rule } from "./rules.ts";
import { type Measured, regretAt, type Surface, type TestLine, unavoidable } from "./surface.ts";

/** Which tests are read, and what their rates are paid in. */
export interface Cell {
  readonly of: readonly Measured[];
  readonly updates: number;
  /** End of the ramp; null: it found it itself. */
  readonly to: number | null;
  /** Cycles over the run; 0: the rate is constant. */
  readonly cycles: number;
  /** Greatest over least rate of a cycle; default 6. */
  readonly ratio?: number;
  /** Default 1. */
  readonly factor?: number;
}

export interface Regrets {
  /** Points, ascending. */
  readonly regrets: readonly number[];
  /** Tests of which the rule said nothing. */
  readonly silent: number;
}

/** Rates of a whole grid. */
const GRID = 17;

/** Surfaces of a kind that are whole. */
export function surfacesOf({ surfaces }: Measured, cycles: number, ratio = 6): readonly Surface[] {
  return surfaces.filter(
    (surface) =>
      surface.cycles === cycles &&
      surface.ratio === (cycles === 0 ? 1 : ratio) &&
      surface.rates.length === GRID,
  );
}

/** What a rule loses over all tests of a cell. `together`: so many tests, of other seeds each, are read as one. */
export function judge(
  rule: Rule,
  { of, updates, to, cycles, ratio, factor = 1 }: Cell,
  together = 1,
): Regrets {
  const regrets: number[] = [];
  let silent = 0;
  for (const measured of of)
    for (const surface of surfacesOf(measured, cycles, ratio)) {
      const tests = measured.tests.filter(
        (test) =>
          test.optimizer === surface.optimizer && test.updates === updates && test.to === to,
      );
      for (const some of inGroups(tests, together)) {
        const rate = rule(some);
        if (rate === null) silent += 1;
        else regrets.push(regretAt(surface, rate * factor));
      }
    }
  return { regrets: regrets.sort((a, b) => a - b), silent };
}

function inGroups(
  tests: readonly TestLine[],
  size: number,
): (readonly [TestLine, ...TestLine[]])[] {
  const ordered = tests.toSorted((a, b) => a.seed - b.seed);
  return Array.from({ length: Math.floor(ordered.length / size) }, (_, i) => {
    const [first, ...more] = ordered.slice(i * size, (i + 1) * size);
    return [first as TestLine, ...more] as const;
  });
}

/** The least value that a share of them does not exceed. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

/** "0.3 / 1.4 / 2.4", and what part of the tests the rule said nothing of. */
export function regretText({ regrets, silent }: Regrets): string {
  if (regrets.length === 0) return "-";
  const said = [0.5, 0.95, 1].map((share) => quantile(regrets, share).toFixed(1)).join(" / ");
  const part = Math.round((100 * silent) / (silent + regrets.length));
  return part === 0 ? said : `${said} (${part}%)`;
}

/** Of the suggestions that were given, the part that loses more than so many points; in per cent. */
export const worseThan = ({ regrets }: Regrets, points: number): number =>
  (100 * regrets.filter((regret) => regret > points).length) / regrets.length;

/** What a perfect rule loses by the seeds alone: see `unavoidable`. Optimizer by optimizer. */
export function unavoidableOf(of: readonly Measured[], cycles: number): Regrets {
  const regrets = of.flatMap((measured) =>
    surfacesOf(measured, cycles).flatMap((surface) => unavoidable(surface) ?? []),
  );
  return { regrets: regrets.sort((a, b) => a - b), silent: 0 };
}
