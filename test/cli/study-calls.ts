/** @file Command lines of studies for tests: values of every flag, what each needs beside it, and the study that a call asks for. */

import fc from "fast-check";
import { commands } from "../../src/cli/commands/index.ts";
import { type Command, flagName } from "../../src/cli/flags/define-command.ts";
import { parseArguments } from "../../src/cli/flags/parse.ts";
import type { AskedStudy } from "../../src/cli/flags/study-of-flags.ts";

export const STUDY_COMMANDS = commands.filter(({ study }) => study !== undefined);

/** Flags that ask for nothing of a study: where it goes, how it is shown, what is gone on with. */
export const ASIDE: ReadonlySet<string> = new Set([
  ...["out", "json", "resume", "stretch", "continue", "saveAs"],
  ...[
    "dryRun",
    "quiet",
    "verbose",
    "events",
    "live",
    "executor",
    "slurmOptions",
    "slurmSetup",
    "lease",
    "address",
    "mixed",
  ],
]);

/** The study of a call. @throws ArgumentError where the call is refused */
export async function studyOfCall(argv: readonly string[]): Promise<AskedStudy> {
  const silent = { write: () => true, columns: 80 };
  const call = parseArguments(argv, { commands, version: "0", stdout: silent });
  if (call === "printed" || !call.command.study) throw new Error(`no study: ${argv.join(" ")}`);
  return call.command.study(call as never);
}

const number = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true }).map(String);
const count = (min: number, max: number) => fc.integer({ min, max }).map(String);
const one = (...words: string[]) => fc.constantFrom(...words);

/** A path as people have them: spaces, quotes, letters of every script. */
const path = (end: string) =>
  fc
    .string({ unit: fc.constantFrom(..."abc 'é花$\"\\-="), minLength: 1, maxLength: 8 })
    .map((name) => `./x${name}${end}`);

const SCHEDULES = ["none", "clr", "triangular2", "exp_range", "cosine", "sgdr", "plateau"];
const SPECS = [
  "warmup-cosine",
  "cosine:peak=0.1,steps=90",
  "sequence:10=(linear:from=0,to=0.1,steps=10),90=(constant:lr=0.1)",
  '{"type":"constant","rate":0.02}',
  "plateau:factor=0.5,patience=3",
];
const ARMS = [
  ...[
    "sgd",
    "sgd+clr",
    "adam",
    "adamw(beta2=0.95)+clr(stepSize=4e)@0.01",
    "rmsprop@1e-3",
    "adam+cosine@3e-4",
    "sgd+sgdr@0.1",
    "adamw+clr",
  ],
  "sgd+(sequence:10=(linear:from=0,to=0.1,steps=10),90=(constant:lr=0.1))",
];
const scales = fc
  .uniqueArray(fc.constantFrom("features", "classifier", "features.0"), { minLength: 1 })
  .chain((names) => fc.tuple(...names.map((name) => number(0, 3).map((x) => `${name}=${x}`))))
  .map((parts) => parts.join(","));

