/**
 * @file Extreme numbers, everywhere a number is taken: each option either does bounded work or is refused
 * by its name, and nothing ends as a fault of lrscope's.
 */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { ArgumentError } from "../../src/core/errors.ts";
import { armsOf, planTrials } from "../../src/lab/plan-trials.ts";
import { parseSchedule } from "../../src/lab/schedule-text.ts";
import { drawSchedule } from "../../src/report/index.ts";
import { decades, integerTicks, linearTicks, rateDomain } from "../../src/report/ticks.ts";
import {
  constant,
  cosineDecay,
  cosineRestarts,
  describeSchedule,
  greatestRate,
  sampleSchedule,
  scheduleFromJSON,
  snapCycles,
  triangular,
  triangular2,
} from "../../src/schedules/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

const EXTREMES = [
  "1e15",
  String(Number.MAX_SAFE_INTEGER),
  "1e308",
  "1e309",
  "5e-324",
  "-0",
  "0",
  "-1",
  "NaN",
  "Infinity",
  "9".repeat(400),
];

/** Every flag of every command that takes a value, as [command, flag]. */
const flags = commands.flatMap((command) =>
  Object.entries(command.flags).flatMap(([key, flag]) =>
    flag.kind === "value" ? [[command.name, key, flag] as const] : [],
  ),
);

test.each(flags)("%s --%s reads extreme numbers, or refuses them by name", (command, key, flag) => {
  const name = `${command}: --${key}`;
  for (const text of EXTREMES)
    for (const written of [text, `${text}e`, `${text}s`, `features=${text}`, `layer1@${text}`])
      try {
        const value = flag.read(written, name);
        if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ArgumentError);
        expect((error as Error).message).toContain(name);
      }
});

/** What parses is then run: none begins a training that never ends. */
const TRAIN = "train synthetic --size 16 --limit 9 --batch 16 --threads 1 --no-samples".split(" ");

/** The call without a flag and its value. */
const without = (flag: string) => TRAIN.filter((word, i) => word !== flag && TRAIN[i - 1] !== flag);

describe.skipIf(absent)("a run", () => {
  test.each([
    ["--epochs", "1e15", "--epochs must be at most 1,000,000"],
    ["--size", "1e15", "size must be at most"],
    ["--batch", "1e15", "batch must not exceed"],
    ["--threads", "1e15", "--threads must be at most 1,024"],
    ["--cache-features", "1e9", "--cache-features must be at most 10,000"],
    ["--step-size", "9e15", "--step-size has no effect"],
  ])("train %s %s is refused", async (flag, value, message) => {
    const { code, stderr } = await cli([...without(flag), flag, value, "--out", within("refused")]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("unexpected");
    expect(code).toBe(2);
  });

  test.each([
    ["--seeds", "1e9", "--seeds must be at most 10,000"],
    ["--jobs", "1e9", "--jobs"],
    ["--finder-seeds", "1e9", "--finder-seeds must be at most 10,000"],
    ["--sensitivity", "100000001", "--sensitivity must be an odd whole number from 3 to 999"],
    [
      "--optimizers",
      Array.from({ length: 100_000 }, (_, i) => `adam@1e-${i}`).join(),
      "at most 1,000",
    ],
    ["--optimizers", `${"a".repeat(1_000_000)}`, "no optimizer"],
  ])("compare %s %.20s is refused", async (flag, value, message) => {
    const [, ...rest] = TRAIN;
    const { code, stderr } = await cli(["compare", ...rest, flag, value, "--out", within("many")]);
    expect(stderr.slice(0, 5000)).toContain(message);
    expect(stderr.length).toBeLessThan(6000);
    expect(code).toBe(2);
  });

  test.each(["1e308", "5e-324", "1e-310"])("at --lr %s ends with a report", async (rate) => {
    const out = within(`rate-${rate}`);
    const { code, stderr } = await cli([
      ...TRAIN,
      ..."--epochs 1 --optimizer sgd --json --lr".split(" "),
      rate,
      "--out",
      out,
    ]);
    expect(stderr).not.toContain("unexpected");
    expect(code).toBe(0);
    const page = readFileSync(`${out}/report.html`, "utf8");
    expect(page).not.toMatch(/(?:d|x|y|x1|x2|y1|y2|cx|cy|points)="[^"]*(?:NaN|Infinity)/);
  });

  test("of more epochs than it has time for ends by its time", async () => {
    const out = within("time");
    const { code } = await cli([
      ...TRAIN,
      ..."--epochs 1000000 --time 0.01s --json --out".split(" "),
      out,
    ]);
    expect(code).toBe(0);
  });
});

