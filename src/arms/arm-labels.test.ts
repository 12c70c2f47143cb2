import fc from "fast-check";
import { expect, test } from "vitest";
import { labelsFor } from "./arm-labels.ts";

const within = (most: number) => (names: readonly string[]) => {
  const labels = labelsFor(names, (label) => names.every((name) => label(name).length <= most));
  return names.map(labels);
};

test("names that fit stay as they are", () => {
  const names = ["adam", "sgd+clr", "rmsprop@1e-3"];
  expect(within(12)(names)).toEqual(names);
});

test("arms of one optimizer are told apart by what they differ in", () => {
  const rates = ["1e-4", "3e-4", "1e-3"].map((rate) => `adamw+warmup-cosine@${rate}`);
  expect(within(13)(rates)).toEqual(["adamw@1e-4", "adamw@3e-4", "adamw@1e-3"]);
  expect(within(8)(rates)).toEqual(["1e-4", "3e-4", "1e-3"]);
  const betas = ["0.9", "0.95"].map((b) => `adamw(beta2=${b},weightDecay=0.1)+warmup-cosine@1e-3`);
  expect(within(36)(betas)).toEqual([
    "adamw(beta2=0.9)+warmup-cosine@1e-3",
    "adamw(beta2=0.95)+warmup-cosine@1e-3",
  ]);
  expect(within(17)(betas)).toEqual(["adamw(beta2=0.9)", "adamw(beta2=0.95)"]);
  expect(within(11)(betas)).toEqual(["beta2=0.9", "beta2=0.95"]);
});

test("an arm that has no setting beside one that has it keeps its name", () => {
  expect(within(10)(["sgd(nesterov)+clr@0.1", "sgd+clr@0.1"])).toEqual(["nesterov", "sgd"]);
  expect(
    within(12)(["sgd(momentum=0.9)+cosine@0.1", "adam+cosine@1e-3", "adam+linear@1e-3"]),
  ).toEqual(["sgd", "adam+cosine", "adam+linear"]);
});

test("specifications in brackets are taken apart at their own commas", () => {
  const of = (last: string) =>
    `sgd+(sequence:10=(linear:from=0,to=0.1,steps=10),90=(constant:lr=${last}))`;
  expect(within(40)([of("0.1"), of("0.2")])).toEqual([
    "sgd+sequence(90=(constant:lr=0.1))",
    "sgd+sequence(90=(constant:lr=0.2))",
  ]);
});

test("runs side by side keep theirs", () => {
  expect(within(8)(["a: adam+cosine@1e-3", "b: adam+cosine@1e-3"])).toEqual(["a: adam", "b: adam"]);
});

test("what cannot be reduced is cut in the middle, and numbered where that reads the same", () => {
  const points = (n: number) =>
    `sgd+(piecewise:points=0:0.1/${"9:0.01/".repeat(20)}${n}0:0.05${"/99:0.01".repeat(20)})`;
  expect(within(22)([points(1), points(2), "adam"])).toEqual([
    "1: sgd+point…/99:0.01",
    "2: sgd+point…/99:0.01",
    "adam",
  ]);
});

test("labels are distinct and fit, whatever the names and the room", () => {
  const word = fc.string({ unit: fc.constantFrom(..."ab(),+@=:1. é"), maxLength: 30 });
  const names = fc.uniqueArray(word, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(names, fc.integer({ min: 4, max: 40 }), (all, most) => {
      const labels = within(most)(all);
      expect(new Set(labels).size).toBe(all.length);
      for (const label of labels) expect(label.length).toBeLessThanOrEqual(most);
    }),
  );
});
