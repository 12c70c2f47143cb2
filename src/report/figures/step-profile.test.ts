import { expect, test } from "vitest";
import { type CostRow, costliest, drawStepProfile, stepProfileFigure } from "./step-profile.ts";

const row = (i: number): CostRow => ({
  name: `layer.${i}`,
  forwardMs: i,
  backwardMs: 2 * i,
  updateMs: 0,
  leastMs: i / 2,
});

const sum = (rows: readonly CostRow[], of: (row: CostRow) => number) =>
  rows.reduce((total, one) => total + of(one), 0);

test("the least rows become one, and nothing is lost", () => {
  const rows = Array.from({ length: 40 }, (_, i) => row(i + 1));
  const few = costliest(rows, 10);
  expect(few).toHaveLength(10);
  expect(few.map(({ name }) => name)).toEqual([
    ...rows.slice(31).map(({ name }) => name),
    "31 others",
  ]);
  for (const of of [
    (r: CostRow) => r.forwardMs,
    (r: CostRow) => r.backwardMs,
    (r: CostRow) => r.leastMs,
  ])
    expect(sum(few, of)).toBeCloseTo(sum(rows, of), 9);
  expect(costliest(rows.slice(0, 10), 10)).toEqual(rows.slice(0, 10));
});

test("a bar a part, one after the other, a stroke each row, and its numbers in words", () => {
  const rows = [{ ...row(3), updateMs: 1 }, row(10)];
  const { body } = stepProfileFigure(rows).draw(840);
  // Two of the key are parts of bars as well: 3 + 2 bars and 3 of the key.
  expect(body.match(/<rect /g)).toHaveLength(3 + 5);
  expect(body.match(/stroke="var\(--lr-2\)"/g)).toHaveLength(2);
  expect(body).toContain("10.0 ms, 25.0%");
  expect(body).toContain("<title>layer.10, backward: 20.0 ms</title>");
  expect(stepProfileFigure(rows).label).toContain("Where a step of 40.0 ms goes.");
});

test("a step that takes no time at all is drawn", () => {
  const nothing = { ...row(0), leastMs: 0 };
  expect(drawStepProfile([nothing])).toContain("0.000 ms, 0.0%");
  expect(drawStepProfile([nothing])).not.toMatch(/NaN|Infinity/);
});
