/** @file Figures of numbers at the ends of what a number can be: finite, bounded, and there. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeExperiment, fakeRangeTest, fakeTrials } from "../../test/report/fake-records.ts";
import { linearRamp, triangular } from "../schedules/index.ts";
import { drawSchedule } from "./draw-schedule.ts";
import { formatRate } from "./format.ts";
import { formatRangeTestChart } from "./index.ts";
import { plainChart } from "./plain-chart.ts";
import { linearRateAxis, logNumberAxis, logRateAxis, numberAxis } from "./plot/axes.ts";
import { type Axis, pixelOf } from "./plot/line-plot.ts";
import { renderReport } from "./render.ts";
import { decades, integerTicks, linearTicks, niceStep, rateDomain } from "./ticks.ts";

const EXTREMES = [5e-324, 1e-310, 1e-300, 1e-7, 0.1, 1, 1e21, 1e300, 1e308, Number.MAX_VALUE];

const NOTHING = { trials: [], rangeTests: [], summary: null, samples: [] };
const label = (value: number) => formatRate(value).padStart(9);

/** Every order of magnitude alike, and the ends themselves. */
const magnitude = fc.oneof(
  fc.constantFrom(...EXTREMES),
  fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -323, max: 307 }))
    .map(([digits, exponent]) => Math.max(Number(`${digits}e${exponent}`), Number.MIN_VALUE)),
);
const number = fc.tuple(magnitude, fc.constantFrom(-1, 0, 1)).map(([size, sign]) => size * sign);
const ends = fc.tuple(number, number).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const positiveEnds = fc
  .tuple(magnitude, magnitude)
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

function expectTicks(ticks: readonly number[], [low, high]: readonly [number, number]): void {
  expect(ticks.length).toBeLessThanOrEqual(30);
  const room = 1e-6 * (high / 2 - low / 2) + Number.MIN_VALUE;
  for (const [i, tick] of ticks.entries()) {
    expect(Number.isFinite(tick)).toBe(true);
    expect(tick).toBeGreaterThanOrEqual(low - room);
    expect(tick).toBeLessThanOrEqual(high + room);
    if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]!);
  }
}

describe("of any finite numbers", () => {
  test("ticks are few, finite, ascending and within the ends", () => {
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 12 }), ([low, high], count) => {
        expectTicks(linearTicks(low, high, count), [low, high]);
        expectTicks(integerTicks(low, high, count), [low, high]);
        expect(niceStep(high - low, count)).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(positiveEnds, fc.integer({ min: 1, max: 12 }), ([low, high], count) => {
        const ticks = decades(low, high, count);
        expect(ticks.length).toBeLessThanOrEqual(count);
        expect(ticks.every((tick) => tick > 0 && Number.isFinite(tick))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("no decades are asked of ends that a log axis cannot have", () => {
    for (const [low, high] of [
      [0, 1],
      [-1, 1],
      [1e-3, Number.POSITIVE_INFINITY],
    ] as const)
      expect(decades(low, high).length).toBeLessThanOrEqual(12);
  });

  test("a value lies at a pixel, on every axis", () => {
    const expectPixels = (axis: Axis, values: readonly number[]) => {
      for (const { at } of [...axis.ticks, ...axis.fewTicks, ...values.map((at) => ({ at }))])
        expect(Number.isFinite(pixelOf(axis, at, 800))).toBe(true);
    };
    fc.assert(
      fc.property(positiveEnds, number, ([low, high], value) => {
        expectPixels(linearRateAxis("rate", high * 1.08), [low, high, value]);
        expectPixels(numberAxis("loss", [low, high]), [low, high, value]);
        expectPixels(numberAxis("loss", [-high, high]), [-high, 0, high, value]);
        const above = Math.abs(value) || 1;
        expectPixels(logRateAxis("rate", rateDomain([low, high])), [low, high, above]);
        expectPixels(logNumberAxis("loss", [low * 0.95, high * 1.05]), [low, high, above]);
      }),
      { numRuns: 1000 },
    );
  });

  test("the ends of an axis lie at its ends", () => {
    for (const [low, high] of [[5e-324, Number.MAX_VALUE]] as const) {
      const log = logRateAxis("rate", [low, high]);
      expect([low, 1, high].map((at) => Math.round(pixelOf(log, at, 100)))).toEqual([0, 51, 100]);
      const linear = numberAxis("loss", [-high, high]);
      expect([-high, 0, high].map((at) => pixelOf(linear, at, 100))).toEqual([0, 50, 100]);
    }
  });

  test("a rate is a few characters", () => {
    fc.assert(
      fc.property(number, (value) => {
        expect(formatRate(value)).toMatch(/^-?\d(\d*\.)?\d*(e-?\d+)?$/);
        expect(formatRate(value).length).toBeLessThan(11);
      }),
    );
  });

  test("a chart in plain text has its rows", () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 2, maxLength: 30 }), (values) => {
        const [least, greatest] = [Math.min(...values), Math.max(...values)];
        const text = plainChart([values], { height: 10, least, greatest, format: label });
        expect(text).not.toMatch(/NaN|Infinity|undefined/);
        expect(text.split("\n").length).toBeLessThanOrEqual(12);
        if (formatRate(least) !== formatRate(greatest))
          for (const end of [least, greatest]) expect(text).toContain(`${formatRate(end)} `);
      }),
      { numRuns: 500 },
    );
    // Rows counted from zero in steps of one would never come to the end of these.
    for (const least of [1e20, 1, 1e308])
      for (const greatest of [least, least * (1 + 2 ** -52)])
        expect(
          plainChart([[least, greatest]], { height: 10, least, greatest, format: label }),
        ).toContain(formatRate(least));
  });
});

