/** @file Schedules within schedules: so many levels, and then an error that says so. */

import { describe, expect, test } from "vitest";
import { cli } from "../../test/cli/run-cli.ts";
import { ArgumentError } from "../core/errors.ts";
import {
  clip,
  constant,
  describeSchedule,
  momentumBeside,
  type Schedule,
  type ScheduleSpec,
  scheduleFromJSON,
  sequence,
  triangular,
} from "./index.ts";

const WITHIN: Readonly<Record<string, (spec: ScheduleSpec) => ScheduleSpec>> = {
  repeat: (schedule) => ({ type: "repeat", steps: 9, schedule }),
  warmup: (schedule) => ({ type: "warmup", steps: 1, schedule }),
  stretch: (schedule) => ({ type: "stretch", steps: 1, to: 2, schedule }),
  clip: (schedule) => ({ type: "clip", min: 0, schedule }),
  holdAfter: (schedule) => ({ type: "holdAfter", steps: 9, schedule }),
  sequence: (schedule) => ({ type: "sequence", parts: [{ steps: 9, schedule }] }),
};

const nested = (within: (spec: ScheduleSpec) => ScheduleSpec, levels: number) => {
  let spec: ScheduleSpec = { type: "triangular", base: 1e-3, max: 6e-3, stepSize: 3 };
  for (let level = 1; level < levels; level++) spec = within(spec);
  return spec;
};

describe.each(Object.entries(WITHIN))("%s", (_, within) => {
  test("64 levels are read, written, described and asked", () => {
    const spec = nested(within, 64);
    const schedule = scheduleFromJSON(spec);
    expect(scheduleFromJSON(schedule.toJSON())(5)).toBe(schedule(5));
    expect(describeSchedule(spec)).toContain("triangular, 1e-3 to 6e-3");
    expect(schedule.nextTurn!(0)).toBeGreaterThan(0);
    expect(momentumBeside(scheduleFromJSON(nested(within, 63)))).toBeDefined();
  });

  test.each([65, 3_000, 100_000])("%d levels are refused", (levels) => {
    const spec = nested(within, levels);
    for (const use of [scheduleFromJSON, describeSchedule] as const) {
      expect(() => use(spec)).toThrow(ArgumentError);
      expect(() => use(spec)).toThrow("nested more than 64 levels deep");
    }
  });
});

test("schedules of one's own are nested as deep, and no deeper", () => {
  let schedule: Schedule = constant(1);
  const deepen = (times: number) => {
    for (let i = 0; i < times; i++) schedule = clip(schedule, { min: 0 });
  };
  deepen(63);
  expect(schedule(3)).toBe(1);
  expect(() => deepen(1)).toThrow("nested more than 64 levels deep");
});

test("parts that double with each level are counted", () => {
  let schedule: Schedule = triangular({ base: 0, max: 1, stepSize: 2 });
  const double = () => {
    for (let i = 0; i < 60; i++) schedule = sequence([1, schedule], [1, schedule]);
  };
  expect(double).toThrow("made of more than 10000 schedules");
  let spec: ScheduleSpec = { type: "constant", rate: 1 };
  for (let i = 0; i < 60; i++)
    spec = {
      type: "sequence",
      parts: [
        { steps: 1, schedule: spec },
        { steps: 1, schedule: spec },
      ],
    };
  expect(() => scheduleFromJSON(spec)).toThrow("made of more than 10000 schedules");
  expect(() => describeSchedule(spec)).toThrow("made of more than 10000 schedules");
});

test("what lies too deep in a field, or within itself, is shown in a few words", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const itself: Record<string, unknown> = {};
  itself.rate = itself;
  for (const rate of [deep, itself, "x".repeat(1e6), Array.from({ length: 1e5 }, () => "x")])
    try {
      scheduleFromJSON({ type: "constant", rate });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toContain("rate must be a number");
      expect((error as Error).message.length).toBeLessThan(400);
    }
  expect(() => scheduleFromJSON({ type: deep } as never)).toThrow(ArgumentError);
});

const brackets = (levels: number) =>
  ["clip:min=0,schedule=(".repeat(levels - 1), ")".repeat(levels - 1)].join("constant:lr=1");
const braces = (levels: number) =>
  '{"type":"clip","min":0,"schedule":'.repeat(levels - 1) +
  '{"type":"constant","rate":1}' +
  "}".repeat(levels - 1);

test.each([
  ["brackets", brackets],
  ["braces", braces],
])("the command line: %s", async (_, written) => {
  expect((await cli(["schedule", written(64)])).code).toBe(0);
  for (const levels of [65, 3_000, 30_000]) {
    const { code, stderr } = await cli(["schedule", written(levels)]);
    expect(stderr).toContain("nested more than 64 levels deep");
    expect(code).toBe(2);
  }
});
