/**
 * @file Every dialect and hyperparameter of every optimizer, and every option of every schedule, as the command line
 * takes them in arms: accepted, recorded, told apart in labels, asked for again by "to run it again", and with an
 * effect on what is trained.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { labelsFor } from "../../src/arms/arm-labels.ts";
import { isCyclical } from "../../src/arms/arm-schedules.ts";
import { armParts } from "../../src/arms/arm-text.ts";
import { parseArms } from "../../src/arms/arms.ts";
import { SCHEDULE_OPTIONS } from "../../src/arms/schedule-settings.ts";
import { commandOfStudy } from "../../src/arms/study-command.ts";
import { trialsOf } from "../../src/arms/trials.ts";
import type { OptimizerFactory } from "../../src/optimizers/index.ts";
import * as optimizers from "../../src/optimizers/index.ts";
import type { Task } from "../../src/record/index.ts";
import { armRecord } from "../../src/record/index.ts";
import { oneCycle, trapezoidal } from "../../src/schedules/index.ts";
import { scheduleOfSpec } from "../../src/schedules/text/schedule-of-spec.ts";
import { compare } from "../../src/study/compare.ts";
import { plannedStudy } from "../../src/study/open-study.ts";
import { openSetup } from "../../src/study/setup.ts";
import { TINY } from "../faults/tiny.ts";
import { studyOfCall } from "./study-calls.ts";
import { engineAbsent } from "./temporary.ts";

const absent = engineAbsent();
const UPDATES = 60;

async function planned(argv: readonly string[]) {
  const { study, opening } = await studyOfCall(argv);
  return plannedStudy(study, opening);
}

const taskOf = (arm: string): Task<"trial"> => {
  const [task] = trialsOf({ optimizers: [arm], seeds: [0], epochs: 10 }, [], UPDATES / 10);
  return task!;
};

/** The same as one run: its parts are flags of their own. */
function trainCall(text: string): string[] {
  const { optimizer, schedule, rate } = armParts(text);
  const cyclical = isCyclical(parseArms([text])[0]!.schedule);
  return [
    ...["train", "photos", "--optimizer", optimizer],
    ...(schedule === null ? [] : ["--schedule", schedule]),
    ...(rate === null ? [] : [cyclical ? "--max-lr" : "--lr", rate]),
  ];
}

/** The arm's task, after every way of asking for it has given it, and the command that is printed has asked for it again. */
async function asked(text: string): Promise<Task<"trial">> {
  const task = taskOf(text);
  const calls = [
    ["compare", "photos", "--optimizers", text],
    ["compare", "photos", "--optimizers", `adam@7e-7,${text}`],
    trainCall(text),
  ];
  for (const argv of calls) {
    const { spec, places } = await planned(argv);
    const tasks = trialsOf({ ...spec, epochs: 10, seeds: [0] }, [], UPDATES / 10);
    const { schedule, optimizer } = tasks.at(-1)!;
    expect(schedule, argv.join(" ")).toEqual(task.schedule);
    // Where --max-lr gives a cycle's peak, the optimizer keeps its own rate, which has no effect.
    const { learningRate: _, ...others } = task.optimizer.hyperparameters;
    expect(optimizer.hyperparameters).toMatchObject(others);
    expect(optimizer.dialect).toBe(task.optimizer.dialect);
    const { words, why } = commandOfStudy(spec, places);
    expect(why, argv.join(" ")).toBeUndefined();
    const again = await planned(words!.slice(1));
    expect(again.spec, words!.join(" ")).toEqual(spec);
  }
  return task;
}

/** Shortest labels beside another arm are apart, and say the setting. */
function expectLabelled(arm: string, other: string, key: string) {
  let kinds = 0;
  const labels = labelsFor([other, arm], () => kinds++ > 2);
  expect(labels(arm)).not.toBe(labels(other));
  expect(labels(arm), `${arm} beside ${other}`).toContain(key);
}

const factories = Object.values(optimizers as Record<string, unknown>).filter(
  (value): value is OptimizerFactory => typeof value === "function" && "optimizerName" in value,
);

test("the factories are those of the names", () => {
  expect(factories.map((factory) => factory.optimizerName).sort()).toEqual(
    [...optimizers.optimizerNames].sort(),
  );
});

/** What else an arm says, so that each of its hyperparameters can matter; by hyperparameter. */
const BESIDE: Readonly<Record<string, string>> = {
  "sgd.dampening": "momentum=0.9",
  "sgd.nesterov": "momentum=0.9",
  "nadam.decoupled": "weightDecay=0.1",
  // The step is the smaller of the rate and 1 / sqrt(t).
  "adafactor.relativeStep": "learningRate=2",
};

