/**
 * @file The table of training's options, from end to end: whatever is written on a command line is in the
 * study, in what is recorded of it, and is missed by a resumption where it has changed.
 */

import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeExperiment } from "../../../test/report/fake-records.ts";
import {
  type ExperimentRecord,
  experimentRecord,
  protocolOf,
  type Recipe,
  type StudySpec,
  studySpec,
} from "../../record/index.ts";
import { type RecipeName, recipeOptions } from "../../record/recipe.ts";
import { checkSame } from "../../study/resuming/resume-study.ts";
import { commands } from "../commands/index.ts";
import { parseArguments } from "./parse.ts";
import { studyOfFlags } from "./study-of-flags.ts";

/** Words of a command line, and what the option's value should come to. */
interface Written {
  readonly words: readonly string[];
  readonly value: unknown;
}

const word = (flag: string) => (value: unknown) => ({ words: [flag, String(value)], value });
const positive = fc.double({ min: 1e-9, max: 1e9, noNaN: true });
const belowOne = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((x) => x || 0);
const name = fc.stringMatching(/^[a-z][a-z0-9.]{0,9}$/);
const scale = fc.double({ min: 0, max: 10, noNaN: true }).map((x) => x || 0);
const count = fc.integer({ min: 1, max: 10_000 });

const scalesOf = (flag: string, key: "learningRateScale" | "weightDecayScale") =>
  fc
    .uniqueArray(fc.tuple(name, scale), { minLength: 1, maxLength: 3, selector: ([of]) => of })
    .map((list) => ({
      words: [flag, list.map(([of, by]) => `${of}=${by}`).join(",")],
      value: list.map(([prefix, by]) => ({ prefix, [key]: by })),
    }));

/**
 * Each option, given. Written down apart from the table, as a person would read the guide: the table is
 * what is tested.
 */
const given: Readonly<Record<RecipeName, Arbitrary<Written>>> = {
  batch: count.map(word("--batch")),
  accumulate: count.map(word("--accumulate")),
  dropLast: fc.constant({ words: ["--drop-last"], value: true }),
  precision: fc.constantFrom("fp32", "bf16").map(word("--precision")),
  clip: positive.map(word("--clip")),
  labelSmoothing: belowOne.map(word("--label-smoothing")),
  trainFrom: name.filter((text) => text !== "all").map(word("--train-from")),
  unfreeze: fc
    .array(fc.record({ from: name, epoch: count }), { minLength: 1, maxLength: 3 })
    .map((list) => ({
      words: ["--unfreeze", list.map(({ from, epoch }) => `${from}@${epoch}`).join(",")],
      value: list,
    })),
  frozenBatchNorm: fc.constantFrom("evaluate", "train").map(word("--frozen-batch-norm")),
  clipValue: positive.map(word("--clip-value")),
  parameterGroups: fc.oneof(
    scalesOf("--lr-scale", "learningRateScale"),
    scalesOf("--decay-scale", "weightDecayScale"),
    fc.tuple(name, scale, scale).map(([prefix, rate, decay]) => ({
      words: ["--decay-scale", `${prefix}=${decay}`, "--lr-scale", `${prefix}=${rate}`],
      value: [{ prefix, learningRateScale: rate, weightDecayScale: decay }],
    })),
  ),
  decayBiasesAndNorms: fc.constant({ words: ["--no-decay-on-bias"], value: false }),
  average: fc.oneof(
    fc.constant({ words: ["--average", "swa"], value: { kind: "swa" } }),
    fc.constant({ words: ["--average", "ema"], value: { kind: "ema", decay: 0.999 } }),
    belowOne.map((decay) => ({
      words: ["--average-decay", String(decay), "--average", "ema"],
      value: { kind: "ema", decay },
    })),
  ),
  snapshots: fc.constant({ words: ["--snapshots"], value: true }),
  classWeights: fc.constant({ words: ["--class-weights", "balanced"], value: "balanced" }),
};

