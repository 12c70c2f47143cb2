import { describe, expect, test } from "vitest";
import { fakeComparison, fakeRangeTest } from "../../test/report/fake-records.ts";
import { randomStream } from "../core/random.ts";
import {
  NO_PROGRESS,
  progress,
  type RangeTestRecord,
  type StudyEvent,
  type TrialHistory,
} from "../record/index.ts";
import {
  decodeCursor,
  encodeCursor,
  eventsSince,
  NO_CURSOR,
  type StudySnapshot,
} from "./study-cursor.ts";

const { experiment, trials: ended } = fakeComparison({ diverged: { rmsprop: [4, null, 5] } });

/** The study after so many epochs of each trial; those that are not begun are not there. */
const recordsAfter = (epochs: readonly number[]): StudySnapshot => ({
  ...{ experiment, rangeTests: [], rangeTestRuns: [], steering: [] },
  trials: ended.flatMap(({ trial, metrics }, i): TrialHistory[] => {
    const done = epochs[i] ?? -1;
    if (done < 0) return [];
    return done >= metrics.length
      ? [{ trial, metrics }]
      : [{ trial: { ...trial, status: "running" }, metrics: metrics.slice(0, done) }];
  }),
});

const stateOf = (events: readonly StudyEvent[]) => events.reduce(progress, NO_PROGRESS).trials;

describe("events from any cursor to the records as they are", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "give the state that one who heard all has, without repeat (%i)",
    (seed) => {
      const stream = randomStream(seed, "synthetic", 3);
      let epochs = ended.map(() => -1);
      let cursor = NO_CURSOR;
      const heard: StudyEvent[] = [];
      while (epochs.some((done, i) => done < ended[i]!.metrics.length)) {
        epochs = epochs.map((done) =>
          stream.uniform() < 0.3 ? done + 1 + Math.floor(3 * stream.uniform()) : done,
        );
        const { events, after: next } = eventsSince(cursor, recordsAfter(epochs));
        heard.push(...events);
        // As it comes back from a page, to whichever server.
        cursor = decodeCursor(encodeCursor(next))!;
        expect(cursor).toEqual(next);
        expect(eventsSince(cursor, recordsAfter(epochs)).events).toEqual([]);
      }
      const all = eventsSince(NO_CURSOR, recordsAfter(epochs)).events;
      expect(stateOf(heard)).toEqual(stateOf(all));
      const lines = heard.flatMap((event) =>
        event.type === "epoch" ? [`${event.arm} ${event.seed} ${event.metrics.epoch}`] : [],
      );
      expect(new Set(lines).size).toBe(lines.length);
      expect(lines.length).toBeGreaterThan(20);
    },
  );

  test("a trial that goes on from an earlier epoch, or after its end, is told anew", () => {
    const last = ended.map(({ metrics }) => metrics.length);
    const at = (of: StudySnapshot) => eventsSince(NO_CURSOR, of).after;
    const types = (before: StudySnapshot, now: StudySnapshot) =>
      eventsSince(at(before), now).events.map(({ type }) => type);
    expect(types(recordsAfter([5, ...last.slice(1)]), recordsAfter([3, ...last.slice(1)]))).toEqual(
      ["trial-started"],
    );
    expect(types(recordsAfter(last), recordsAfter([3, ...last.slice(1)]))).toEqual([
      "trial-started",
    ]);
    expect(types(recordsAfter([3, ...last.slice(1)]), recordsAfter(last))).toContain(
      "trial-finished",
    );
  });

  test("what changed in the experiment, and range tests, are told once", () => {
    const before = recordsAfter([1]);
    const { after: cursor } = eventsSince(NO_CURSOR, before);
    expect(eventsSince(cursor, before).isNew).toBe(false);
    const longer = { ...experiment, protocol: { ...experiment.protocol, epochs: 99 } };
    expect(eventsSince(cursor, { ...before, experiment: longer }).isNew).toBe(true);
  });
});

test("a seed of a range test is told when it is measured, and the test once it is read", () => {
  const find = { ...experiment, kind: "find" as const, arms: experiment.arms.slice(0, 1) };
  const { specification: _, ...alone } = find;
  const measured = [4, 0].map((seed) => {
    return { formatVersion: 1 as const, seed, points: [], seconds: 2 };
  });
  const at = (rangeTestRuns: typeof measured, rangeTests: RangeTestRecord[] = []) => ({
    ...{ experiment: alone, rangeTests, rangeTestRuns, trials: [], steering: [] },
  });
  const { after: one, events } = eventsSince(NO_CURSOR, at(measured.slice(0, 1)));
  expect(events).toMatchObject([{ type: "range-test-run", arm: "sgd+clr", run: { seed: 4 } }]);
  const back = decodeCursor(encodeCursor(one))!;
  expect(back).toEqual(one);
  const { after: both, events: next } = eventsSince(back, at(measured));
  expect(next).toMatchObject([{ type: "range-test-run", run: { seed: 0 } }]);
  expect(eventsSince(decodeCursor(encodeCursor(both))!, at(measured)).events).toEqual([]);
  const record = { ...fakeRangeTest(), arm: "sgd+clr" };
  expect(eventsSince(both, at([], [record])).events).toMatchObject([
    { type: "range-test-finished", arm: "sgd+clr" },
  ]);
});

test.each([
  "",
  "2.a.0..",
  "1.zz.0..1r",
  "1.00.0..-1r",
  "1.00.0..1x",
  "1.00.0..1r,<script>",
  "../../etc/passwd",
])("%j is no cursor", (text) => expect(decodeCursor(text)).toBeNull());