/** Values of each flag, by camel-case name; of a switch nothing. */
export const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  optimizer: one("sgd", "rmsprop", "sgd(nesterov,momentum=0.8)"),
  optimizers: fc
    .uniqueArray(one(...ARMS), { minLength: 1, maxLength: 4 })
    .map((arms) => [...new Set(["sgd+clr", ...arms])].join(",")),
  schedule: one(...SCHEDULES, ...SPECS),
  lr: number(1e-5, 1),
  maxLr: number(0.5, 2),
  baseLr: number(1e-4, 0.4),
  stepSize: one("216", "1", "4e", "2.5e", "0.5e"),
  momentumSchedule: one("none", "inverse", "linear:from=0.5,to=0.9,steps=8", SPECS[3]!),
  from: number(1e-7, 1e-3),
  to: number(1e-2, 10),
  stopFactor: number(1.5, 9),
  ramp: one("exponential", "linear"),
  rule: one("minimum/10", "steepest", "valley", "slide", "elbow"),
  loss: one("train", "validation"),
  lossEvery: count(1, 9),
  smoothing: one("proportional", "published", "bias-corrected", "none"),
  updates: count(20, 900),
  finderUpdates: count(20, 900),
  confirmEpochs: count(1, 4),
  tuneEpochs: count(1, 4),
  learningRates: one("defaults", "range-test"),
  finderSeeds: count(1, 4),
  sensitivity: one("3", "5"),
  targets: one("0.5", "0.6,0.75"),
  protocol: one("flowers-2019"),
  keep: one("best", "last", "none"),
  time: one("90s", "20m", "0.5h", "1e-3s"),
  targetAccuracy: number(0.1, 0.9),
  evalEvery: count(1, 4),
  earlyStopping: count(1, 9),
  prune: one("3", "halving", "asha", "median", "none"),
  reduction: count(2, 5),
  grace: count(1, 4),
  finalists: count(1, 3),
  maxTrials: count(1, 99),
  maxHours: number(0.1, 99),
  test: number(0.05, 0.2),
  seed: count(0, 4_294_967_000),
  seeds: count(1, 9),
  epochs: count(1, 2000),
  model: fc.oneof(one("vanilla", "resnet18"), path(".mjs")),
  pretrained: fc.oneof(one("imagenet"), path(".safetensors")),
  cacheFeatures: count(1, 4),
  size: count(8, 256),
  limit: count(1, 500),
  validation: number(0.05, 0.5),
  splitSeed: count(0, 99),
  threads: count(2, 9),
  augment: one("default", "none"),
  copies: one("keep", "leave-out"),
  momentum: number(0, 0.99),
  weightDecay: number(0, 0.1),
  memory: one("2G", "800M", "12345"),
  jobs: count(1, 2),
  batch: count(1, 256),
  accumulate: count(1, 4),
  precision: one("fp32", "bf16"),
  clip: number(0.1, 9),
  clipValue: number(0.1, 9),
  labelSmoothing: number(0, 0.9),
  trainFrom: one("head", "layer4", "all"),
  unfreeze: one("layer3@5", "layer3@5,layer2@10"),
  frozenBatchNorm: one("evaluate", "train"),
  lrScale: scales,
  decayScale: scales,
  average: one("ema", "swa"),
  averageDecay: number(0.5, 0.9999),
  classWeights: one("balanced"),
};

/** What a flag has no effect without. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  lossEvery: ["--loss", "validation"],
  confirmEpochs: ["--confirm"],
  tuneEpochs: ["--tune"],
  averageDecay: ["--average", "ema"],
  reduction: ["--prune", "asha"],
  grace: ["--prune", "halving"],
  finalists: ["--prune", "median"],
  time: ["--epochs", "3"],
  targetAccuracy: ["--epochs", "3"],
};

/** And of one run: a schedule that it belongs to. */
const NEEDS_OF_TRAIN: Readonly<Record<string, readonly string[]>> = {
  maxLr: ["--schedule", "clr"],
  baseLr: ["--schedule", "clr"],
  stepSize: ["--schedule", "clr"],
  momentumSchedule: ["--schedule", "clr", "--momentum", "0.9"],
  from: ["--schedule", "clr"],
  to: ["--schedule", "clr"],
  published: ["--schedule", "clr"],
  finderUpdates: ["--schedule", "clr"],
  force: ["--schedule", "clr"],
  ...NEEDS,
};

const NEEDS_OF_FIND: typeof NEEDS = { ...NEEDS, force: ["--confirm"], schedule: ["--tune"] };

export const flagsOf = (command: Command): string[] =>
  Object.keys(command.flags).filter((key) => !ASIDE.has(key));

/** The words of some flags of a command, with what they need; a flag that is named twice is left as it was. */
export function callOf(command: Command, keys: readonly string[]): fc.Arbitrary<string[]> {
  const needs = { train: NEEDS_OF_TRAIN, find: NEEDS_OF_FIND }[command.name] ?? NEEDS;
  const words = keys.map((key) => {
    const flag = command.flags[key]!;
    const name = flagName(key, flag);
    const value = VALUES[key];
    if (flag.kind === "switch") return fc.constant([name]);
    if (!value) throw new Error(`test/cli/study-calls.ts: VALUES lacks the flag ${name}`);
    // A specification says its rates itself.
    const named = key === "schedule" && command.name === "find" ? one(...SCHEDULES) : value;
    return named.map((text) => [name, text]);
  });
  const source = command.args.length === 0 ? fc.constant([]) : path("").map((text) => [text]);
  return fc.tuple(source, ...words).map(([first, ...rest]) => {
    const given = new Set(keys.map((key) => flagName(key, command.flags[key]!)));
    const added: string[] = [];
    for (const key of keys) {
      const more = needs[key] ?? [];
      for (let i = 0; i < more.length; ) {
        const length = more[i + 1]?.startsWith("--") === false ? 2 : 1;
        if (!given.has(more[i]!)) added.push(...more.slice(i, i + length));
        given.add(more[i]!);
        i += length;
      }
    }
    return [command.name, ...first!, ...rest.flat(), ...added];
  });
}