/** Values far from the default, where half of it or 0.3 would not do. */
const FAR: Readonly<Record<string, number>> = {
  epsilon: 0.1,
  parameterEpsilon: 3,
  clipThreshold: 0.01,
  initialD: 1e-3,
  lookaheadK: 3,
  learningRate: 0.0123,
};

const changedValue = (name: string, key: string, value: number) => {
  if (optimizers.optimizerFlags(name).includes(key)) return 1 - value;
  return FAR[key] ?? (value === 0 ? 0.3 : value / 2);
};

interface Setting {
  readonly optimizer: string;
  readonly key: string;
  readonly value: string;
  readonly without: string;
  readonly arm: string;
}

/** At a rate that changes, as some hyperparameters are about that. */
const arm = (optimizer: string, settings: readonly string[]) => {
  const said = settings.filter((text) => text !== "");
  return `${optimizer}${said.length > 0 ? `(${said.join(",")})` : ""}+warmup-linear`;
};

const names = [...optimizers.optimizerNames, "lookahead-sgd", "sam-adam", "lookahead-sam-sgd"];
const settings: Setting[] = names.flatMap((optimizer) =>
  Object.entries(optimizers.createOptimizer(optimizer).hyperparameters).map(([key, value]) => {
    const beside = BESIDE[`${optimizer.replace(/^.*-(?=sgd)/, "")}.${key}`] ?? "";
    const changed = String(changedValue(optimizer, key, value));
    return {
      ...{ optimizer, key, value: changed, without: arm(optimizer, [beside]) },
      arm: arm(optimizer, [beside, `${key}=${changed}`]),
    };
  }),
);
const dialects: Setting[] = factories.flatMap(({ optimizerName: optimizer, dialects: all }) =>
  all.slice(1).map((value) => ({
    ...{ optimizer, key: "dialect", value, without: arm(optimizer, [`dialect=${all[0]}`]) },
    arm: arm(optimizer, [`dialect=${value}`]),
  })),
);

