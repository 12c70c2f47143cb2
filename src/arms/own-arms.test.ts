import { describe, expect, test } from "vitest";
import { adamw, defineOptimizer, rmsprop, sam, sgd } from "../optimizers/index.ts";
import { cosineDecay, defineSchedule, reduceOnPlateau, warmup } from "../schedules/index.ts";
import { armSchedule } from "./arm-schedules.ts";
import { parseArm } from "./arms.ts";
import { heldArms } from "./own-arms.ts";
import { type OwnSchedule, registerSchedule, type ScheduleRun } from "./own-parts.ts";
import { optimizerOf, trialsOf } from "./trials.ts";

const half = defineOptimizer({
  name: "half-step",
  hyperparameters: { learningRate: 0.1, damping: 0.5 },
  state: () => ({}),
  update: ({ parameter, gradient, lr }, { damping }) => ({
    parameter: parameter.sub(gradient.mul(lr.mul(damping))),
  }),
});

const textOf = (arm: Parameters<typeof heldArms>[0][number]) => heldArms([arm]).texts[0]!;

describe("arms of objects", () => {
  test("an optimizer of lrscope is its settings, whatever made it", () => {
    expect(textOf({ optimizer: sgd({ momentum: 0.9, nesterov: 1, learningRate: 0.05 }) })).toBe(
      "sgd(momentum=0.9,nesterov=1)@0.05",
    );
    expect(textOf({ optimizer: adamw() })).toBe("adamw");
    expect(textOf({ optimizer: adamw, schedule: "cosine" })).toBe("adamw+cosine");
    expect(textOf({ optimizer: rmsprop({}, { dialect: "optax" }) })).toBe("rmsprop(dialect=optax)");
    for (const optimizer of [
      sgd({ momentum: 0.9 }),
      sam(sgd(), { rho: 0.1 }),
      adamw({ beta2: 0.95 }),
    ]) {
      const made = optimizerOf(parseArm(textOf({ optimizer })), {});
      expect(made.hyperparameters).toEqual(optimizer.hyperparameters);
      expect(made.expression).toEqual(optimizer.expression);
    }
  });

  test("a schedule that can be written down is its specification, and says its rates", () => {
    const schedule = warmup(cosineDecay({ peak: 0.1, steps: 9 }), { steps: 3 });
    const arm = parseArm(textOf({ optimizer: sgd({ learningRate: 0.7 }), schedule }));
    const read = armSchedule(arm.schedule, { rate: 0.7, steps: 12 });
    if ("initial" in read) throw new Error("a schedule");
    for (let t = 0; t < 14; t++) expect(read(t)).toBe(schedule(t));
    const plateau = parseArm(
      textOf({ optimizer: "sgd", schedule: reduceOnPlateau({ rate: 0.3 }) }),
    );
    expect(armSchedule(plateau.schedule, { rate: 1, steps: 9 }).toJSON()).toMatchObject({
      rate: 0.3,
    });
  });

  test("an optimizer of one's own trains at each rate, and takes its factory's hyperparameters", () => {
    const made = optimizerOf(parseArm(textOf({ optimizer: half })), {});
    expect(made).toMatchObject({
      name: "half-step",
      hyperparameters: { learningRate: 0.1, damping: 0.5 },
    });
    const [trial] = trialsOf(
      { optimizers: ["half-step(damping=0.2)+cosine@0.4"], epochs: 1, seeds: [0] },
      [],
      10,
    );
    expect(trial).toMatchObject({
      optimizer: { name: "half-step", hyperparameters: { learningRate: 0.4, damping: 0.2 } },
      schedule: { type: "cosineDecay", peak: 0.4, steps: 10 },
    });
    expect(() => parseArm("half-step(dampin=0.2)")).toThrow('no hyperparameter "dampin"');
  });

  test("one that only bears the name of one of lrscope's stays itself", () => {
    const named = defineOptimizer({
      name: "sgd",
      hyperparameters: { learningRate: 0.1 },
      state: () => ({}),
      update: ({ parameter, gradient, lr }) => ({ parameter: parameter.add(gradient.mul(lr)) }),
    });
    expect(textOf({ optimizer: named() })).toBe("sgd-1@0.1");
    expect(optimizerOf(parseArm("sgd-1"), {}).expression).toEqual(named().expression);
    expect(() => parseArm("sgd-1(momentum=0.5)")).toThrow("sgd-1");
  });

  test("a part of another kind is refused", () => {
    expect(() => textOf({ optimizer: 7 as never })).toThrow("optimizer must be a word");
  });
});

describe("schedules of one's own", () => {
  const run = { rate: 0.5, steps: 20, updatesPerEpoch: 5 };
  const written = (own: OwnSchedule) => {
    registerSchedule("mine.ts", own);
    return armSchedule("mine.ts", run);
  };
  const steps = (t: number) => 0.5 / 2 ** Math.floor(t / 6);

  test("are recorded by their specification, or update by update", () => {
    expect(
      written(({ rate, steps: of }: ScheduleRun) =>
        cosineDecay({ peak: rate, steps: of }),
      ).toJSON(),
    ).toEqual(cosineDecay({ peak: 0.5, steps: 20 }).toJSON());
    const own = written(() => defineSchedule(steps, { type: "halving" }));
    expect(own.toJSON()).toEqual({
      ...{ type: "piecewise", between: "hold" },
      points: [
        [0, 0.5],
        [6, 0.25],
        [12, 0.125],
        [18, 0.0625],
      ],
    });
    // A known name on another curve does not pass for it.
    const lying = written(() => defineSchedule(steps, { type: "constant", rate: 0.5 }));
    expect(lying.toJSON()).toMatchObject({ type: "piecewise" });
  });

  test("of which a rate is no rate are refused by the update", () => {
    expect(() => written(() => defineSchedule((t) => 3 - t, { type: "own" }))).toThrow(
      "schedule mine.ts: the rate of update 4 must be a number, 0 or more; got -1",
    );
    expect(() => written((() => 7) as never)).toThrow("must return what the functions of");
  });

  test("that say their rates take none of the arm", () => {
    registerSchedule("mine.ts", cosineDecay({ peak: 0.5, steps: 9 }));
    expect(() => parseArm("sgd+mine.ts@0.1")).toThrow("leave out @0.1");
    const [trial] = trialsOf({ optimizers: ["sgd+mine.ts"], epochs: 1, seeds: [0] }, [], 9);
    expect(trial).toMatchObject({ learningRateSource: "its schedule", schedule: { peak: 0.5 } });
    expect(() => parseArm("sgd+mine.ts(peak=1)")).toThrow("takes no settings");
  });
});
