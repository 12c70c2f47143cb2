/** @file The tables at the end of a comparison: what a narrow terminal keeps and a wide one adds. */

import { expect, test } from "vitest";
import { summarize } from "../../src/analysis/index.ts";
import { openTerminal } from "../../src/cli/terminal.ts";
import { rangeTestText } from "../../src/cli/text/range-test-text.ts";
import { fitting } from "../../src/cli/text/results-columns.ts";
import { resultsText, wrapped } from "../../src/cli/text/results-text.ts";
import { protocol } from "../../studies/flowers-2019/index.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";

const { colors } = openTerminal({
  stdout: { write: () => true },
  stderr: { write: () => true },
  json: false,
  environment: { NO_COLOR: "1" },
});
const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));
const input = fakeComparison({ epochs: 30 });
const summary = summarize(input.experiment, input.trials);

test("eighty columns hold the essentials", async () => {
  const published = protocol.table(protocol.compare(input.experiment, input.trials));
  const text = await resultsText(summary, { columns: 80, colors, published });
  expect(widest(text)).toBeLessThanOrEqual(80);
  expect(text).toMatch(/^arm +final +.*best/m);
  expect(text).toContain("minus");
  expect(text).toContain("Epochs to a validation accuracy");
  expect(text).toContain("Beside the publication");
  expect(text.replaceAll("\n", " ")).toContain(summary.conclusion);
});

test("a wide terminal shows intervals, losses, gap and area too", async () => {
  const text = await resultsText(summary, { columns: 200, colors });
  for (const title of ["95% interval", "last 10", "loss", "gap", "area", "learning rate", "seeds"])
    expect(text).toContain(title);
});

test("points of a sensitivity analysis stand in a table of their own", async () => {
  const fake = fakeComparison({ epochs: 3, arms: ["adam", "adamax", "rmsprop"] });
  const pointOf = (of: string, factor: number) => ({ sensitivity: { of, factor } });
  const arms = fake.experiment.arms.map((arm) => ({
    ...arm,
    ...(arm.name === "rmsprop" ? pointOf("adam", 10) : pointOf(arm.name, 1)),
  }));
  const text = await resultsText(summarize({ ...fake.experiment, arms }, fake.trials), {
    columns: 80,
    colors,
  });
  const rows = text.split("\n").filter((line) => /^(adam|adamax|rmsprop) /.test(line));
  expect(rows.map((line) => line.split(" ")[0])).not.toContain("rmsprop");
  expect(text).toMatch(
    /^arm +x 1 +x 10 +decades\nadam +\d+\.\d +\d+\.\d +\d\.\d\nadamax +\d+\.\d +- +\d\.\d$/m,
  );
});

test("notes stand at the end", async () => {
  const text = await resultsText({ ...summary, notes: ["one.", "two."] }, { columns: 80, colors });
  expect(text.endsWith("\n\nNote: one.\nNote: two.")).toBe(true);
});

test("the most dispensable columns go first, and never those that nothing replaces", () => {
  const column = (title: string, dispensable: number) => ({ title, dispensable, cells: ["12345"] });
  const columns = [column("arm", 0), column("loss", 8), column("best", 1), column("final", 0)];
  const titles = (width: number) => fitting(columns, width).map(({ title }) => title);
  expect(titles(26)).toEqual(["arm", "loss", "best", "final"]);
  expect(titles(25)).toEqual(["arm", "best", "final"]);
  expect(titles(3)).toEqual(["arm", "final"]);
});

test("words wrap; one longer than the width stands alone", () => {
  expect(wrapped("a bc def ghijklmnop q", 6)).toBe("a bc\ndef\nghijklmnop\nq");
});

test("a range test over seeds: every rule, seed by seed where there is room", () => {
  const record = fakeRangeTest({ seeds: 3 });
  const text = rangeTestText(record, colors, 80);
  expect(widest(text)).toBeLessThanOrEqual(100);
  expect(text).toMatch(/^ {2}constant rate .*\(seeds \S+ to \S+; 95% \S+ to \S+\)$/m);
  expect(text).toMatch(/^ {2}peak /m);
  expect(text).toMatch(/^rule +median +95% interval +seed 0 +seed 1 +seed 2$/m);
  for (const rule of ["fall", "minimum/10", "steepest", "valley", "slide"])
    expect(text).toMatch(new RegExp(`^${rule} +\\S+ +\\S+ to \\S+( +\\S+){3}$`, "m"));
  const many = rangeTestText(fakeRangeTest({ seeds: 9 }), colors, 80);
  expect(many).toMatch(/^rule +median +95% interval +least +greatest$/m);
  expect(rangeTestText(fakeRangeTest({ seeds: 1 }), colors)).toContain("Other rules: minimum/10");
});
