/** @file Parts of the live page that are functions of their arguments. */

import { describe, expect, test } from "vitest";
import type { StudyEvent } from "../../src/record/index.ts";
import { endOf, growingPlot, heardRamps, type Ramps, rampsText } from "../../web/growing-ramp.ts";
import { outsideOf, outsideText } from "../../web/outside.ts";
import { fakeRangeTest } from "../report/fake-records.ts";

describe("what an axis leaves out", () => {
  const axis = (low: number, high: number) => ({ low, high }) as never;
  const line = (key: string, y: (number | null)[], silent = false) => ({ key, y, silent }) as never;
  const plot = {
    y: [axis(0, 2), axis(0, 100)],
    lines: [line("a", [1, 3, null, 5]), line("b", [9]), line("a", [50], true)],
  };
  const seeds = [
    { key: "a", y: [-1, 7, 2] },
    { key: "b", y: [4] },
  ];

  test("is counted point by point, of what is not hidden", () => {
    const view = { y: 0, hidden: [] as string[] };
    expect(outsideOf(plot, view, seeds)).toEqual({ means: 3, runs: 3, highest: 9, lowest: -1 });
    expect(outsideOf(plot, { ...view, hidden: ["b"] }, seeds)).toEqual({
      ...{ means: 2, runs: 2, highest: 7, lowest: -1 },
    });
    expect(outsideOf(plot, { ...view, y: 1 }, [])).toEqual({
      ...{ means: 0, runs: 0, highest: null, lowest: null },
    });
  });

  test("is said with how far it lies, and what shows it", () => {
    expect(outsideText({ means: 3, runs: 1, highest: 1234.5, lowest: null }, ["log"])).toBe(
      "4 points lie outside of this axis (3 of means, 1 of single runs; up to 1230); “log” shows all.",
    );
    expect(outsideText({ means: 1, runs: 0, highest: null, lowest: -0.5 }, [])).toBe(
      "1 point lies outside of this axis (1 of means; down to -0.5).",
    );
    expect(outsideText({ means: 0, runs: 0, highest: null, lowest: null }, ["log"])).toBe("");
  });
});

describe("ramps under way", () => {
  const record = fakeRangeTest({ seeds: 2, points: 60, to: 0.5 });
  const event = (body: object) => ({ formatVersion: 1, ...body }) as StudyEvent;
  const started = (seed: number, more = {}) =>
    event({ type: "range-test-started", arm: "sgd", seed, updates: 60, ...more });
  const updates = (seed: number, last: number) =>
    record.runs[seed]!.points.slice(0, last).map(({ update, accuracy, ...point }) =>
      event({
        type: "range-test-update",
        arm: "sgd",
        seed,
        update: update + 1,
        updates: 60,
        ...point,
      }),
    );
  const whole = (seed: number) =>
    event({ type: "range-test-run", arm: "sgd", run: record.runs[seed], seconds: 1 });
  const ramped = (events: readonly StudyEvent[]) => events.reduce(heardRamps, new Map() as Ramps);

  test("hold each update once, however often they are told", () => {
    const told = [started(0), ...updates(0, 20), ...updates(0, 30), started(1), ...updates(1, 2)];
    const [first, second] = [...ramped(told).values()];
    expect(first!.points.map(({ update }) => update)).toEqual(
      Array.from({ length: 30 }, (_, i) => i),
    );
    expect(first!.points.map(({ loss }) => loss)).toEqual(
      record.runs[0]!.points.slice(0, 30).map(({ loss }) => loss),
    );
    expect(rampsText([first!, second!])).toBe("seed 0: update 30 of 60; seed 1: update 2 of 60");
  });

  test("are the measured curve once it is whole, and gone once the test is read", () => {
    const told = [started(0), ...updates(0, 20), whole(0), ...updates(0, 30)];
    const [ramp] = [...ramped(told).values()];
    expect(ramp).toMatchObject({ isWhole: true, points: record.runs[0]!.points });
    const read = event({ type: "range-test-finished", arm: "sgd", record });
    expect(ramped([...told, read]).size).toBe(0);
    expect(ramped([...told, started(1), { ...read, arm: "adam" } as StudyEvent]).size).toBe(2);
  });

  test("a quick ramp is named, and gives way to what it was for", () => {
    const searching = [started(0, { search: 60 }), ...updates(0, 5)];
    expect(rampsText([...ramped(searching).values()])).toBe(
      "a quick ramp looks for the least and the greatest rate: update 5 of 60",
    );
    const found = event({ type: "range-test-search", arm: "sgd", search: {}, seconds: 1 });
    expect(ramped([...searching, found]).size).toBe(0);
  });

  test("know where they will end from how fast they rise", () => {
    const [ramp] = [...ramped([started(0), ...updates(0, 7)]).values()];
    expect(endOf(ramp!, "exponential")).toBeCloseTo(record.to, 9);
    const points = [0, 1, 2].map((update) => ({
      ...{ update, lr: 0.1 + 0.2 * update, loss: 1, smoothedLoss: 1 },
    }));
    expect(endOf({ points, updates: 11 }, "linear")).toBeCloseTo(2.1, 12);
    expect(endOf({ points: points.slice(0, 1), updates: 11 }, "linear")).toBeNull();
  });

  test("are drawn, every seed, over the whole of the ramp", () => {
    const ramps = [
      ...ramped([started(0), ...updates(0, 9), started(1), ...updates(1, 3)]).values(),
    ];
    const plot = growingPlot(ramps, "exponential")!;
    const shown = plot.lines.filter(({ silent = false }) => !silent);
    expect(shown.map(({ name, y }) => [name, y.length])).toEqual([
      ["seed 0", 9],
      ["seed 1", 3],
    ]);
    expect(plot.x[0]!.high).toBeCloseTo(record.to, 9);
    expect(growingPlot([...ramped([started(0)]).values()], "exponential")).toBeNull();
  });
});
