/** @file A range test in the report and as a chart: what it suggests, that it cannot say, and what it was read from. */

import { describe, expect, test } from "vitest";
import type { RangeTestRecord } from "../../src/record/index.ts";
import { formatRangeTestChart, type RenderedReport, renderReport } from "../../src/report/index.ts";
import { fakeExperiment, fakeRangeTest } from "./fake-records.ts";

const ids = ({ html }: RenderedReport) =>
  [...html.matchAll(/<section id="([^"]+)"/g)].map((match) => match[1]);
const headline = ({ html }: RenderedReport) => /<h1>(.*?)<\/h1>/s.exec(html)?.[1];
const nothing = { summary: null, rangeTests: [], trials: [], samples: [] };
const find = (record: RangeTestRecord) =>
  renderReport({
    ...nothing,
    experiment: { ...fakeExperiment(), kind: "find" },
    rangeTests: [record],
  });

describe("a range test", () => {
  test("a range test alone", async () => {
    const report = await renderReport({
      ...nothing,
      experiment: { ...fakeExperiment(), kind: "find" },
      rangeTests: [fakeRangeTest({ seeds: 1 })],
    });
    expect(ids(report)).toEqual(["range-tests", "data", "protocol", "reproduce"]);
    expect(headline(report)).toMatch(
      /^Train with sgd at a constant learning rate of \S+, or on a schedule that peaks at \S+ \(rule fall\)\.$/,
    );
    expect(report.markdownTable).toBe("");
    const published = await renderReport({
      ...nothing,
      experiment: { ...fakeExperiment(), kind: "find" },
      rangeTests: [fakeRangeTest({ seeds: 1, reading: "published" })],
    });
    expect(headline(published)).toMatch(
      /^Train with sgd at learning rates between \S+ and \S+ \(rule minimum\/10, as published\)\.$/,
    );
  });

  test("the short runs that confirm a range test", async () => {
    const record = fakeRangeTest({ seeds: 1 });
    const { rate: maxLr } = record.suggestion!.constant;
    const spreadOf = (...values: number[]) => ({ mean: values[0]!, sd: 0.01, values });
    record.confirmation = {
      epochs: 2,
      seeds: [0, 1, 2],
      candidates: [1 / 3, 1, 3].map((factor) => ({
        factor,
        rate: factor * maxLr,
        validationAccuracy: spreadOf(0.4 + factor / 10, 0.41, 0.43),
      })),
      best: 3 * maxLr,
      regret: { ...spreadOf(0.2, 0.19, 0.21), interval: { low: 0.175, high: 0.225 } },
    };
    const report = await renderReport({
      ...nothing,
      experiment: fakeExperiment(),
      rangeTests: [record],
    });
    expect(Object.keys(report.figures)).toContain("range-test-sgd-clr-confirmation.svg");
    expect(report.html).toMatch(
      /9 runs of 2 epochs, 3 seeds at each rate: \S+ does best, 20\.0 points better than the suggested \S+ \(paired 95% interval 17\.5 to 22\.5\)\./,
    );
  });

  test("a range test that cannot say does not pretend to", async () => {
    const find = { ...nothing, experiment: { ...fakeExperiment(), kind: "find" as const } };
    const record = fakeRangeTest({ from: 1e-7, to: 0.1 });
    expect(record.suggestion).toBeNull();
    const report = await renderReport({ ...find, rangeTests: [record] });
    expect(headline(report)).toBe(
      "This range test cannot say at which learning rate to train with sgd.",
    );
    expect(report.html).toContain("raise --to above 0.1");
    expect(report.html).toContain('make the test again with <span class="flag">--to 1</span>.');
    expect(report.html).toContain("Nothing is suggested, so nothing is shaded.");
    expect(report.figures["range-test-sgd-clr-loss.svg"]).not.toContain("constant ");
    const doubtful = { ...fakeRangeTest({ from: 1e-7, to: 0.1, reading: "published" }) };
    const published = await renderReport({ ...find, rangeTests: [doubtful] });
    expect(headline(published)).toMatch(
      /suggests learning rates .*as published\), with a doubt\.$/,
    );
    expect(published.html).toContain("Not bracketed: ");
  });

  test("a range test of which one seed never had a finite loss", async () => {
    const test = fakeRangeTest({ seeds: 2 });
    test.runs[0]!.points = [{ update: 0, lr: 1e-5, loss: null, smoothedLoss: null }];
    const report = await renderReport({
      ...nothing,
      experiment: fakeExperiment(),
      rangeTests: [test],
    });
    expect(report.figures["range-test-sgd-clr-loss.svg"]).not.toContain("NaN");
    expect(formatRangeTestChart(test)).toBe("");
  });

  test("two range tests of the same arm have figures of their own", async () => {
    const report = await renderReport({
      ...nothing,
      experiment: fakeExperiment(),
      rangeTests: [fakeRangeTest({ seeds: 1 }), fakeRangeTest({ seeds: 2 })],
    });
    expect(report.figures["range-test-sgd-clr-loss.svg"]).not.toContain(">seed 1<");
    expect(report.figures["range-test-sgd-clr-loss-2.svg"]).toContain(">seed 1<");
    const found = [...report.html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(found).size).toBe(found.length);
  });

  test("both rates of the suggestion are marked", async () => {
    const report = await find(fakeRangeTest());
    const svg = report.figures["range-test-sgd-clr-loss.svg"]!;
    for (const label of ["lower ", "constant ", "peak ", "minimum ", "seed 0", "seed 1", "seed 2"])
      expect(svg).toContain(`>${label}`);
  });

  test("the chart marks both rates within its width", () => {
    const lines = formatRangeTestChart(fakeRangeTest(), { width: 60, height: 8 }).split("\n");
    const marks = lines.find((line) => /^ +C +P$/.test(line))!;
    expect(marks.length).toBeLessThanOrEqual(60);
    // A factor of 3 on a scale of 6 decades over 51 columns: 0.477 / 6 of 50.
    expect(Math.abs(marks.indexOf("P") - marks.indexOf("C") - 4)).toBeLessThanOrEqual(1);
    expect(lines.at(-1)).toMatch(/C constant rate \S+, P peak \S+; learning rate, log scale$/);
    expect(lines.filter((line) => /[┤┼]/.test(line))).toHaveLength(8);
  });
});
