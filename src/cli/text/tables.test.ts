/** @file Tables at every width of a terminal: what does not fit side by side stands below, and nothing is lost. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BenchOptimizerRecord } from "../../bench/optimizer.ts";
import type { BenchStepRecord } from "../../bench/step.ts";
import { openTerminal } from "../terminal.ts";
import { growthText, optimizerText, stepText } from "./bench/bench-text.ts";
import { columnsOf, fitted } from "./columns.ts";
import { textTable } from "./format.ts";

const silent = { write: () => true };
const { plain: colors } = openTerminal({
  ...{ stdout: silent, stderr: silent, json: false, environment: {} },
});
const WIDTHS = [40, 80, 100, 200];

test.each(WIDTHS)("at %i columns: every cell is there, and no line is wider", (width) => {
  const cell = fc.stringMatching(/^[a-z0-9./-]{1,12}$/);
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 9 }).chain((columns) =>
        fc.record({
          heading: fc.array(cell, { minLength: columns, maxLength: columns }),
          rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
            minLength: 1,
            maxLength: 5,
          }),
        }),
      ),
      ({ heading, rows }) => {
        const align = heading.map((_, i) => (i === 0 ? "left" : "right") as "left" | "right");
        const lines = textTable(heading, rows, align, colors, width).split("\n");
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(width);
        // As words in their order, the titles of stacked rows aside.
        const words = lines.flatMap((line) => line.trim().split(/ +/));
        let at = -1;
        for (const value of rows.flat()) {
          at = words.indexOf(value, at + 1);
          expect(at).toBeGreaterThanOrEqual(0);
        }
      },
    ),
  );
});

test("side by side where there is room; below each other where there is none", () => {
  const table = (width: number) =>
    textTable(
      ["class", "images", "accuracy", "note"],
      [
        ["rose", "30", "90.0%", ""],
        ["tulip", "28", "81.2%", "few"],
      ],
      ["left", "right", "right", "left"],
      colors,
      width,
    ).split("\n");
  expect(table(29)).toEqual([
    "class  images  accuracy  note",
    "rose       30     90.0%",
    "tulip      28     81.2%  few",
  ]);
  expect(table(28)).toEqual([
    "rose",
    "  images 30  accuracy 90.0%",
    "tulip",
    "  images 28  accuracy 81.2%",
    "  note few",
  ]);
});

const machine = { processor: "AMD EPYC 9B14 96-Core Processor" } as BenchStepRecord["machine"];
const engine = "oneDNN 2.6.3, avx512, 2 threads";
const times = { medianMs: 123.4, minMs: 119.9, maxMs: 140.1 };
const peer = {
  ...{ name: "pytorch 2.9.1, channels_last, 2 threads", ...times, ratio: 1.25, residentMiB: 700 },
};

describe("benchmarks", () => {
  const step = {
    ...{ model: "resnet34", batch: 128, size: 224, precision: "fp32", machine, engine, ...times },
    ...{ peers: [peer], notes: [], limit: null, limitRatio: null, imagesPerSecond: 1000 },
    ...{ peakMemoryMiB: 1000, residentMiB: 900, loadMs: 12 },
  } as unknown as BenchStepRecord;
  const optimizer = {
    ...{ parameters: 25_557_032, threads: 2, triadGBs: 25.1, machine, engine, notes: [] },
    optimizers: ["sgd", "schedule-free-adamw"].map((name) => ({
      ...{ name, ...times, gigabytesPerSecond: 20.5, triadShare: 0.8, peers: [] },
    })),
  } as unknown as BenchOptimizerRecord;
  const growth = {
    ...{ model: "vanilla", machine, engine },
    points: [
      { threads: 2, batch: 256, size: 224, ...times, usPerKilopixel: 10.2, memoryMiB: 1234 },
    ],
  };

  test.each(WIDTHS)("tables at %i columns", (width) => {
    const layout = { colors, width };
    for (const text of [
      stepText(step, layout),
      optimizerText(optimizer, layout),
      growthText(growth, layout),
    ]) {
      const table = text.indexOf("") + 1;
      for (const line of (text[table] ?? "").split("\n"))
        expect([line, columnsOf(line) <= width]).toEqual([line, true]);
      for (const line of fitted(text.join("\n"), width).split("\n"))
        expect(columnsOf(line)).toBeLessThanOrEqual(width);
    }
  });

  test("a number that begins a row says what it is of", () => {
    const lines = growthText(growth, { colors, width: 40 }).join("\n").split("\n");
    expect(lines).toContain("threads 2");
    expect(lines).toContain("  batch 256  size 224  median ms 123.4");
  });
});
