import { describe, expect, test } from "vitest";
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
    ["lamb@1e-2", { optimizer: "lamb", schedule: null, learningRate: 1e-2, slug: "lamb-1e-2" }],
  ])("%s", (text, want) => expect(parseArm(text)).toEqual({ name: text, ...want }));

  test.each([
    ["adm", 'did you mean "adam"?'],
    ["nadm+clr", 'did you mean "nadam"?'],
    ["sgd+clf", 'unknown schedule "clf"; did you mean "clr"?'],
    ["adam@0", 'must be a positive number; got "0"'],
    ["adam@NaN", "must be a positive number"],
    ["adam@-1", "must be a positive number"],
    ["+clr", "must be NAME[+SCHEDULE][@RATE]"],
    ["", "must be NAME[+SCHEDULE][@RATE]"],
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