const expectDrawn = (svg: string) => expect(svg).not.toMatch(/NaN|Infinity|undefined/);

describe.each(EXTREMES)("a rate of %d", (rate) => {
  test("is drawn as a schedule", async () => {
    expectDrawn(await drawSchedule(linearRamp({ from: rate, to: 0, steps: 90 }), { updates: 90 }));
  });

  test("does not cost the report, beside others or alone", async () => {
    for (const arms of [["adam"], ["adam", "sgd+clr", "adagrad"]]) {
      const experiment = fakeExperiment({ epochs: 3, seeds: 2, arms });
      const trials = fakeTrials({ epochs: 3, seeds: 2, arms }).map(({ trial, metrics }) => {
        if (trial.arm !== "adam") return { trial, metrics };
        const schedule = { type: "constant", rate };
        return {
          trial: { ...trial, schedule },
          metrics: metrics.map((line) => ({
            ...line,
            lr: rate,
            trainLoss: Math.min(rate, 3.4e38),
          })),
        };
      });
      const { html, figures } = await renderReport({ ...NOTHING, experiment, trials });
      expect(figures["learning-rate.svg"]).toBeDefined();
      for (const svg of Object.values(figures)) expectDrawn(svg);
      expect(html.match(/<svg[\s\S]*?<\/svg>/g)!.join("")).not.toMatch(/NaN|Infinity/);
    }
  });
});

test("a range test over 600 decades has its figures and its chart", async () => {
  const whole = fakeRangeTest();
  const [from, to] = [5e-324, 1e308];
  const runs = whole.runs.map((run) => ({
    ...run,
    points: run.points.map((point, i, { length }) => ({
      ...point,
      lr:
        Math.exp(Math.log(from) + ((Math.log(to) - Math.log(from)) * i) / (length - 1) - 1e-9) ||
        from,
    })),
  }));
  const extreme = { rule: "minimum/10", rate: 1e300, low: 1e-301, high: 1e301, interval: null };
  const suggestion = { constant: extreme, peak: { ...extreme, baseLr: 1e-300 } };
  const record = { ...whole, from, to, runs, suggestion, suggestions: { "minimum/10": 1e300 } };
  expect(formatRangeTestChart(record)).not.toMatch(/NaN|Infinity|undefined/);
  const experiment = { ...fakeExperiment({ arms: ["sgd+clr"] }), kind: "find" as const };
  const { figures } = await renderReport({ experiment, ...NOTHING, rangeTests: [record] });
  expect(Object.keys(figures).length).toBeGreaterThan(0);
  for (const svg of Object.values(figures)) expectDrawn(svg);
});

test("cycles too many to be drawn one by one are drawn between their least and greatest rates", async () => {
  for (const updates of [1e5, 1e15, Number.MAX_SAFE_INTEGER]) {
    const clr = triangular({ base: 1e-3, max: 6e-3, stepSize: 3 });
    const svg = await drawSchedule(clr, { updates });
    expectDrawn(svg);
    expect(svg).toContain("greatest 6e-3");
    expect(svg.length).toBeLessThan(200_000);
  }
});

test("a range test of 200,000 updates has its figures", async () => {
  const record = fakeRangeTest({ seeds: 1, points: 200_000 });
  expect(formatRangeTestChart(record)).not.toBe("");
  const experiment = { ...fakeExperiment({ arms: ["sgd+clr"] }), kind: "find" as const };
  const { figures } = await renderReport({ ...NOTHING, experiment, rangeTests: [record] });
  expect(Object.keys(figures)).toContain("range-test-sgd-clr-loss.svg");
});
