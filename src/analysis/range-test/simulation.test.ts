/**
 * @file How often a range test is wrong about what it can say: simulated, on losses whose truth is known, and the
 * table of the guide held to it.
 */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { suggest } from "../index.ts";
import { quadraticRun, rampOf } from "./test-curves.ts";

const TESTS = 200;
const UPDATES = [8, 25, 50, 100, 200] as const;
const SEEDS = [1, 3] as const;

interface Truth {
  readonly learnable: number;
  readonly noise: number;
  readonly to: number;
}

type Found = ReturnType<typeof suggest>;

/** What is found of so many tests. */
function simulated(
  { to, ...truth }: Truth,
  { updates, seeds }: { updates: number; seeds: number },
): readonly Found[] {
  const lrs = rampOf(1e-4, to, updates);
  return Array.from({ length: TESTS }, (_, k) => {
    const runs = Array.from({ length: seeds }, (_, s) =>
      quadraticRun({ seed: 1000 * k + s, lrs, ...truth }),
    );
    return suggest(runs, { from: 1e-4, to });
  });
}

const FLAT: Truth = { learnable: 0, noise: 0.3, to: 10 };
const NOISY: Truth = { learnable: 1, noise: 1 / 3, to: 10 };
const CLEAR: Truth = { learnable: 1, noise: 0.1, to: 10 };
const SHORT: Truth = { ...CLEAR, to: 0.1 };

/** What is asked, of which truth, and whether much of it is wrong. */
const ROWS = [
  {
    name: "nothing to learn: a rate is suggested",
    truth: FLAT,
    says: ({ suggestion }: Found) => suggestion !== null,
    most: 0.03,
  },
  {
    name: "a fall of three times the noise of a batch: it cannot say",
    truth: NOISY,
    says: ({ suggestion }: Found) => suggestion === null,
  },
  {
    name: "a fall of ten times the noise: it cannot say",
    truth: CLEAR,
    says: ({ suggestion }: Found) => suggestion === null,
  },
  {
    name: "a ramp that diverges: called not bracketed",
    truth: CLEAR,
    says: ({ verdict }: Found) => verdict.kind === "not-bracketed",
    most: 0.03,
  },
  {
    name: "a ramp that ends while the loss falls: a rate is suggested",
    truth: SHORT,
    says: ({ suggestion }: Found) => suggestion !== null,
  },
] as const;

const percent = (part: number) => `${Number((100 * part).toFixed(1))}%`;

test("the guide's table of false alarms is what the simulation finds", () => {
  const cells = UPDATES.map((updates) =>
    SEEDS.map(
      (seeds) =>
        new Map([FLAT, NOISY, CLEAR, SHORT].map((of) => [of, simulated(of, { updates, seeds })])),
    ),
  );
  const found = ROWS.map((row) =>
    cells.map((bySeeds, i) =>
      bySeeds.map((cell) => {
        const part = cell.get(row.truth)!.filter(row.says).length / TESTS;
        if ("most" in row) expect(part, `${row.name}, ${UPDATES[i]}`).toBeLessThanOrEqual(row.most);
        return part;
      }),
    ),
  );
  const table = [
    `| truth, and what is said of it | ${UPDATES.map((n) => `${n} updates`).join(" | ")} |`,
    `|---|${UPDATES.map(() => "---|").join("")}`,
    ...ROWS.map(
      ({ name }, i) =>
        `| ${name} | ${found[i]!.map((seeds) => seeds.map(percent).join(" / ")).join(" | ")} |`,
    ),
  ].join("\n");
  const guide = readFileSync(
    new URL("../../../docs/guide/finding-a-learning-rate.md", import.meta.url),
    "utf8",
  );
  expect(guide).toContain(table);
}, 120_000);
