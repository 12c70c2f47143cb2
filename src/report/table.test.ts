import { expect, test } from "vitest";
import { fakeComparison } from "../../test/report/fake-records.ts";
import { summarize } from "../analysis/index.ts";
import { REPORTED, type ShownSpread } from "./standings.ts";
import { latexTable } from "./table.ts";

const { experiment, trials } = fakeComparison({ arms: ["adam", "sgd+clr"], epochs: 6 });
const summary = summarize(experiment, trials);

test("a LaTeX table has a row an arm, best first, with the spread that is asked for", () => {
  const rows = (spread?: ShownSpread) =>
    latexTable(summary, spread && { ...REPORTED, spread })
      .split("\n")
      .filter((line) => / & \d/.test(line));
  const best = summary.optimizers.toSorted(
    (a, b) => b.finalValidationAccuracy.mean! - a.finalValidationAccuracy.mean!,
  )[0]!;
  const { mean, sd, interval, values } = best.finalValidationAccuracy;
  const text = (value: number) => (100 * value).toFixed(1);
  const begin = `${best.name} & ${text(mean!)}`;
  expect(rows()).toHaveLength(2);
  expect(rows()[0]).toContain(`${begin} $\\pm$ ${text(sd!)} & `);
  expect(rows("interval")[0]).toContain(
    `${begin}\\ [${text(interval!.low)}, ${text(interval!.high)}] & `,
  );
  const numbers = values.filter((value) => value !== null);
  expect(rows("range")[0]).toContain(
    `${begin}\\ [${text(Math.min(...numbers))}, ${text(Math.max(...numbers))}] & `,
  );
});

test("names are texts, whatever LaTeX would make of them", () => {
  const hostile = {
    ...summary,
    optimizers: [{ ...summary.optimizers[0]!, name: "a_b\\input{x}%~^#$&" }],
  };
  expect(latexTable(hostile)).toContain(
    "a\\_b\\textbackslash{}input\\{x\\}\\%\\textasciitilde{}\\textasciicircum{}\\#\\$\\& & ",
  );
  expect(latexTable({ ...summary, optimizers: [] })).toBe("");
});
