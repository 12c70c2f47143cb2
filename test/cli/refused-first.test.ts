/**
 * @file Whatever can be refused is refused before the first epoch and before anything is written: calls
 * that only the network, the data or the length of an epoch show to be wrong leave no run directory.
 */

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { multipliesBf16 } from "../../src/engine/native/precision.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

/** 28 images to train on; by 16, two updates an epoch. */
const USUAL = { "--size": "16", "--limit": "9", "--batch": "16", "--threads": "1" };
const EPOCHS = { "--epochs": "2" };
const TINY = ["synthetic", ...Object.entries(USUAL).flat()];

const COMPARE: [words: string, message: RegExp][] = [
  [
    "--optimizers sgd+clr@0.02,adam --snapshots --step-size 1e --epochs 4",
    /arm "adam": snapshots: .* none/,
  ],
  [
    "--optimizers sgd+clr,adam --snapshots --step-size 1e --epochs 4",
    /arm "adam": snapshots: .* none/,
  ],
  [
    "--optimizers sgd+clr@0.02 --snapshots --step-size 5 --batch 4 --epochs 8",
    /arm "sgd\+clr@0.02": .* with an epoch/,
  ],
  ["--optimizers sgd+plateau --snapshots", /arm "sgd\+plateau": snapshots: .* none/],
  ["--optimizers adam --lr-scale nothing=0.1", /parameter group "nothing" matches no trainable/],
  ["--optimizers adam --decay-scale feat=0", /parameter group "feat" matches no trainable/],
  [
    "--optimizers adam --train-from head --lr-scale features=0.1",
    /"features" matches no trainable/,
  ],
  ["--optimizers adam --train-from layer9", /no module "layer9"/],
  ["--optimizers adam --unfreeze features@2", /--unfreeze has no effect where nothing is frozen/],
  ["--optimizers adam --train-from head --unfreeze features@9", /after the last of 2 epochs/],
  ["--optimizers adam --train-from head --unfreeze nothing@2", /no module "nothing"/],
  ["--optimizers adam --frozen-batch-norm train", /--frozen-batch-norm has no effect/],
  ["--optimizers adam --cache-features 2", /--cache-features cannot be used/],
  ["--optimizers adam --batch 10000", /batch must not exceed the training split/],
  ["--optimizers adam --accumulate 9 --drop-last", /Lower --accumulate/],
  ["--optimizers adam,sam-sgd --accumulate 2", /sam-sgd: it needs 2 gradients an update/],
  ["--optimizers adam --momentum-schedule constant:rate=1.5", /beta1 must stay below 1/],
  ["--optimizers sgd,adam --momentum-schedule nonsense", /schedule/],
  ["--optimizers adam --momentum 0.9", /--momentum has no effect/],
  ["--optimizers adam --max-lr 0.1", /--max-lr has no effect/],
  ["--optimizers sgd+clr@0.001 --base-lr 0.01", /baseLr must be below the upper bound 0.001/],
  ["--optimizers sgd+clr --max-lr 0.01 --base-lr 0.1", /--base-lr must be below --max-lr/],
  ["--optimizers sgd+clr --from 1 --to 0.1", /--from must be below --to/],
  ["--optimizers adam --rule steepest", /--rule has no effect/],
  ["--optimizers adam --average-decay 0.9", /--average-decay has no effect/],
  ["--optimizers adam@1e-3 --learning-rates range-test", /every arm has a rate of its own/],
  ["--optimizers adam+(cosineDecay:peak=1,steps=4) --sensitivity 3", /cannot be multiplied/],
  ["--optimizers adam+cosine --time 1m", /--epochs must be given beside --time/],
  ["--optimizers adam,adam", /named twice/],
  ["--optimizers adam --pretrained nowhere.safetensors", /no file "nowhere.safetensors"/],
  ["--optimizers adam --pretrained imagenet", /no weights are published for the model "vanilla"/],
  ["--optimizers adam --model resnet99", /resnet/],
  ["--optimizers adam --size 4", /features|pool|size/],
  ["--optimizers adam --memory 1K", /memory/],
  ["--optimizers adam --jobs 3 --threads 2 --seeds 3", /got 3 for 2/],
  ["--optimizers adam --test 0.99", /test|train/],
];
const TRAIN: typeof COMPARE = [
  ["--optimizer adam --snapshots", /arm "adam": snapshots: .* none/],
  ["--optimizer adam --lr-scale nothing=0.1", /parameter group "nothing"/],
  ["--optimizer sam-sgd --accumulate 2", /sam-sgd: it needs 2 gradients an update/],
  ["--optimizer sgd --schedule clr --max-lr 0.01 --base-lr 0.1", /--base-lr must be below/],
  ["--optimizer adam --train-from head --unfreeze features@9", /after the last of 2 epochs/],
  [
    "--optimizer sgd --momentum 0.5 --momentum-schedule constant:rate=1",
    /momentum must stay below/,
  ],
];
const FIND: typeof COMPARE = [
  ["--optimizer adam --lr-scale nothing=0.1", /parameter group "nothing"/],
  ["--optimizer sam-sgd --accumulate 2", /sam-sgd: it needs 2 gradients an update/],
  ["--epochs 1 --batch 28", /the ramp needs at least 2 updates; got 1/],
  ["--train-from layer9", /no module "layer9"/],
  ["--loss-every 2", /--loss-every has no effect/],
  ["--confirm-epochs 2", /--confirm-epochs has no effect/],
];

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const calls = (["compare", "train", "find"] as const).flatMap((command) =>
    ({ compare: COMPARE, train: TRAIN, find: FIND })[command].map(
      ([words, message]) => [command, words, message] as const,
    ),
  );

  test.each(calls)("%s %s", async (command, words, message) => {
    const given = words.split(" ");
    // A flag of the call takes the place of the usual one.
    const usual = { ...USUAL, ...(command === "find" || given.includes("--time") ? {} : EPOCHS) };
    const kept = Object.entries(usual).flatMap(([flag, value]) =>
      given.includes(flag) ? [] : [flag, value],
    );
    const all = ["synthetic", ...kept, "--no-samples"];
    const out = within(`${command}-${words.replaceAll(/\W+/g, "-")}`);
    const { code, stdout, stderr } = await cli([command, ...all, ...given, "--out", out]);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
    expect(existsSync(out)).toBe(false);
  });

  test.skipIf(multipliesBf16())("--precision bf16 where the processor lacks it", async () => {
    for (const command of ["compare", "train", "find"]) {
      const out = within(`bf16-${command}`);
      const { code } = await cli([command, ...TINY, "--precision", "bf16", "--out", out]);
      expect([code, existsSync(out)]).toEqual([2, false]);
    }
  });

  test("weights of another network", async () => {
    const out = within("weights");
    const train = ["train", ...TINY, "--optimizer", "adam", "--epochs", "1", "--no-samples"];
    expect((await cli([...train, "--out", out])).code).toBe(0);
    const weights = `${out}/trials/adam-0/best.safetensors`;
    for (const command of ["compare", "train", "find"]) {
      const refused = within(`weights-${command}`);
      const model = ["--model", "vgg11_bn", "--size", "32", "--pretrained", weights];
      const words = TINY.filter((word, i) => word !== "--size" && TINY[i - 1] !== "--size");
      const { code, stderr } = await cli([command, ...words, ...model, "--out", refused]);
      expect(stderr).toContain("its weights do not fit vgg11_bn");
      expect([code, existsSync(refused)]).toEqual([2, false]);
    }
  });

  test("find, killed: the same folder again says what can be done", async () => {
    const out = within("find");
    const controller = new AbortController();
    const call = ["find", ...TINY, "--epochs", "50", "--no-samples", "--out", out];
    const { code } = await cli(call, {
      signal: controller.signal,
      // Between the quick ramp and the one that is read: how fast they are does not matter.
      onOutput: (text) => /found its ends/.test(text) && controller.abort(),
    });
    expect(code).toBe(130);
    const again = await cli(call);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("already holds another experiment");
    expect(again.stderr).toContain(
      `go on with that one by lrscope find --resume ${out}, or choose a new folder with --out`,
    );
  });

  test("a comparison's folder again: how to go on with that one", async () => {
    const out = within("again");
    const call = [...TINY, "--epochs", "1", "--no-samples", "--out", out];
    expect((await cli(["train", ...call, "--optimizer", "adam"])).code).toBe(0);
    const { stderr } = await cli(["compare", ...call]);
    expect(stderr).toContain(`go on with that one by lrscope train --resume ${out}`);
    writeFileSync(`${out}/experiment.json`, "{");
    expect((await cli(["compare", ...call])).stderr).toContain("remove that folder, or choose");
    expect(readdirSync(out)).toContain("experiment.json");
  });
});
