/** @file The state that events make: by hand, interleaved, heard twice, heard late. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeRangeTest, fakeTrials } from "../../../test/report/fake-records.ts";
import { type StudyEvent, studyEvent, versioned } from "../study-event.ts";
import { admitted } from "../test-arbitrary.ts";
import { imagesPerSecond, progress, trialsDone } from "./progress.ts";
import {
  armsBegun,
  NO_PROGRESS,
  rangeTestRunIn,
  type StudyProgress,
  subjectKey,
  trialIn,
} from "./study-progress.ts";

const stateOf = (events: readonly StudyEvent[], from: StudyProgress = NO_PROGRESS) =>
  events.reduce(progress, from);

const recorded = fakeTrials();

/** What a trial emits from its start to its end, of its records. */
function eventsOf(place: number): StudyEvent[] {
  const { trial, metrics } = recorded[place]!;
  const { arm, seed, updatesPerEpoch } = trial;
  const updates = trial.epochs * updatesPerEpoch;
  const began = { ...trial, status: "running" } as const;
  const trials = recorded.length;
  return [
    versioned({ type: "trial-started", trial: began, metrics: [], index: place, trials }),
    ...metrics.flatMap((line) => [
      versioned({
        type: "update",
        arm,
        seed,
        epoch: line.epoch,
        update: line.update,
        updates,
        lr: line.lr,
        loss: line.trainLoss,
        imagesPerSecond: 100 * (place + 1),
      } as const),
      versioned({ type: "epoch", arm, seed, metrics: line } as const),
      versioned({ type: "weights", arm, seed, which: "best", epoch: line.epoch } as const),
      versioned({ type: "checkpoint", arm, seed, epoch: line.epoch } as const),
    ]),
    versioned({ type: "warning", arm, seed, message: `of ${place}` }),
    versioned({ type: "trial-finished", trial }),
  ];
}

/** Both, in their own orders: `turns` says whose is next. */
function interleaved(a: StudyEvent[], b: StudyEvent[], turns: readonly boolean[]): StudyEvent[] {
  const [left, right] = [[...a], [...b]];
  const all: StudyEvent[] = [];
  for (const first of turns) {
    const next = (first ? left : right).shift();
    if (next) all.push(next);
  }
  return [...all, ...left, ...right];
}

test("trials and metrics are those of the records", () => {
  const { trials, planned, latest } = stateOf(recorded.flatMap((_, place) => eventsOf(place)));
  expect(planned).toBe(recorded.length);
  expect(latest).toBeNull();
  expect(Object.keys(trials)).toHaveLength(recorded.length);
  for (const { trial, metrics } of recorded)
    expect(trials[subjectKey(trial)]).toMatchObject({ trial, metrics, update: null });
});

test("two trials, interleaved in any way, end in the same state", () => {
  const [a, b] = [eventsOf(0), eventsOf(1)];
  const expected = stateOf([...a, ...b]);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: a.length, maxLength: 60 }), (turns) => {
      expect(stateOf(interleaved(a, b, turns))).toEqual(expected);
    }),
  );
});

test("the state is as plain as its events, and no event changes one that was there", () => {
  fc.assert(
    fc.property(fc.array(admitted(studyEvent), { maxLength: 12 }), (events) => {
      let state = NO_PROGRESS;
      for (const event of events) {
        const text = JSON.stringify(state);
        const next = progress(state, event);
        expect(JSON.stringify(state)).toBe(text);
        state = next;
      }
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    }),
  );
});

test("a state from elsewhere goes on as one that was made here, and one is looked up as it is laid out", () => {
  const events = recorded.flatMap((_, place) => eventsOf(place));
  for (let i = 0; i <= events.length; i += 7) {
    const state = stateOf(events.slice(0, i));
    const plain: StudyProgress = JSON.parse(JSON.stringify(state));
    expect(stateOf(events.slice(i), plain)).toEqual(stateOf(events));
    for (const one of [state, plain]) {
      for (const { trial } of recorded)
        expect(trialIn(one, subjectKey(trial))).toBe(one.trials[subjectKey(trial)]);
      expect(rangeTestRunIn(one, "adam 0")).toBeUndefined();
      const begun = Object.values(state.trials).map(({ trial }) => trial.arm);
      expect(armsBegun(one)).toEqual([...new Set(begun)]);
    }
  }
});

