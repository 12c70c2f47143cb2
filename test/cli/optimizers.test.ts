/** @file The command line knows every optimizer: in help texts, and as arms of a comparison. */

import { describe, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { optimizerNames } from "../../src/optimizers/index.ts";
import type { SummaryRecord } from "../../src/record/index.ts";
import { compare } from "../../src/study/compare.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

test.each(["find", "train", "explain"])("%s --help names them all", async (command) => {
  const { code, stdout } = await cli([command, "--help"]);
  expect(code).toBe(0);
  const words = stdout.split(/[\s,]+/);
  for (const name of optimizerNames) expect(words).toContain(name);
});

test.each([
  [["--average", "mean"], "train: --average must be one of ema, swa"],
  [["--average-decay", "0.9"], "train: --average-decay has no effect without --average ema"],
  [["--lr-scale", "features"], "train: --lr-scale must be NAME=NUMBER"],
  [["--lr-scale", "features=-1"], "train: --lr-scale must be NAME=NUMBER"],
  [["--unfreeze", "layer3"], "train: --unfreeze must be MODULE@EPOCH"],
  [["--unfreeze", "layer3@0"], "train: --unfreeze must be MODULE@EPOCH"],
  [["--unfreeze", "layer3@2@3"], "train: --unfreeze must be MODULE@EPOCH"],
  [["--unfreeze", "features@2"], "--unfreeze has no effect where nothing is frozen"],
  [["--clip-value", "0"], "train: --clip-value must be a positive number"],
  [["--optimizer", "sam-adma"], 'no optimizer "adma"; did you mean "adam"?'],
])("refuses %j", async (flags, message) => {
  const result = await cli(["train", "synthetic", ...flags]);
  expect(result.code).toBe(2);
  expect(result.stderr).toContain(message);
});

describe.skipIf(absent)(`compare${absent ? ` (${absent})` : ""}`, () => {
  test("trains with each at its default rate, and with momentum where there is one", async () => {
    const rates = { momentum: 0.5, weightDecay: 1e-3 };
    // All in this process: of the command line, whose trials are processes, three say as much.
    const dataset = await openDataset("synthetic", { size: 16, threads: 1 });
    const network = vanilla({ classes: 4, channels: 3, size: 16 });
    const { trials, summary } = await compare({
      ...{ dataset, network, backend: nativeBackend({ threads: 1 }), threads: 1, batch: 32 },
      ...{ optimizers: optimizerNames, epochs: 1, seeds: [0], ...rates },
    });
    dataset.close();
    expect(trials.map(({ trial }) => trial.failure)).toEqual(optimizerNames.map(() => null));
    expect(summary.optimizers.map(({ name }) => name).sort()).toEqual([...optimizerNames].sort());
    for (const { name, diverged } of summary.optimizers) expect(diverged, name).toBe(0);

    const some = ["sgd", "adam", "lion"];
    const result = await cli([
      ...["compare", "synthetic", "--size", "16", "--batch", "32", "--threads", "1"],
      ...["--optimizers", some.join(","), "--momentum", "0.5", "--weight-decay", "1e-3"],
      ...["--epochs", "1", "--seeds", "1", "--out", within("all"), "--no-samples", "--json"],
    ]);
    expect(result.stderr).not.toContain("failed");
    expect(result.code).toBe(0);
    const { optimizers } = result.json<SummaryRecord>();
    expect(optimizers.map(({ name }) => name).sort()).toEqual([...some].sort());
    // The same numbers as in one process.
    for (const arm of optimizers) {
      const inProcess = summary.optimizers.find(({ name }) => name === arm.name)!;
      expect(arm.finalValidationAccuracy).toEqual(inProcess.finalValidationAccuracy);
    }
  });

  test("train: averages, snapshots, groups and clipping by flag, in the records", async () => {
    const result = await cli([
      ...["train", "synthetic", "--size", "16", "--batch", "32", "--threads", "1"],
      ...["--optimizer", "sam-sgd", "--schedule", "clr", "--max-lr", "0.01", "--step-size", "1e"],
      ...["--epochs", "4", "--average", "swa", "--snapshots", "--clip-value", "1"],
      ...["--lr-scale", "features=0.1", "--decay-scale", "features=0.5,classifier=0"],
      ...["--no-decay-on-bias", "--out", within("averaged"), "--no-samples", "--json"],
    ]);
    expect(result.stderr).not.toContain("failed");
    expect(result.code).toBe(0);
    const { trial, metrics, protocol } = result.json<{
      trial: object;
      metrics: { averagedValidationAccuracy?: number; ensembleSnapshots?: number }[];
      protocol: object;
    }>();
    expect(trial).toMatchObject({ arm: "sam-sgd+clr", average: { kind: "swa" }, snapshots: true });
    expect(metrics.at(-1)!.averagedValidationAccuracy).toBeGreaterThanOrEqual(0);
    expect(metrics.at(-1)!.ensembleSnapshots).toBe(2);
    expect(protocol).toMatchObject({
      clipValue: 1,
      decayBiasesAndNorms: false,
      parameterGroups: [
        { prefix: "features", learningRateScale: 0.1, weightDecayScale: 0.5 },
        { prefix: "classifier", weightDecayScale: 0 },
      ],
    });
  });
});
