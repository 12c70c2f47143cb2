import { describe, expect, test } from "vitest";
import type { Schedule } from "../schedules/index.ts";
import { scheduleOfSpec } from "../schedules/text/schedule-of-spec.ts";
import { ARM_SCHEDULES, armSchedule, isCyclical } from "./arm-schedules.ts";
import { parseArm, parseArms } from "./arms.ts";

describe("parseArm", () => {
  test.each([
    ["adam", { optimizer: "adam", schedule: null, learningRate: null, slug: "adam" }],
    ["sgd+clr", { optimizer: "sgd", schedule: "clr", learningRate: null, slug: "sgd-clr" }],
    [
      "rmsprop@1e-3",
      { optimizer: "rmsprop", schedule: null, learningRate: 1e-3, slug: "rmsprop-1e-3" },
    ],
    [
      "adam+cosine@3e-4",
      { optimizer: "adam", schedule: "cosine", learningRate: 3e-4, slug: "adam-cosine-3e-4" },
    ],
    [
      "sgd+1cycle@0.1",
      { optimizer: "sgd", schedule: "1cycle", learningRate: 0.1, slug: "sgd-1cycle-0.1" },
    ],
    [
      "adam+warmup-cosine",
      {
        optimizer: "adam",
        schedule: "warmup-cosine",
        learningRate: null,
        slug: "adam-warmup-cosine",
      },
    ],
    [
      "sgd+(wsd:peak=0.1,steps=90,down=20)",
      {
        optimizer: "sgd",
        schedule: "(wsd:peak=0.1,steps=90,down=20)",
        learningRate: null,
        slug: "sgd-_wsd_peak_0.1_steps_90_down_20_",
      },
    ],
    ["lamb@1e-2", { optimizer: "lamb", schedule: null, learningRate: 1e-2, slug: "lamb-1e-2" }],
  ])("%s", (text, want) => expect(parseArm(text)).toEqual({ name: text, ...want }));

  test.each([
    ["adm", 'did you mean "adam"?'],
    ["nadm+clr", 'did you mean "nadam"?'],
    ["sgd+clf", 'unknown schedule "clf"; did you mean "clr"?'],
    ["adam+warmup-clr", 'unknown schedule "warmup-clr"'],
    ["adam+(wsd:peak=0.1,steps=90)", "decaySteps"],
    ["adam+(cosine:peak=0.1,steps=90)@0.1", "says its rates itself; leave out @0.1"],
    ["adam@0", 'must be a positive number; got "0"'],
    ["adam@NaN", "must be a positive number"],
    ["adam@-1", "must be a positive number"],
    ["+clr", "must be NAME[(SETTING=VALUE,...)][+SCHEDULE"],
    ["", "must be NAME[(SETTING=VALUE,...)][+SCHEDULE"],
  ])("refuses %j", (text, message) => expect(() => parseArm(text)).toThrow(message));
});

describe("parseArms", () => {
  test("refuses none, and the same twice", () => {
    expect(() => parseArms([])).toThrow("at least one optimizer");
    expect(() => parseArms(["adam", "sgd", "adam"])).toThrow('"adam" is named twice');
  });

  test("slugs differ where names differ", () => {
    // "@" and "+" both become "-": sgd+1cycle and a rate cannot meet, but names may.
    const slugs = parseArms(["adam@1e-3", "adam@1e-2", "adam"]).map(({ slug }) => slug);
    expect(new Set(slugs).size).toBe(3);
  });
});

describe("armSchedule", () => {
  const bounds = { base: 1e-3, max: 6e-3, stepSize: 30 };

  test.each(ARM_SCHEDULES)("%s runs from update 0 to the end within its bounds", (word) => {
    for (const steps of [7, 200]) {
      const schedule = armSchedule(word, { rate: 0.1, steps, bounds });
      if ("initial" in schedule) {
        expect(schedule.initial.rate).toBe(0.1);
        continue;
      }
      const top = isCyclical(word) ? bounds.max : 0.1;
      const rates = Array.from({ length: steps }, (_, t) => schedule(t));
      for (const rate of rates) expect(rate).toBeLessThanOrEqual(top * (1 + 1e-12));
      expect(Math.min(...rates)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...rates)).toBeGreaterThan(0);
      expect(scheduleOfSpec(schedule.toJSON())).toHaveProperty("steps", schedule.steps);
    }
  });

  test("snapped cycles end with the run; what has none is left alone", () => {
    const options = { rate: 0.1, steps: 100, bounds, snap: true };
    for (const word of ["clr", "triangular2", "(clr:base=1e-3,max=6e-3,step=30)"]) {
      const snapped = armSchedule(word, options) as Schedule;
      expect(snapped(100)).toBeCloseTo(1e-3, 9);
      expect(snapped(99)).toBeLessThan(1.3e-3);
    }
    const cosine = armSchedule("cosine", options) as Schedule;
    expect(cosine.toJSON()).toEqual({ type: "cosineDecay", peak: 0.1, floor: 0, steps: 100 });
  });

  test("a warm-up begins at a hundredth of the rate, and a plateau in brackets takes the arm's", () => {
    const warm = armSchedule("warmup-linear", { rate: 0.1, steps: 100 }) as Schedule;
    expect([warm(0), warm(5), warm(100)]).toEqual([expect.closeTo(1e-3, 12), 0.1, 0]);
    const plateau = armSchedule("(plateau:factor=0.5,patience=3)", { rate: 0.02, steps: 9 });
    expect(plateau.toJSON()).toMatchObject({ type: "reduceOnPlateau", rate: 0.02, factor: 0.5 });
  });
});
