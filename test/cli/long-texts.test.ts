/** @file A megabyte where a word was asked for, a hundred thousand arms: refused in a few words. */

import { describe, expect, test } from "vitest";
import { parseArm, parseArms } from "../../src/arms/arms.ts";
import { checkRequest, trialsOf } from "../../src/arms/trials.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { flagName } from "../../src/cli/flags/define-command.ts";
import { cli } from "./run-cli.ts";

const MEGABYTE = 1_000_000;

/** Texts that cost a reader most: long words, lists, brackets, digits. */
const TEXTS: Readonly<Record<string, string>> = {
  letters: "a".repeat(MEGABYTE),
  commas: "a,".repeat(MEGABYTE / 2),
  "open brackets": "(".repeat(MEGABYTE),
  "closed brackets": "a)".repeat(MEGABYTE / 2),
  "brackets and commas": "(a,".repeat(MEGABYTE / 3),
  digits: "9".repeat(MEGABYTE),
  "a number and spaces": `1${" ".repeat(MEGABYTE)}x`,
  "signs of an arm": "a+".repeat(MEGABYTE / 2),
};

const flags = commands.flatMap((command) =>
  Object.entries(command.flags).flatMap(([key, flag]) =>
    flag.kind === "value" ? [{ name: `${command.name}: ${flagName(key, flag)}`, flag }] : [],
  ),
);

describe.each(Object.entries(TEXTS))("a megabyte of %s", (_, text) => {
  test("is read or refused by each option, and not repeated", () => {
    for (const { name, flag } of flags)
      try {
        flag.read(text, name);
      } catch (error) {
        expect((error as Error).message).toContain(name);
        expect((error as Error).message.length).toBeLessThan(1_000);
      }
  });

  test("is no schedule, arm, command or source", async () => {
    for (const argv of [
      ["schedule", text],
      ["schedule", `triangular:${text}`],
      ["schedule", `constant:lr=${text}`],
      ["compare", "synthetic", "--optimizers", text],
      ["compare", "synthetic", "--optimizers", `sgd+${text}`],
      ["compare", "synthetic", "--optimizers", `sgd+(${text})`],
      ["train", "synthetic", "--optimizer", text],
      ["train", "synthetic", "--momentum-schedule", text],
      ["bench", text],
      [text],
      ["find", "synthetic", `--${text}`],
    ]) {
      const { code, stderr } = await cli(argv);
      expect(stderr.length).toBeLessThan(10_000);
      expect(stderr).not.toMatch(/unexpected|fault of lrscope/);
      expect(code).toBe(2);
    }
  });
});

test("a hundred thousand arms, or runs, are refused by number", async () => {
  const arms = Array.from({ length: 100_000 }, (_, i) => `adam@${i + 1}e-9`);
  expect(() => parseArms(arms)).toThrow("at most 1000 may be named; got 100000");
  const { code, stderr } = await cli(["compare", "synthetic", "--optimizers", arms.join(",")]);
  expect(stderr).toContain("--optimizers must hold at most 1000");
  expect(code).toBe(2);
  const many = await cli([
    ...["compare", "synthetic", "--seeds", "10000"],
    ...["--optimizers", arms.slice(0, 11).join(",")],
  ]);
  expect(many.stderr).toContain("at most 100000 runs can be planned; got 11 arms x 10000 seeds");
  expect(many.code).toBe(2);
  const past = await cli(["compare", "synthetic", "--seed", "4294967295", "--seeds", "2"]);
  expect(past.stderr).toContain("--seed and those that follow it must be at most 4294967295");
  expect(past.code).toBe(2);
});

test("a thousand arms are planned", () => {
  const request = {
    optimizers: Array.from({ length: 1000 }, (_, i) => `adam@${i + 1}e-9`),
    epochs: 1,
    seeds: [0],
  };
  expect(trialsOf(request, [], 10)).toHaveLength(1000);
});

test("numbers of a comparison that cannot be planned are refused", () => {
  const request = { optimizers: ["sgd+clr"], epochs: 1, seeds: [0] };
  for (const [given, message] of [
    [{ finderSeeds: 1e9 }, "finderSeeds must be at most 10000"],
    [{ sensitivity: 1e9 + 1 }, "sensitivity must be an odd number from 3 to 1001"],
    [{ epochs: 1e300 }, "epochs must be at most"],
    [{ stepSize: 1e300 }, "stepSize must be at most"],
    [{ evalEvery: 1e300 }, "evalEvery must be at most"],
  ] as const)
    expect(() => checkRequest({ ...request, ...given })).toThrow(message);
  expect(parseArm("adam").name).toBe("adam");
});