describe("hyperparameters and dialects of optimizers", () => {
  test.each([...settings, ...dialects])("$optimizer: $key=$value", async (setting) => {
    const { optimizer, key, value, without, arm: text } = setting;
    const { optimizer: spec } = await asked(text);
    const [record] = parseArms([text]);
    expect(armRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
    if (key === "dialect") {
      expect(record).toMatchObject({ optimizer, dialect: value });
      expect(spec.dialect).toBe(value);
    } else {
      expect(spec.hyperparameters[key]).toBe(Number(value));
      if (key === "learningRate") expect(record!.learningRate).toBe(Number(value));
      else expect(record!.hyperparameters![key]).toBe(Number(value));
    }
    expectLabelled(text, without, key);
  });
});

/** Dialects that give the same numbers as the default one. */
const AS_ANOTHER: readonly string[] = [
  ...["sgd optax", "sgd tfjs", "adagrad paper", "adadelta optax", "adam optax", "adam paper"],
  ...["adamax optax", "nadam paper"],
];

describe.skipIf(absent)(`their effect${absent ? ` (${absent})` : ""}`, () => {
  let losses: Map<string, string>;
  beforeAll(async () => {
    const { setup, dataset } = await openSetup(TINY);
    const all = [...settings, ...dialects].flatMap(({ arm: text, without }) => [text, without]);
    const { trials } = await compare({
      ...{ ...setup, optimizers: [...new Set(all)], epochs: 3, seeds: [0] },
    });
    dataset.close();
    losses = new Map(
      trials.map(({ trial, metrics }) => {
        expect(trial.failure, trial.arm).toBeNull();
        return [
          trial.arm,
          JSON.stringify(
            metrics.map(({ trainLoss, validationLoss }) => [trainLoss, validationLoss]),
          ),
        ];
      }),
    );
  });

  test.each(settings)("$optimizer: $key=$value trains otherwise", ({ arm: text, without }) => {
    expect(losses.get(text)).toBeDefined();
    expect(losses.get(text)).not.toBe(losses.get(without));
  });

  test.each(dialects)("$optimizer: $key=$value", ({ arm: text, without, optimizer, value }) => {
    const isSame = losses.get(text) === losses.get(without);
    expect(isSame).toBe(AS_ANOTHER.includes(`${optimizer} ${value}`));
  });
});

/** Values of options of schedules, over a run of 60 updates at a rate of 0.1; of words all that there are beside the usual. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  ...{
    base: ["0.01"],
    stepSize: ["7", "2e"],
    stepDown: ["5"],
    steps: ["31", "4e"],
    cycleSteps: ["9"],
  },
  ...{ every: ["7"], warmupSteps: ["9"], decaySteps: ["21"], milestones: ["10/25", "2e/3.5e"] },
  ...{
    gamma: ["0.9"],
    floor: ["0.02"],
    riseFraction: ["0.4"],
    startDivisor: ["10"],
    endDivisor: ["100"],
  },
  ...{
    end: ["0.005"],
    phases: ["3"],
    fallFraction: ["0.7"],
    growth: ["3"],
    to: ["0.03"],
    from: ["0.02"],
  },
  ...{
    power: ["3"],
    factor: ["0.5"],
    patience: ["3"],
    threshold: ["0.5"],
    cooldown: ["4"],
    epsilon: ["0.2"],
  },
  ...{ anneal: ["linear"], dialect: ["fastai", "optax"], thresholdMode: ["absolute"] },
  ...{ warmup: ["9", "2e"], "plateau.mode": ["max"], "clr.mode": ["triangular2", "exp_range"] },
  ...{ "exp_range.decay": ["bounds"], "wsd.decay": ["sqrt"], "wsd-sqrt.decay": ["linear"] },
};

/** Options that another one is needed for. */
const NEEDS: Readonly<Record<string, string>> = { fallFraction: "phases=3" };

const scheduleArm = (word: string, said: readonly string[], rate = "@0.1") => {
  const all = said.filter((text) => text !== "");
  return `sgd+${word}${all.length > 0 ? `(${all.join(",")})` : ""}${rate}`;
};

const options = [
  ...Object.entries(SCHEDULE_OPTIONS).flatMap(([word, all]) =>
    all.map((key) => [word, key, all[0] === key] as const),
  ),
  ...(["stepSize", "base", "mode"] as const).map((key) => ["clr", key, false] as const),
  ...["warmup-cosine", "warmup-exp", "warmup-multistep"].map(
    (word) => [word, "warmup", false] as const,
  ),
  ["warmup-cosine", "floor", false] as const,
].flatMap(([word, key, isRate]) =>
  (isRate ? ["0.07"] : (VALUES[`${word}.${key}`] ?? VALUES[key] ?? [])).map((value) => {
    const beside = NEEDS[key] ?? "";
    const said = [beside, `${key}=${value}`];
    return {
      ...{ word, key, value, without: scheduleArm(word, [beside]) },
      arm: isRate ? scheduleArm(word, said, "") : scheduleArm(word, said),
    };
  }),
);

/** The rate at each update; of a plateau after metrics that fall, by little, at once by much, and stay. */
function ratesOf(text: string): number[] {
  const schedule = scheduleOfSpec(taskOf(text).schedule);
  if (!("initial" in schedule)) return Array.from({ length: UPDATES }, (_, t) => schedule(t));
  let state = schedule.initial;
  return Array.from({ length: UPDATES }, (_, i) => {
    [state] = schedule.step(state, 100 - 0.002 * Math.min(i, 25) - (i > 5 ? 5 : 0));
    return state.rate;
  });
}

test("every option of a schedule has a value here", () => {
  const all = Object.entries(SCHEDULE_OPTIONS).flatMap(([word, of]) =>
    of.map((key) => `${word} ${key}`),
  );
  const tried = new Set(options.map(({ word, key }) => `${word} ${key}`));
  expect(all.filter((each) => !tried.has(each))).toEqual([]);
});

describe("options of schedules", () => {
  test.each(options)("$word: $key=$value", async ({ word, key, value, without, arm: text }) => {
    await asked(text);
    const [record] = parseArms([text]);
    expect(armRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(record!.schedule).toBe(word);
    const recorded = record!.scheduleSettings?.[key] ?? String(record!.learningRate);
    expect(recorded).toBe(value);
    if (text.includes("@")) expectLabelled(text, without, `${key}=`);
    expect(ratesOf(text)).not.toEqual(ratesOf(without));
  });

  test("a dialect of one-cycle is as the function has it, its defaults too", () => {
    for (const dialect of ["torch", "fastai", "optax"] as const) {
      const own = oneCycle({ max: 0.1, steps: UPDATES, dialect });
      const rates = Array.from({ length: UPDATES }, (_, t) => own(t));
      expect(ratesOf(`sgd+1cycle(dialect=${dialect})@0.1`), dialect).toEqual(rates);
    }
  });

  test("lengths that are not given are parts of the one that is", () => {
    const own = trapezoidal({ peak: 0.1, steps: 20, warmupSteps: 1, decaySteps: 4 });
    const rates = Array.from({ length: UPDATES }, (_, t) => own(t));
    expect(ratesOf("sgd+wsd(steps=20)@0.1")).toEqual(rates);
  });
});