describe("a drawing of a schedule", () => {
  test.each([
    "triangular:base=1e-3,max=6e-3,step=1e7",
    "triangular:base=1e-3,max=6e-3,step=1e15",
    "cosine:peak=1,steps=1e9",
    "cosine:peak=1,steps=9007199254740991",
    "step:lr=1,every=4e15",
    "repeat:steps=3e15,schedule=(cosine:peak=1,steps=3e15)",
    "exp:lr=1,factor=0.9999999999999999,every=1e9",
    "isqrt:peak=1,warmup=9e14",
    "constant:lr=1e308",
    "linear:from=0,to=1e308,steps=10",
    "constant:lr=5e-324",
  ])("%s", async (spec) => {
    const { code, json, stderr } = await cli([
      "schedule",
      spec,
      "--json",
      "--svg",
      within("s.svg"),
    ]);
    expect(stderr).not.toContain("unexpected");
    expect(code).toBe(0);
    const { points } = json<{ points: { update: number; lr: number }[] }>();
    expect(points.length).toBeLessThanOrEqual(25_000);
    expect(points.every(({ lr }) => Number.isFinite(lr))).toBe(true);
    expect(readFileSync(within("s.svg"), "utf8")).not.toMatch(/="[^"]*(?:NaN|Infinity)/);
  });

  test.each(["step=1e16", "step=1e308"])("beyond exact counts is refused: %s", async (step) => {
    const { code, stderr } = await cli(["schedule", `triangular:base=1e-3,max=6e-3,${step}`]);
    expect(stderr).toContain("stepSize must be at most 9007199254740991");
    expect(code).toBe(2);
  });

  test("keeps the tops and the ends of cycles, wherever they lie", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000_000 }), (stepSize) => {
        const schedule = triangular({ base: 1e-3, max: 6e-3, stepSize });
        const points = sampleSchedule(schedule, 6 * stepSize + 1, 20_000);
        expect(Math.max(...points.map(({ lr }) => lr))).toBe(6e-3);
        expect(Math.min(...points.map(({ lr }) => lr))).toBe(1e-3);
        expect(points.at(-1)!.update).toBe(6 * stepSize);
        expect(points.length).toBeLessThan(25_000);
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  test("of a rate beyond a third of the greatest double has finite coordinates", async () => {
    const svg = await drawSchedule(constant(Number.MAX_VALUE), { updates: 1e12 });
    expect(svg).not.toMatch(/="[^"]*(?:NaN|Infinity)/);
  });
});

