import { describe, expect, test } from "vitest";
import { createOptimizer, optimizerNames } from "../optimizers/index.ts";
import type { Task } from "../record/index.ts";
import { scheduleOfSpec } from "../schedules/text/schedule-of-spec.ts";
import { armSchedule, isCyclical } from "./arm-schedules.ts";
import { parseArm, parseArms } from "./arms.ts";
import { SCHEDULE_OPTIONS } from "./schedule-settings.ts";
import { trialsOf } from "./trials.ts";

const planned = (arm: string, more = {}) =>
  trialsOf({ optimizers: [arm], seeds: [0], epochs: 10, ...more }, [], 50)[0] as Task<"trial">;

describe("settings of an optimizer", () => {
  test("each is what trains", () => {
    const { optimizer, schedule } = planned("sgd(momentum=0.9,nesterov)+clr@0.05");
    expect(optimizer.hyperparameters).toMatchObject({ momentum: 0.9, nesterov: 1 });
    expect(schedule).toMatchObject({ type: "triangular", max: 0.05 });
    expect(
      planned("adamw(beta2=0.95,weightDecay=0.1)@1e-3").optimizer.hyperparameters,
    ).toMatchObject({ beta2: 0.95, weightDecay: 0.1, learningRate: 1e-3 });
  });

  test("other libraries' words are known: snake case, lr, eps, on and off", () => {
    const { hyperparameters } = planned("adamw(lr=2e-3,weight_decay=0.1,eps=1e-6)").optimizer;
    expect(hyperparameters).toMatchObject({ learningRate: 2e-3, weightDecay: 0.1, epsilon: 1e-6 });
    expect(planned("adam(amsgrad=true)").optimizer.hyperparameters.amsgrad).toBe(1);
    expect(planned("adam(amsgrad=off)").optimizer.hyperparameters.amsgrad).toBe(0);
  });

  test.each(optimizerNames)("every hyperparameter of %s", (name) => {
    for (const [key, value] of Object.entries(createOptimizer(name).hyperparameters)) {
      const arm = parseArm(`${name}(${key}=${value})`);
      if (key === "learningRate") expect(arm.learningRate).toBe(value);
      else expect(arm.hyperparameters).toEqual({ [key]: value });
    }
  });

  test("a dialect reaches the task", () => {
    expect(planned("rmsprop(dialect=optax)").optimizer).toMatchObject({
      ...{ name: "rmsprop", dialect: "optax" },
      hyperparameters: createOptimizer("rmsprop", {}, { dialect: "optax" }).hyperparameters,
    });
    expect(() => parseArm("rmsprop(dialect=keras)")).toThrow('no dialect "keras"');
  });

  test("an arm's own go before the study's, and a momentum that is named does not cycle", () => {
    const own = planned("sgd(momentum=0.5)+clr@0.1", { momentum: 0.9, weightDecay: 0.01 });
    expect(own.optimizer.hyperparameters).toMatchObject({ momentum: 0.5, weightDecay: 0.01 });
    expect(own.hyperparameterSchedules).toEqual({});
    expect(planned("adam+clr@0.1").hyperparameterSchedules).toBeUndefined();
  });

  test.each([
    ["sgd(momentun=0.9)", 'sgd has no hyperparameter "momentun"; did you mean "momentum"?'],
    ["adam(momentum=0.9)", "It has learningRate, beta1, beta2"],
    ["sgd(momentum)", "momentum needs a value"],
    ["sgd(momentum=high)", 'momentum must be a number; got "high"'],
    ["adam(beta1=1)", "beta1 must be in [0, 1); got 1"],
    ["sgd(momentum=0.9,momentum=0.8)", "momentum is given twice"],
    ["sgd(lr=0.1)@0.2", "its rate is given 2 times (0.2, 0.1)"],
    ["sgd(momentum=0.9", "must be NAME["],
    ["sgd(momentum=0.9,)", "must be NAME["],
    ["sgd)x(", "must be NAME["],
    ["sgd+clr@", "must be NAME["],
  ])("refuses %j", (text, message) => expect(() => parseArm(text)).toThrow(message));
});