describe("what is done", () => {
  const [first, second] = [eventsOf(0), eventsOf(1)];

  test("nothing, then parts, then all", () => {
    const { metrics, trial } = recorded[0]!;
    const part = metrics[0]!.update / (trial.epochs * trial.updatesPerEpoch);
    expect(trialsDone(NO_PROGRESS)).toBe(0);
    expect(trialsDone(stateOf(first.slice(0, 1)))).toBe(0);
    expect(trialsDone(stateOf(first.slice(0, 2)))).toBeCloseTo(part, 12);
    expect(trialsDone(stateOf(first))).toBe(1);
    const both = stateOf([...first.slice(0, 2), ...second.slice(0, 2)]);
    expect(trialsDone(both)).toBeCloseTo(2 * part, 12);
    expect(imagesPerSecond(both)).toBe(300);
    expect(imagesPerSecond(stateOf(second, both))).toBe(100);
  });

  test("trials before the first one heard of had ended earlier", () => {
    expect(trialsDone(stateOf(eventsOf(2).slice(0, 1)))).toBe(2);
    // The one before it starts later, as its process took longer to begin.
    expect(trialsDone(stateOf([...eventsOf(2), ...second.slice(0, 1)]))).toBe(2);
  });

  test("one that never began is none of them", () => {
    const { trial } = recorded[0]!;
    const failed = { ...trial, status: "failed" } as const;
    const state = stateOf([versioned({ type: "trial-finished", trial: failed })]);
    expect(state.trials[subjectKey(trial)]).toMatchObject({ index: null, metrics: [] });
    expect(trialsDone(state)).toBe(0);
  });
});

describe("a trial that is resumed", () => {
  const [started, ...rest] = eventsOf(0);
  const { trial, metrics } = recorded[0]!;
  const resumed = versioned({
    type: "trial-started",
    trial: { ...trial, status: "running" },
    metrics: metrics.slice(0, 1),
    index: 0,
    trials: recorded.length,
  } as const);

  test("has the epochs that it had", () => {
    const later = rest.filter((event) => event.type === "epoch").slice(1);
    const state = stateOf([resumed, ...later]);
    expect(state.trials[subjectKey(trial)]!.metrics).toEqual(metrics);
  });

  test("begins again where it was begun again", () => {
    const state = stateOf([started!, ...rest, started!]);
    expect(state.trials[subjectKey(trial)]).toMatchObject({ metrics: [], update: null });
  });

  test("an epoch that is heard twice counts once", () => {
    const twice = rest.flatMap((event): StudyEvent[] =>
      event.type === "epoch" ? [event, event] : [event],
    );
    expect(stateOf([started!, ...twice])).toEqual(stateOf([started!, ...rest]));
  });

  test("a listener that came late learns of it as it ends", () => {
    expect(stateOf(rest.slice(0, -2))).toEqual(NO_PROGRESS);
    expect(stateOf(rest).trials[subjectKey(trial)]).toMatchObject({ trial });
  });
});

describe("range tests", () => {
  const record = fakeRangeTest();
  const { arm } = record;
  const subject = { arm, seed: 0 };
  const started = versioned({ type: "range-test-started", ...subject, updates: 8 } as const);
  const update = versioned({
    type: "range-test-update",
    ...subject,
    update: 3,
    updates: 8,
    lr: 1e-3,
    loss: 2,
    smoothedLoss: null,
    imagesPerSecond: 50,
    secondsLeft: 3,
  } as const);

  test("runs by arm and seed, the record by arm", () => {
    const running = stateOf([started, update]);
    expect(running.rangeTestRuns).toEqual({ [`${arm} 0`]: { started, update } });
    expect(running.latest).toEqual({ kind: "range-test", key: `${arm} 0` });
    const ended = progress(running, versioned({ type: "range-test-finished", arm, record }));
    expect(ended.rangeTests).toEqual({ [arm]: record });
    expect(ended.latest).toBeNull();
  });
});

test("what is counted is shown until it is done, or training begins", () => {
  const data = (done: number, total: number | null) =>
    versioned({ type: "data", phase: "decode", done, total, what: "photos" } as const);
  expect(stateOf([data(3, 8)]).data).toEqual(data(3, 8));
  expect(stateOf([data(3, 8), data(8, 8)]).data).toBeNull();
  expect(stateOf([data(3, null), eventsOf(0)[0]!]).data).toBeNull();
});
