import { expect, test } from "vitest";
import { fakeComparison } from "../../test/report/fake-records.ts";
import { secondsLeft } from "./time-left.ts";

const { experiment, trials } = fakeComparison({ arms: ["adam", "rmsprop"], seeds: 2, epochs: 4 });
/** The first so many epochs of an arm's seeds, so many seconds each. */
const of = (arm: string, [epochs, seconds]: [number, number], status = "running" as const) =>
  trials
    .filter(({ trial }) => trial.arm === arm)
    .map(({ trial, metrics }) => ({
      trial: { ...trial, status },
      metrics: metrics.slice(0, epochs).map((line) => ({ ...line, seconds })),
    }));

test("what is left of each arm, at the arm's own pace", () => {
  // 2 seeds x 3 epochs of 2 s, and 2 x 2 of 5 s.
  const half = [...of("adam", [1, 2]), ...of("rmsprop", [2, 5])];
  expect(secondsLeft({ experiment, trials: half })).toBeCloseTo(2 * 3 * 2 + 2 * 2 * 5, 9);
});

test("an arm that has not begun is as fast as the others", () => {
  expect(secondsLeft({ experiment, trials: of("adam", [1, 3]) })).toBeCloseTo(6 * 3 + 8 * 3, 9);
});

test("an arm that was stopped takes nothing", () => {
  const stopped = new Set(["rmsprop"]);
  const begun = [...of("adam", [1, 3]), ...of("rmsprop", [1, 100])];
  expect(secondsLeft({ experiment, trials: begun, stopped })).toBeCloseTo(18, 9);
});

test("a run that diverged takes nothing, and jobs share the rest", () => {
  const [first, second] = of("adam", [1, 4]);
  const lost = { trial: { ...first!.trial, status: "diverged" as const }, metrics: first!.metrics };
  const input = { experiment, trials: [lost, second!, ...of("rmsprop", [4, 4])] };
  expect(secondsLeft(input)).toBeCloseTo(3 * 4, 9);
  const { specification } = experiment;
  const jobs = { ...experiment, specification: { ...specification!, jobs: 2 } };
  expect(secondsLeft({ ...input, experiment: jobs })).toBeCloseTo(6, 9);
});

test("nothing is said before an epoch has ended, and when all have", () => {
  expect(secondsLeft({ experiment, trials: [] })).toBeNull();
  expect(secondsLeft({ experiment, trials: of("adam", [0, 1]) })).toBeNull();
  expect(secondsLeft({ experiment, trials })).toBeNull();
});
