/** @file A schedule of any length in a terminal: few points, and true numbers. */

import { describe, expect, test } from "vitest";
import { cli } from "../../test/cli/run-cli.ts";
import { chartedRates, updatesToDraw } from "./charted.ts";
import { cosineDecay, type Schedule, triangular } from "./index.ts";
import { sampledRates } from "./sampled.ts";

interface Drawn {
  readonly points: { readonly update: number; readonly lr: number }[];
}

describe.each([
  ["triangular:base=1e-3,max=6e-3,step=1e7", 6e7, 1e-3, 6e-3],
  ["triangular2:base=1e-3,max=6e-3,step=1e15", 6e15, 1e-3, 6e-3],
  ["triangular:base=1e-3,max=6e-3,step=3 9007199254740991", 2 ** 53 - 2, 1e-3, 6e-3],
  ["cosine:peak=1,steps=1e9", 1e9, 0, 1],
  ["sgdr:peak=0.1,cycle=10,growth=1.0001 1e15", 1e15 - 1, 0, 0.1],
  ["repeat:steps=7,schedule=(linear:from=0,to=0.7,steps=7) 1e15", 1e15 - 1, 0, 0.6],
  ["exp_range:base=0,max=1,step=4,gamma=0.9999999 1e12", 1e12 - 1, 0, 0.9999996],
  ["multistep:lr=1,at=5/1e14 1e15", 1e15 - 1, 0.01, 1],
])("%s", (call, last, least, greatest) => {
  const [spec = "", steps] = call.split(" ");
  const argv = ["schedule", spec, ...(steps ? ["--steps", steps] : [])];

  test("is drawn by few points, from its first to its last update", async () => {
    const { points } = (await cli([...argv, "--json"])).json<Drawn>();
    expect(points.length).toBeLessThan(30_000);
    expect([points[0]!.update, points.at(-1)!.update]).toEqual([0, last]);
    for (let i = 1; i < points.length; i++)
      expect(points[i]!.update).toBeGreaterThan(points[i - 1]!.update);
    const rates = points.map(({ lr }) => lr);
    expect(Math.max(...rates)).toBeCloseTo(greatest, 6);
    expect(Math.min(...rates)).toBeCloseTo(least, 6);
  });

  test("prints its greatest and least rate", async () => {
    const { code, stdout } = await cli(argv);
    expect(code).toBe(0);
    const labels = [...stdout.matchAll(/^ *(\S+) [┤┼]/gm)].map((match) => Number(match[1]));
    expect(labels[0]).toBeCloseTo(greatest, 6);
    expect(labels.at(-1)).toBeCloseTo(least, 6);
    expect(stdout).toContain(String(last));
  });
});

test("cycles that are narrower than a column are drawn between their least and greatest rates", () => {
  const schedule = triangular({ base: 1, max: 3, stepSize: 4 });
  const points = sampledRates(schedule, 1e9);
  const { series } = chartedRates(schedule, { updates: 1e9 + 1, width: 40, points });
  expect(series).toHaveLength(2);
  for (const rate of series[0]!.slice(0, -1)) expect(rate).toBe(3);
  for (const rate of series[1]!.slice(0, -1)) expect(rate).toBe(1);
});

test("a schedule of few turns is one curve, as before", () => {
  const schedule = cosineDecay({ peak: 1, steps: 100 });
  const points = sampledRates(schedule, 100);
  expect(points).toHaveLength(101);
  const { series } = chartedRates(schedule, { updates: 101, width: 51, points });
  expect(series).toEqual([Array.from({ length: 51 }, (_, i) => schedule(2 * i))]);
});

test("the length that is drawn is a count, whatever the schedule's own", async () => {
  for (const spec of [
    "exp:lr=1,factor=1.0000000000000002,every=9007199254740991",
    "step:lr=1,every=9007199254740991",
    "sgdr:peak=1,cycle=10,growth=1e308",
    "multistep:lr=1,at=9007199254740991",
    "isqrt:peak=1,warmup=9007199254740991",
    "warmup:steps=9007199254740991,schedule=(cosine:peak=1,steps=9007199254740991)",
  ]) {
    const { parseSchedule } = await import("./text/parse-schedule.ts");
    const schedule: Schedule = parseSchedule(spec);
    expect(Number.isSafeInteger(updatesToDraw(schedule))).toBe(true);
    expect((await cli(["schedule", spec])).code).toBe(0);
  }
});

test.each([
  ["exp:lr=1,factor=10 --steps 1000", "that of update 309 is Infinity"],
  ["cosine:peak=1,steps=1e16", "steps must be at most 9007199254740991"],
  ["triangular:base=0,max=1,step=1e300", "stepSize must be at most"],
  ["cosine:peak=1,steps=10 --steps 1e16", "--steps must be a positive whole number, at most"],
])("refuses %s", async (call, message) => {
  const { code, stderr } = await cli(["schedule", ...call.split(" ")]);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});