describe("a search over a run", () => {
  test("finds the greatest rate of a long run, exactly, where there is one peak", () => {
    for (const stepSize of [1e3, 77_777, 1e6 + 1, 123_456_789])
      expect(greatestRate(triangular2({ base: 1e-3, max: 6e-3, stepSize }), 1e9)).toBe(6e-3);
    expect(greatestRate(cosineDecay({ peak: 0.1, steps: 1e15 }), 1e15)).toBe(0.1);
    expect(greatestRate(triangular({ base: 0, max: 1, stepSize: 3 }), 1e15)).toBe(1);
  });

  test("agrees with every update looked at, in short runs", () => {
    const of = (stepSize: number) => triangular2({ base: 1e-3, max: 6e-3, stepSize });
    for (const [stepSize, updates] of [
      [100, 60],
      [3, 1],
      [70_000, 131_073],
    ] as const) {
      const all = Array.from({ length: updates }, (_, t) => of(stepSize)(t));
      const greatest = all.reduce((a, b) => Math.max(a, b));
      expect(greatestRate(of(stepSize), updates)).toBe(Number(greatest.toPrecision(12)));
    }
  });

  test("cycles are fitted to 1e15 updates, and to few as before", () => {
    /** As it was written first: one cycle more while that comes nearer. */
    const counted = (cycleEnd: (n: number) => number, steps: number) => {
      const off = (n: number) => Math.abs(Math.log(cycleEnd(n) / steps));
      let count = 1;
      while (off(count + 1) <= off(count)) count += 1;
      return cycleEnd(count);
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom(1, 1.5, 2),
        (cycleSteps, steps, growth) => {
          const schedule = cosineRestarts({ peak: 1, cycleSteps, growth });
          const fitted = snapCycles(schedule, steps).toJSON() as unknown as {
            schedule: { type: string; steps: number };
          };
          const length = counted(schedule.cycleEnd!, steps);
          const { type, steps: own } = fitted.schedule;
          expect(type === "stretch" ? own : steps).toBe(length);
        },
      ),
      { seed: 2, numRuns: 300 },
    );
    expect(snapCycles(triangular({ base: 0, max: 1, stepSize: 3 }), 1e15)(1e15 - 1)).toBeLessThan(
      1,
    );
  });

  test("no plan has more trials than can be held", () => {
    expect(() => planTrials({ epochs: 1, seeds: Array(20_000).fill(0) }, [], 1)).toThrow(
      "seeds must be at most 10,000; got 20000",
    );
    expect(() =>
      planTrials(
        {
          epochs: 1,
          seeds: Array.from({ length: 9000 }, (_, i) => i),
          optimizers: Array.from({ length: 12 }, (_, i) => `adam@1e-${i + 1}`),
        },
        [],
        1,
      ),
    ).toThrow("arms x seeds must be at most 100,000; got 108000");
    expect(() => armsOf({ optimizers: ["adam", "sgd"], sensitivity: 999 })).toThrow(
      "arms x sensitivity must be at most 1,000; got 1998",
    );
  });
});

describe("schedules within schedules", () => {
  const nested = (depth: number): { type: string } =>
    depth === 0
      ? ({ type: "constant", rate: 1 } as never)
      : ({ type: "repeat", steps: 3, schedule: nested(depth - 1) } as never);
  const RULE = "schedules may lie within each other 64 deep at most";

  test("64 are read, 65 are not", () => {
    expect(scheduleFromJSON(nested(63))(5)).toBe(1);
    expect(() => scheduleFromJSON(nested(64))).toThrow(RULE);
  });

  test("3,000 are refused as JSON, as words, and described in bounded words", async () => {
    const deep = nested(3000);
    expect(() => scheduleFromJSON(deep)).toThrow(ArgumentError);
    expect(describeSchedule(deep)).toContain("...");
    const words = `${"repeat:steps=3,schedule=(".repeat(3000)}constant:lr=1${")".repeat(3000)}`;
    expect(() => parseSchedule(words)).toThrow(RULE);
    const json = `${'{"type":"repeat","steps":3,"schedule":'.repeat(50_000)}{}${"}".repeat(50_000)}`;
    const { code, stderr } = await cli(["schedule", json]);
    expect(stderr).not.toContain("unexpected");
    expect(code).toBe(2);
  });
});

describe("ticks", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

  test("of any finite range are few, finite and ascending", () => {
    fc.assert(
      fc.property(finite, finite, fc.integer({ min: 1, max: 12 }), (a, b, count) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        for (const ticks of [linearTicks(low, high, count), integerTicks(low, high, count)]) {
          expect(ticks.length).toBeLessThanOrEqual(3 * count + 3);
          expect(ticks.every(Number.isFinite)).toBe(true);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  test("of rates over six hundred decades are few, positive and finite", () => {
    fc.assert(
      fc.property(fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }), (rate) => {
        const [low, high] = rateDomain([rate, 1e-3]);
        expect(low > 0 && Number.isFinite(high)).toBe(true);
        const ticks = decades(low, high, 12);
        expect(ticks.length).toBeLessThanOrEqual(13);
        expect(ticks.every((tick) => tick > 0 && Number.isFinite(tick))).toBe(true);
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});
