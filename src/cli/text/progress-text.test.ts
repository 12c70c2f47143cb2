/** @file The bar and the lines of a study: text of states, whatever made them. */

import { describe, expect, test } from "vitest";
import { fakeTrials } from "../../../test/report/fake-records.ts";
import { NO_PROGRESS, progress, type StudyEvent, versioned } from "../../record/index.ts";
import { barOf, linesOf } from "./progress-text.ts";

const plain = { bold: String, dim: String, red: String } as unknown as Parameters<
  typeof linesOf
>[0]["colors"];
const stateOf = (events: readonly StudyEvent[]) => events.reduce(progress, NO_PROGRESS);

/** What is written of all of them, in turn. */
function linesOfAll(events: readonly StudyEvent[], bar = false): string[] {
  let state = NO_PROGRESS;
  return events.flatMap((event) => {
    const before = state;
    state = progress(before, event);
    return linesOf({ event, before, after: state, bar, colors: plain }).map(({ text }) => text);
  });
}

const data = (
  phase: "download" | "decode" | "features" | "classify",
  done: number,
  more: { total?: number | null; why?: string } = {},
) => versioned({ type: "data", phase, done, total: 100, what: "photos", ...more } as const);

describe("what is counted", () => {
  test("has a bar until it is done, and none where the end is not known", () => {
    expect(barOf(stateOf([data("decode", 30)]))).toEqual({
      work: "decode photos",
      label: "decoding photos",
      done: 30,
      total: 100,
      detail: ", 30 of 100",
    });
    expect(barOf(stateOf([data("download", 2 ** 20, { total: 2 ** 21 })]))?.detail).toBe(
      ", 1.0 MiB of 2.0 MiB",
    );
    expect(barOf(stateOf([data("decode", 30), data("decode", 100)]))).toBeNull();
    expect(barOf(stateOf([data("download", 30, { total: null })]))).toBeNull();
  });

  test("without a bar: that it begins, and each tenth of what may take minutes", () => {
    const parts = [1, 12, 13, 29, 100];
    expect(linesOfAll(parts.map((done) => data("decode", done)))).toEqual(["decoding photos ..."]);
    expect(linesOfAll(parts.map((done) => data("features", done)))).toEqual([
      "computing features of photos ...",
      ...[12, 29, 100].map((done) => `computing features of photos: ${done} of 100`),
    ]);
    expect(
      linesOfAll(
        parts.map((done) => data("features", done)),
        true,
      ),
    ).toEqual([]);
  });

  test("says once why it is done again", () => {
    const events = [1, 50, 100].map((done) => data("decode", done, { why: "damaged" }));
    expect(linesOfAll(events, true)).toEqual(["photos: damaged; they are decoded again"]);
  });
});

describe("trials", () => {
  const recorded = fakeTrials({ arms: ["adam", "sgd+clr"], seeds: 1, epochs: 4 });
  const started = (place: number) => {
    const { trial } = recorded[place]!;
    const began = { ...trial, status: "running" } as const;
    return versioned({
      type: "trial-started",
      trial: began,
      metrics: [],
      index: place,
      trials: 2,
    } as const);
  };
  const update = (place: number, part: number) => {
    const { arm, seed } = recorded[place]!.trial;
    return versioned({
      type: "update",
      ...{ arm, seed, epoch: 1, update: part * 200, updates: 200 },
      ...{ lr: 0.1, loss: 1, imagesPerSecond: 1000 * (place + 1) },
    } as const);
  };
  const ended = (place: number, more: object = {}) =>
    versioned({ type: "trial-finished", trial: { ...recorded[place]!.trial, ...more } } as const);

  test("have one bar: of the latest update, over all, with the speed of all", () => {
    const events = [started(0), started(1), update(0, 0.5), update(1, 0.25)];
    const { arm } = recorded[1]!.trial;
    expect(barOf(stateOf(events))).toEqual({
      work: "trials",
      label: `${arm}, seed 0, epoch 1 (run 2 of 2)`,
      done: 0.75,
      total: 2,
      detail: ", 3,000 images/s",
    });
    expect(barOf(stateOf([...events, ended(1)]))).toMatchObject({
      work: "trials",
      label: "1 of 2 runs done",
      done: 1.5,
    });
    expect(barOf(stateOf([...events, ended(1), ended(0)]))).toBeNull();
  });

  test("a line an epoch, as wide as the widest arm, with the trial's own speed", () => {
    const [{ trial, metrics }] = [recorded[0]!];
    const { arm, seed } = trial;
    const line = linesOfAll([
      started(0),
      started(1),
      update(0, 0.5),
      update(1, 0.5),
      versioned({ type: "epoch", arm, seed, metrics: metrics[0]! }),
    ]).at(-1)!;
    const width = Math.max(...recorded.map((one) => one.trial.arm.length));
    expect(line.startsWith(`${arm.padEnd(width)}  seed 0  epoch   1  loss `)).toBe(true);
    expect(line.endsWith(", 1,000 images/s")).toBe(true);
  });

  test("an end that was not the plain one is said", () => {
    const divergence = { update: 7, learningRate: 2, epoch: 1 };
    const end = (more: object) =>
      linesOfAll([started(0), ended(0, more)])
        .at(-1)
        ?.trim();
    expect(end({})).toBeUndefined();
    expect(end({ status: "diverged", divergence })).toMatch(
      /diverged in epoch 1: the loss stopped being finite at update 7, learning rate 2$/,
    );
    expect(end({ endedBy: "time" })).toMatch(/ended early: time$/);
    expect(end({ status: "failed", failure: "no room\x1b[2J" })).toMatch(
      /failed: no room\\x1b\[2J$/,
    );
  });
});
