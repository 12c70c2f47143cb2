import { expect, test } from "vitest";
import { fakeComparison } from "../../test/report/fake-records.ts";
import { pairedDifferences, summarize } from "../analysis/index.ts";
import type { EpochMetrics } from "../record/index.ts";
import { armsOf } from "./figures/arms.ts";
import { finalAccuracyFigure } from "./figures/final-accuracy.ts";
import { pairedFigure } from "./figures/paired.ts";
import { differencesSection, resultsSection } from "./sections/results.ts";
import { type JudgedBy, REPORTED, type ShownSpread } from "./standings.ts";

const input = fakeComparison({ arms: ["adam", "sgd+clr"], epochs: 9 });
// The one that ends highest is not the one that was highest: its rival had a better epoch once, of each seed.
for (const { trial, metrics } of input.trials)
  if (trial.arm === "adam")
    (metrics as EpochMetrics[])[4] = {
      ...metrics[4]!,
      validationAccuracy: 0.95 + trial.seed / 100,
    };
const summary = summarize(input.experiment, input.trials);
const arms = armsOf(input);
const texts = (markup: string) => markup.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
const results = (by: JudgedBy, spread: ShownSpread) =>
  resultsSection(summary, arms, null, { by, spread })!.text;
/** The arms in the order of the table's rows. */
const order = (markup: string) =>
  [...markup.matchAll(/<tr><th scope="row"[^>]*>.*?<\/i>([^<]+)<\/th>/g)].map(([, name]) => name);

/** By the records alone. */
const accuracies = (arm: string, read: (all: readonly number[]) => number) =>
  input.trials
    .filter(({ trial }) => trial.arm === arm)
    .map(({ metrics }) => read(metrics.map((line) => line.validationAccuracy!)));
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1));
const text = (value: number) => (100 * value).toFixed(1);
const final = accuracies("sgd+clr", (all) => all.at(-1)!);
const best = accuracies("adam", (all) => Math.max(...all));

test("arms are ranked by the last epoch, or by the best", () => {
  expect(mean(final)).toBeGreaterThan(mean(accuracies("adam", (all) => all.at(-1)!)));
  expect(mean(best)).toBeGreaterThan(mean(accuracies("sgd+clr", (all) => Math.max(...all))));
  expect(order(results("finalValidationAccuracy", "interval")).slice(0, 2)).toEqual([
    "sgd+clr",
    "adam",
  ]);
  expect(order(results("bestValidationAccuracy", "interval")).slice(0, 2)).toEqual([
    "adam",
    "sgd+clr",
  ]);
  expect(texts(results("bestValidationAccuracy", "sd"))).toContain("by their best epochs");
  const figure = finalAccuracyFigure(summary.optimizers, arms, "bestValidationAccuracy")!;
  expect(figure.label).toMatch(/^Best validation accuracy of each seed\. adam: /);
});

test("behind a mean stands what is chosen, of every seed that has a value", () => {
  const [low, high] = [Math.min(...final), Math.max(...final)];
  const shown = (spread: ShownSpread) => texts(results("finalValidationAccuracy", spread));
  expect(shown("sd")).toContain(`${text(mean(final))}% ± ${text(deviation(final))}`);
  expect(shown("range")).toContain(`${text(mean(final))}% ${text(low)} to ${text(high)}`);
  expect(shown("interval")).toMatch(
    new RegExp(`${text(mean(final))}% \\[[\\d.]+, [\\d.]+\\]`.replaceAll("%", "%")),
  );
});

test("without a choice the tables are the report's", () => {
  expect(results(REPORTED.by, REPORTED.spread)).toBe(resultsSection(summary, arms, null)!.text);
});

test("paired differences of the best epochs are those of the records", () => {
  const pairs = pairedDifferences(summary.optimizers, { measure: "bestValidationAccuracy" });
  const [pair] = pairs;
  const of = (arm: string) => accuracies(arm, (all) => Math.max(...all));
  const differences = of(pair!.a).map((value, i) => value - of(pair!.b)[i]!);
  expect(pair!.differences).toEqual(differences.map((value) => expect.closeTo(value, 12)));
  const section = texts(differencesSection(pairs, null, arms, "sd")!.text);
  expect(section).toContain("Best validation accuracy, first minus second");
  expect(section).toContain(`± ${text(deviation(differences))}`);
  expect(pairedFigure(pairs)!.label).toContain("Paired differences of best validation accuracy");
});
