/** @file Flags to a study and back: whatever can be asked for, the command of the study asks for the same. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commandOfStudy } from "../../src/arms/study-command.ts";
import { type Command, flagName } from "../../src/cli/flags/define-command.ts";
import { ArgumentError } from "../../src/core/errors.ts";
import type { StudySpec } from "../../src/record/index.ts";
import { plannedStudy } from "../../src/study/open-study.ts";
import { callOf, flagsOf, STUDY_COMMANDS, studyOfCall } from "./study-calls.ts";

async function planned(argv: readonly string[]) {
  const { study, opening } = await studyOfCall(argv);
  return plannedStudy(study, opening);
}

/** There and back again. */
async function roundTrip(argv: readonly string[]) {
  const { spec, places } = await planned(argv);
  const { words, why } = commandOfStudy(spec, places);
  expect(why, argv.join(" ")).toBeUndefined();
  const again = await planned(words!.slice(1));
  expect(again, words!.join(" ")).toEqual({ ...again, spec, places });
  return words!;
}

describe.each(STUDY_COMMANDS.map((command) => [command.name, command] as const))(
  "%s",
  (_name, command: Command) => {
    const keys = flagsOf(command);

    test("asks for as little as it was asked with", async () => {
      const source = command.args.length > 0 ? ["photos"] : [];
      const words = await roundTrip([command.name, ...source]);
      const kept = words.filter((word) => word.startsWith("--"));
      const always = [
        ...["--optimizers", "--optimizer", "--seeds", "--epochs", "--batch", "--threads"],
        "--jobs",
      ];
      expect(kept.filter((word) => !always.includes(word))).toEqual([]);
    });

    test.each(keys)("has a way back for %s", async (key) => {
      const name = flagName(key, command.flags[key]!);
      // One of the values at least is none that the flag has without being given.
      const calls = fc.sample(callOf(command, [key]), { numRuns: 6, seed: 1 });
      const found: string[] = [];
      for (const argv of calls) found.push(...(await roundTrip(argv)));
      expect(found).toContain(name);
    });

    test("any flags together", async () => {
      let accepted = 0;
      await fc.assert(
        fc.asyncProperty(
          fc
            .subarray(keys, { maxLength: Math.min(12, keys.length) })
            .chain((some) => callOf(command, some)),
          async (argv) => {
            try {
              await planned(argv);
            } catch (error) {
              // Flags that do not go together are refused, which others test.
              if (error instanceof ArgumentError) return;
              throw error;
            }
            accepted += 1;
            await roundTrip(argv);
          },
        ),
        { numRuns: 60 },
      );
      expect(accepted).toBeGreaterThan(20);
    });
  },
);

test("what a protocol would set is said, where the study has what no flag gives otherwise", async () => {
  const follow = ["compare", "photos", "--protocol", "flowers-2019"];
  for (const name of ["vanilla", "vanilla_2019"]) {
    const words = await roundTrip([...follow, "--model", name]);
    expect(words.join(" ")).toMatch(new RegExp(` --model ${name}( |$)`));
  }
  await roundTrip([...follow, "--validation", "0.2"]);
  const { spec } = await planned(follow);
  const { why } = commandOfStudy({ ...spec, reading: "averaged" });
  expect(why).toContain("--protocol flowers-2019 reads range tests as published");
});

describe("a study of the library that no flags ask for says so", () => {
  const spec = async (change: Partial<StudySpec>, argv = ["compare", "photos"]) => {
    const { spec } = await planned(argv);
    return commandOfStudy({ ...spec, ...change });
  };

  test.each([
    [{ seeds: [3, 7] }, "seeds of a command follow each other, and this study has 3, 7"],
    [
      { objects: ["mine", "own-1"] },
      "its arms are made of objects of the program that ran it (mine",
    ],
    [{ modelOptions: { hidden: 8 } }, "compare has no flag for modelOptions"],
    [{ rangeTestEpochs: 5 }, "compare has no flag for rangeTestEpochs 5"],
    [{ smoothing: "none" as const }, 'compare has no flag for smoothing "none"'],
  ])("%j", async (change, why) => {
    const command = await spec(change);
    expect(command.words).toBeNull();
    expect(command.why).toContain(why);
  });

  test("class weights one by one, and parameters whose name a flag would take apart", async () => {
    const { spec: own } = await planned(["train", "photos"]);
    const recipe = { ...own.recipe, classWeights: [1, 2] };
    expect(commandOfStudy({ ...own, recipe }).why).toContain("class weights one by one");
    const parameterGroups = [{ prefix: "a,b", learningRateScale: 1 }];
    const named = { ...own, recipe: { ...own.recipe, parameterGroups } };
    expect(commandOfStudy(named).why).toContain('"a,b"');
  });

  test("one run of several arms, seeds, or a cycle with a rate of its own", async () => {
    const train = (change: Partial<StudySpec>) => spec(change, ["train", "photos"]);
    expect((await train({ optimizers: ["sgd", "adam"] })).why).toContain("has sgd, adam");
    expect((await train({ seeds: [0, 1] })).why).toContain("train has one seed");
    expect((await train({ optimizers: ["sgd+clr@0.1"] })).why).toContain("no rate beside clr");
  });

  test("a demonstration of something else", async () => {
    expect((await spec({ batch: 1 } as never, ["demo"])).why).toContain("demo is another study");
  });
});

test("what has no effect is left out, as it would be refused", async () => {
  const { spec } = await planned(["compare", "photos", "--optimizers", "adam"]);
  const { words } = commandOfStudy({
    ...spec,
    ...{ momentum: 0.9, maxLr: 0.1, from: 1e-5, to: 1, rule: "valley", rangeTestEpochs: 9 },
  });
  await planned(words!.slice(1));
  expect(words!.join(" ")).not.toMatch(/--(momentum|max-lr|from|to|rule) /);
});

test("places that a study does not name stand as what they are", async () => {
  const argv = ["train", "./my photos", "--model", "./a net.mjs", "--pretrained", "./w.pth"];
  const { spec } = await planned(argv);
  const words = commandOfStudy(spec).words!.join(" ");
  expect(words).toContain("lrscope train SOURCE ");
  expect(words).toContain("--model a net.mjs");
  expect(words).toContain("--pretrained WEIGHTS");
});
