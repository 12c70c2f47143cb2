/** @file predict takes what training takes, says what it left out, and finds the weights of a run by itself. */

import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ranked } from "../../src/analysis/index.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { pathOfName } from "../../src/files/file-names.ts";
import { readRun } from "../../src/store/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();
const run = () => within("run");

interface Predicted {
  readonly weights: string;
  readonly predictions: readonly { file: string; top: { class: string }[]; reason?: string }[];
}

/** What it answers, and what it notes by the way. */
async function predict(checkpoint: string, ...args: string[]) {
  const { code, stderr, json } = await cli(["predict", checkpoint, ...args, "--json"]);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return { ...json<Predicted>(), stderr };
}

const refused = async (...args: string[]) => {
  const { code, stderr } = await cli(["predict", ...args]);
  expect(code).toBe(2);
  return stderr;
};

describe.skipIf(absent)(`predict${absent ? ` (${absent})` : ""}`, () => {
  beforeAll(async () => {
    const call = ["compare", "synthetic", "--size", "16", "--limit", "40", "--threads", "1"];
    const arms = ["--optimizers", "sgd@1e-9,adam", "--seeds", "2", "--epochs", "3"];
    const { code, stderr } = await cli([...call, ...arms, "--no-samples", "--out", run()]);
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    const dataset = await openDataset("synthetic", { size: 16, limit: 6 });
    mkdirSync(within("photos/deep/er"), { recursive: true });
    const names = ["a.jpg", "b", "c.jpe", "d.JPG", "deep/e.heif", "deep/er/f.jpg.bak"];
    for (const [i, name] of names.entries())
      writeFileSync(within(`photos/${name}`), await dataset.png(i));
    dataset.close();
  });

  const names = ["a.jpg", "b", "c.jpe", "d.JPG", "deep/e.heif", "deep/er/f.jpg.bak"];
  const weights = (trial: string, kept = "best") =>
    join(run(), "trials", trial, `${kept}.safetensors`);

  test("every file of a folder, by its content, whatever it is called", async () => {
    const { predictions } = await predict(weights("adam-0"), within("photos"));
    expect(predictions.map(({ file }) => file)).toEqual(
      names.map((name) => within(`photos/${name}`)),
    );
    const each = names.map((name) => within(`photos/${name}`));
    expect((await predict(weights("adam-0"), ...each)).predictions).toEqual(predictions);
  });

  test("what is no image is named, with the reason", async () => {
    cpSync(within("photos"), within("mixed"), { recursive: true });
    writeFileSync(within("mixed/notes.txt"), "Taken in May.\n");
    writeFileSync(within("mixed/empty.png"), "");
    const { code, stdout } = await cli(["predict", weights("adam-0"), within("mixed")]);
    expect(code).toBe(0);
    expect(stdout).toContain("2 files cannot be used and are left out:");
    expect(stdout).toContain(`  ${within("mixed/empty.png")}: empty file (0 bytes)`);
    expect(stdout).toContain(`  ${within("mixed/notes.txt")}: not an image in a format`);
    expect(stdout.match(/\d%/g)!.length).toBeGreaterThanOrEqual(6);
  });

  test.skipIf(process.platform === "darwin")("a name that is no UTF-8", async () => {
    mkdirSync(within("bytes"));
    cpSync(within("photos/b"), within("bytes/x"));
    renameSync(within("bytes/x"), pathOfName(`${within("bytes")}/Caf\udce9`));
    const { predictions } = await predict(weights("adam-0"), within("bytes"));
    expect(predictions).toMatchObject([{ file: `${within("bytes")}/Caf\\xe9` }]);
    expect(predictions[0]!.reason).toBeUndefined();
  });

  test("a source whose images are no files: by its name, and as a folder of IDX files", async () => {
    const { predictions } = await predict(weights("adam-0"), "synthetic");
    expect(predictions).toHaveLength(256);
    expect(predictions[17]!.file).toBe("synthetic#17");
    mkdirSync(within("idx"));
    const idx = (magic: number, extents: number[], data: Buffer) =>
      Buffer.concat([
        ...[magic, ...extents].map((value) => Buffer.from(Uint32Array.of(value).buffer).swap32()),
        data,
      ]);
    writeFileSync(
      within("idx/train-images-idx3-ubyte"),
      idx(0x803, [3, 5, 4], Buffer.alloc(60, 9)),
    );
    writeFileSync(within("idx/train-labels-idx1-ubyte"), idx(0x801, [3], Buffer.from([0, 1, 1])));
    const digits = (await predict(weights("adam-0"), within("idx"))).predictions;
    expect(digits.map(({ file }) => file)).toEqual(["idx#0", "idx#1", "idx#2"]);
    expect(digits[0]!.top).toEqual(digits[2]!.top);
  });

  test("of a run, the arm that leads and its best seed, unless they are said", async () => {
    const { summary, trials } = readRun(run());
    expect(ranked(summary!.optimizers)[0]!.name).toBe("adam");
    const accuracy = (seed: number) =>
      Math.max(
        ...trials
          .find(({ trial }) => trial.arm === "adam" && trial.seed === seed)!
          .metrics.map((line) => line.validationAccuracy!),
      );
    const bestSeed = accuracy(1) > accuracy(0) ? 1 : 0;
    const own = await predict(run(), within("photos"));
    expect(own.weights).toBe(weights(`adam-${bestSeed}`));
    expect(own.stderr).toContain(`(arm adam, seed ${bestSeed}; it leads by final validation`);
    expect(own.predictions).toEqual(
      (await predict(weights(`adam-${bestSeed}`), within("photos"))).predictions,
    );
    const chosen = await predict(run(), within("photos"), "--arm", "sgd@1e-9", "--seed", "1");
    expect(chosen.weights).toBe(weights("sgd-1e-9-1"));
    expect((await predict(join(run(), "trials/adam-1"), within("photos"))).weights).toBe(
      weights("adam-1"),
    );

    const models = { run: within("of-run.onnx"), trial: within("of-trial.onnx") };
    const exported = await cli(["export", run(), models.run, "--json"]);
    expect(exported.json<Predicted>().weights).toBe(own.weights);
    expect(exported.stderr).toContain(`(arm adam, seed ${bestSeed}; it leads by final validation`);
    expect((await cli(["export", own.weights, models.trial])).code).toBe(0);
    expect(readFileSync(models.run)).toEqual(readFileSync(models.trial));
    const said = await cli(["export", run(), within("x.onnx"), "--arm", "sgd@1e-9", "--json"]);
    expect(said.json<Predicted>().weights).toMatch(/sgd-1e-9-\d.best\.safetensors$/);
    const lacking = await cli(["export", within("nothing"), within("y.onnx")]);
    expect([lacking.code, lacking.stderr]).toEqual([2, expect.stringContaining("export: no ")]);
  });

  test("weights that a run lacks", async () => {
    const photo = within("photos/b");
    expect(await refused(run(), photo, "--arm", "adma")).toMatch(
      /has no arm "adma" with weights; did you mean "adam"\? \(it has: /,
    );
    expect(await refused(run(), photo, "--seed", "7")).toMatch(
      /no weights of adam with seed 7 \(it has: 0, 1\)/,
    );
    expect(await refused(weights("adam-0"), photo, "--arm", "adam")).toContain(
      "--arm chooses among the trials of a run",
    );
    expect(await refused(within("photos"), photo)).toContain("neither a run directory");
    cpSync(run(), within("bare"), { recursive: true });
    for (const { trial } of readRun(run()).trials)
      rmSync(within(`bare/trials/${trial.slug}-${trial.seed}/best.safetensors`));
    expect((await predict(within("bare"), photo)).weights).toMatch(/last\.safetensors$/);
    for (const { trial } of readRun(run()).trials)
      rmSync(within(`bare/trials/${trial.slug}-${trial.seed}/last.safetensors`));
    expect(await refused(within("bare"), photo)).toContain("keeps no weights");
  });
});
