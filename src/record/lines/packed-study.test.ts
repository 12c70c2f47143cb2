import { describe, expect, test } from "vitest";
import { fakeComparison } from "../../../test/report/fake-records.ts";
import { at } from "../../core/at.ts";
import { type StudyEvent, versioned } from "../study-event.ts";
import { type EpochMetrics, epochMetrics } from "../trial.ts";
import { COLUMNS, packStudy, unpackStudy } from "./packed-study.ts";

const { trials } = fakeComparison({ diverged: { rmsprop: [4, null, 5] } });

const started = (metrics: readonly EpochMetrics[], i = 0): StudyEvent =>
  versioned({
    ...{ type: "trial-started", trial: at(trials, i, "trials").trial },
    ...{ metrics: [...metrics], index: i, trials: trials.length },
  });
const bytesOf = (events: readonly StudyEvent[]) => packStudy({ events, state: "idle" });
const through = (events: readonly StudyEvent[]) =>
  unpackStudy<{ events: StudyEvent[] }>(bytesOf(events).slice().buffer).events;

describe("a study's events in columns", () => {
  test("come back as they were, in the order of their fields, all else with them", () => {
    const events = [
      ...trials.flatMap(({ trial, metrics }, i) => [
        started(
          metrics.map(({ validationPerClass, ...line }) => line),
          i,
        ),
        versioned({ type: "trial-finished", trial }),
      ]),
      started([], 0),
    ];
    expect(through(events)).toEqual(events);
    const lines = (all: readonly StudyEvent[]) =>
      JSON.stringify(all.flatMap((event) => (event.type === "trial-started" ? event.metrics : [])));
    expect(lines(through(events))).toBe(
      lines(
        events.map((event) =>
          event.type === "trial-started"
            ? { ...event, metrics: event.metrics.map((line) => epochMetrics.parse(line)) }
            : event,
        ),
      ),
    );
  });

  test("have every field of the schema: null, absent, and any finite double", () => {
    const rest = ["validationPerClass", "diverged"];
    expect([...COLUMNS, ...rest].sort()).toEqual(Object.keys(epochMetrics.shape).sort());
    const odd = [0, -0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, -1e-7];
    const lines = odd.flatMap((value, i): EpochMetrics[] => [
      {
        ...{ epoch: 2 * i + 1, update: i, lr: value, trainLoss: value, trainAccuracy: null },
        ...{ validationLoss: null, validationAccuracy: value, seconds: 1 },
        ...(i % 2 ? { averagedValidationLoss: null, ensembleSnapshots: i } : { diverged: i > 2 }),
      },
      {
        ...{ epoch: 2 * i + 2, update: i, lr: 1, trainLoss: null, trainAccuracy: value },
        ...{ validationLoss: value, validationAccuracy: null, seconds: value },
        ...{ validationBalancedAccuracy: value, averagedValidationAccuracy: value },
        ...(i % 2 ? { ensembleValidationAccuracy: value } : {}),
      },
    ]);
    expect(through([started(lines)])).toEqual([started(lines)]);
  });

  test("of the accuracies of each class have the newest alone", () => {
    const [line] = at(trials, 0, "trials").metrics;
    const metrics = [1, 2, 3].map((epoch): EpochMetrics => {
      const { validationPerClass, ...plain } = { ...line, epoch } as EpochMetrics;
      return epoch === 3 ? plain : { ...plain, validationPerClass: [epoch, null] };
    });
    const [event] = through([started(metrics)]);
    expect(
      event?.type === "trial-started" && event.metrics.map((each) => each.validationPerClass),
    ).toEqual([undefined, [2, null], undefined]);
  });

  test("cut short are refused by name", () => {
    const bytes = bytesOf([started(at(trials, 0, "trials").metrics)]);
    for (const size of [0, 7, 20, bytes.byteLength - 8])
      expect(() => unpackStudy(bytes.slice(0, size).buffer)).toThrow(/packed study/);
  });

  test("take 8 bytes for each number", () => {
    const metrics = Array.from(
      { length: 1000 },
      (_, i): EpochMetrics => ({
        ...{ epoch: i + 1, update: i, lr: 1, trainLoss: Math.sqrt(i), trainAccuracy: Math.sin(i) },
        ...{ validationLoss: Math.cos(i), validationAccuracy: null, seconds: 1 },
      }),
    );
    const size = bytesOf([started(metrics)]).byteLength - bytesOf([started([])]).byteLength;
    expect(size).toBeGreaterThanOrEqual(8 * 8 * 1000);
    expect(size).toBeLessThan(8 * 8 * 1000 + 500);
  });
});