describe("settings of a schedule", () => {
  test("lengths in updates or epochs, and a mode", () => {
    expect(planned("sgd+clr(stepSize=4,mode=triangular2)@0.1").schedule).toMatchObject({
      ...{ type: "triangular2", stepSize: 4, max: 0.1 },
    });
    expect(planned("sgd+clr(step_size=4e,base=0.02)@0.1").schedule).toMatchObject({
      ...{ type: "triangular", stepSize: 200, base: 0.02 },
    });
    expect(planned("adam+cosine(floor=1e-5)@1e-3").schedule).toMatchObject({ floor: 1e-5 });
    expect(planned("adam+warmup-cosine(warmup=2e,floor=1e-5)@1e-3").schedule).toMatchObject({
      ...{ type: "warmup", steps: 100 },
      schedule: { type: "cosineDecay", steps: 400, floor: 1e-5 },
    });
    expect(planned("sgd+multistep(milestones=3e/6e/8e)@0.1").schedule).toMatchObject({
      milestones: [150, 300, 400],
    });
    expect(planned("sgd+sgdr(cycleSteps=1e,growth=2)@0.1").schedule).toMatchObject({
      ...{ type: "cosineRestarts", cycleSteps: 50, growth: 2 },
    });
    expect(planned("sgd+plateau(patience=3,mode=max)@0.1").schedule).toMatchObject({
      ...{ type: "reduceOnPlateau", patience: 3, mode: "max", rate: 0.1 },
    });
  });

  test("its rate may stand in brackets, and spares the range test", () => {
    expect(parseArm("sgd+clr(max=0.1)").learningRate).toBe(0.1);
    expect(planned("sgd+clr(max=0.1)").schedule).toMatchObject({ max: 0.1 });
  });

  test.each(Object.entries(SCHEDULE_OPTIONS))(
    "every option of %s is one of its family",
    (word, options) => {
      const bounds = { base: 0.01, max: 0.1, stepSize: 10 };
      const schedule = armSchedule(word === "triangular" ? "clr" : word, {
        ...{ rate: 0.1, steps: 100 },
        ...(isCyclical(word) ? { bounds } : {}),
      });
      const family = (spec: Record<string, unknown>): Record<string, unknown> =>
        spec.schedule ? family(spec.schedule as Record<string, unknown>) : spec;
      const spec = family(schedule.toJSON() as never);
      // What the family has not, it refuses by listing what it has.
      const refusal = (): string => {
        try {
          scheduleOfSpec({ ...spec, nothing: 1 } as never);
        } catch (error) {
          return (error as Error).message;
        }
        return "";
      };
      if (spec.type === "reduceOnPlateau")
        expect([...options].sort()).toEqual(
          Object.keys(spec)
            .filter((key) => key !== "type")
            .sort(),
        );
      else
        expect([...options].sort()).toEqual(
          refusal()
            .replace(/^.*it has /, "")
            .split(", ")
            .sort(),
        );
    },
  );

  test.each([
    ["sgd+clr(stepsize=4)", 'clr has no option "stepsize"; did you mean "stepSize"?'],
    ["sgd+cosine(gamma=2)", "cosine has no option"],
    ["sgd+clr(mode=triangular3)", "mode must be one of triangular, triangular2, exp_range"],
    ["sgd+clr(stepSize=4x)", "a number of updates, or of epochs followed by e"],
    ["sgd+clr(stepSize)", "stepSize needs a value, as in stepSize=4e"],
    ["sgd+clr(max=0.1)@0.2", "its rate is given 2 times"],
    ["sgd+cosine(peak=-1)", "peak must be a positive number"],
  ])("refuses %j", (text, message) => expect(() => parseArm(text)).toThrow(message));
});

test("arms that differ in a setting have files of their own", () => {
  const arms = parseArms(["sgd(momentum=0.9)", "sgd(momentum=0.5)", "sgd+clr(stepSize=4)@0.1"]);
  expect(new Set(arms.map(({ slug }) => slug)).size).toBe(3);
});