/** What an option is where it is not given; absent: off. */
const FALLBACKS: Partial<Record<RecipeName, unknown>> = {
  batch: 64,
  accumulate: 1,
  dropLast: false,
  precision: "fp32",
  labelSmoothing: 0,
  decayBiasesAndNorms: true,
  snapshots: false,
};

const NAMES = recipeOptions.map(([of]) => of);

/** The study of such a call, as another process would read it. */
async function studyOf(words: readonly string[]): Promise<StudySpec> {
  const parsed = parseArguments(["compare", "mnist", ...words], {
    commands,
    version: "0",
    stdout: { write: () => true },
  });
  if (parsed === "printed") throw new Error("the call asks for text");
  const { study } = await studyOfFlags({
    ...{ kind: "compare", source: "mnist", optimizers: ["adam"], seeds: 1, epochs: 2 },
    flags: parsed.flags as Parameters<typeof studyOfFlags>[0]["flags"],
  });
  return studySpec.parse(JSON.parse(JSON.stringify(studySpec.parse(study)))) as StudySpec;
}

const base = fakeExperiment();

/** experiment.json of such a study, as it is read back. */
function recordOf(recipe: Recipe): ExperimentRecord {
  const { epochs, seeds, updatesPerEpoch, augment, validation, splitSeed, threads } = base.protocol;
  const facts = { epochs, seeds, updatesPerEpoch, augment, validation, splitSeed, threads };
  const protocol = protocolOf({ ...facts, momentum: 0, weightDecay: 0 }, recipe, {});
  return experimentRecord.parse(JSON.parse(JSON.stringify({ ...base, protocol })));
}

test("the table has the options that are written here, and no others", () => {
  expect(NAMES.toSorted()).toEqual(Object.keys(given).toSorted());
});

test("any options together: the study has the value of each, and the default of the rest", async () => {
  const calls = fc
    .subarray(NAMES)
    .chain((names) =>
      fc.tuple(...names.map((of) => given[of].map((written) => [of, written] as const))),
    );
  await fc.assert(
    fc.asyncProperty(calls, async (options) => {
      const { recipe } = await studyOf(options.flatMap(([, { words }]) => words));
      expect(recipe).toEqual({
        ...FALLBACKS,
        ...Object.fromEntries(options.map(([of, { value }]) => [of, value])),
      });
    }),
  );
});

/** Options that mean nothing where all is trained. */
const OF_FROZEN: readonly RecipeName[] = ["unfreeze", "frozenBatchNorm"];
const aroundOf = (of: RecipeName) => (OF_FROZEN.includes(of) ? ["--train-from", "layer4"] : []);

describe.each(NAMES)("%s", (of) => {
  const around = aroundOf(of);

  test("is recorded as it is, or as text that says it, and resumed where it is the same", async () => {
    await fc.assert(
      fc.asyncProperty(given[of], async ({ words }) => {
        const { recipe } = await studyOf([...around, ...words]);
        const recorded = recordOf(recipe);
        const again = recordOf((await studyOf([...words, ...around])).recipe);
        expect(() => checkSame("run", recorded, again)).not.toThrow();
      }),
      { numRuns: 20 },
    );
  });

  test("changed, or left out, is what a resumption misses", async () => {
    const without = recordOf((await studyOf(around)).recipe);
    await fc.assert(
      fc.asyncProperty(given[of], given[of], async (a, b) => {
        const [first, second] = await Promise.all(
          [a, b].map(async ({ words }) => recordOf((await studyOf([...around, ...words])).recipe)),
        );
        if (JSON.stringify(a.value) !== JSON.stringify(b.value))
          expect(() => checkSame("run", first!, second!)).toThrow(`protocol.${of}`);
        // "evaluate", say, is what happens without it.
        const unsaid = of === "frozenBatchNorm" ? "evaluate" : FALLBACKS[of];
        if (a.value !== unsaid)
          expect(() => checkSame("run", first!, without)).toThrow(`protocol.${of}`);
      }),
      { numRuns: 20 },
    );
  });
});
