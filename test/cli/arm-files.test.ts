/** @file Arms of files: `--optimizer ./mine.ts`, `sgd+./mine.ts`: what is recorded, gone on with and printed. */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandOfStudy } from "../../src/arms/study-command.ts";
import { readRun } from "../../src/store/index.ts";
import { namedArms } from "../../src/study/own-code/arm-files.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

const OPTIMIZER = `
import { defineOptimizer } from "lrscope/optimizers";
export const optimizer = defineOptimizer({
  name: "half-step",
  hyperparameters: { learningRate: 0.1, damping: 0.5 },
  state: () => ({}),
  update: ({ parameter, gradient, lr }, { damping }) => ({
    parameter: parameter.sub(gradient.mul(lr.mul(damping))),
  }),
});
`;
const SCHEDULE = `
import { defineSchedule } from "lrscope/schedules";
export const schedule = ({ rate, steps }: { rate: number; steps: number }) =>
  defineSchedule((t) => rate / (1 + Math.floor((4 * t) / steps)), { type: "stairs" });
`;
const SMALL = [...TINY_FLAGS, "--threads", "1", "--no-samples"];

describe("paths in arms", () => {
  test("are taken out of them, and said beside", () => {
    expect(
      namedArms(["./lib/mine.ts(damping=0.2)+cosine@0.1", "sgd+./stairs.mjs", "adam"]),
    ).toEqual({
      texts: ["mine.ts(damping=0.2)+cosine@0.1", "sgd+stairs.mjs", "adam"],
      places: { "mine.ts": "./lib/mine.ts", "stairs.mjs": "./stairs.mjs" },
    });
    expect(() => namedArms(["./a/mine.ts", "./b/mine.ts"])).toThrow("have one name");
    expect(namedArms(["mine.ts@1"], { "mine.ts": "/x/mine.ts" }).places).toEqual({
      "mine.ts": "/x/mine.ts",
    });
  });
});

describe.skipIf(absent)(`arms of files${absent ? ` (${absent})` : ""}`, () => {
  test("train, are recorded without a path, repeated with one, and gone on with where they lie", async () => {
    const folder = within("my files");
    mkdirSync(folder);
    const [optimizer, schedule] = [join(folder, "mine.ts"), join(folder, "stairs.ts")];
    writeFileSync(optimizer, OPTIMIZER);
    writeFileSync(schedule, SCHEDULE);
    const out = within("run");
    const arms = `${optimizer}(damping=0.2)+${schedule}@0.4,sgd+${schedule}@0.1`;
    const call = ["compare", ...SMALL, "--optimizers", arms, "--seeds", "1", "--epochs", "2"];
    const result = await cli([...call, "--out", out, "--json"]);
    expect(result.stderr).not.toContain("internal");
    expect(result.code).toBe(0);
    const { experiment, trials } = readRun(out);
    expect(experiment.arms.map(({ name }) => name)).toEqual([
      "mine.ts(damping=0.2)+stairs.ts@0.4",
      "sgd+stairs.ts@0.1",
    ]);
    expect(JSON.stringify(experiment)).not.toContain("my files");
    const [own] = trials;
    expect(own!.trial).toMatchObject({
      status: "done",
      optimizer: { name: "mine.ts", hyperparameters: { damping: 0.2 } },
      schedule: { type: "piecewise" },
    });
    const { updatesPerEpoch } = own!.trial;
    expect(own!.metrics.at(-1)!.lr).toBe(
      0.4 / (1 + Math.floor((4 * (2 * updatesPerEpoch - 1)) / (2 * updatesPerEpoch))),
    );

    // The command that repeats it names the files where it is run, or where they are known to lie.
    const { words } = commandOfStudy(experiment.specification!);
    expect(words!.join(" ")).toContain(
      "--optimizers ./mine.ts(damping=0.2)+./stairs.ts@0.4,sgd+./stairs.ts@0.1",
    );
    const html = await cli(["report", out]);
    expect(html.code).toBe(0);

    // Of a run that is to be gone on with, the files are found by their content.
    rmSync(join(out, "trials", `${trials[1]!.trial.slug}-0`), { recursive: true });
    expect((await cli(["compare", "--resume", out, "--json"])).code).toBe(0);
    expect(readRun(out).trials.map(({ trial }) => trial.status)).toEqual(["done", "done"]);

    rmSync(join(out, "trials", `${trials[1]!.trial.slug}-0`), { recursive: true });
    renameSync(optimizer, join(folder, "gone.ts"));
    const lost = await cli(["compare", "--resume", out]);
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain(
      "the file mine.ts, which its arms are made of, is not where it was",
    );
    writeFileSync(optimizer, OPTIMIZER.replace("0.5", "0.6"));
    const other = await cli(["compare", "--resume", out]);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("mine.ts: the file with the optimizer is not what it was");
  });

  test("are added to a run that is gone on with, by their names and hashes", async () => {
    const folder = within("added");
    mkdirSync(join(folder, "other"), { recursive: true });
    const [first, second] = [join(folder, "first.ts"), join(folder, "second.ts")];
    writeFileSync(first, OPTIMIZER);
    writeFileSync(second, OPTIMIZER.replace("0.5", "0.25"));
    const out = within("extended");
    const call = ["compare", ...SMALL, "--seeds", "1", "--epochs", "1"];
    expect((await cli([...call, "--optimizers", `${first}@0.1,sgd`, "--out", out])).code).toBe(0);
    const before = readFileSync(join(out, "experiment.json"), "utf8");

    // What cannot begin is refused before a word of it is written.
    writeFileSync(join(folder, "other/first.ts"), OPTIMIZER.replace("0.5", "0.75"));
    for (const [arms, why] of [
      [join(folder, "missing.ts"), "there is no such file"],
      [
        `${join(folder, "other/first.ts")}@0.3`,
        "first.ts: the file with the optimizer is not what",
      ],
      ["nosuch", "nosuch"],
    ] as const) {
      const refused = await cli(["compare", "--resume", out, "--optimizers", arms]);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(why)]);
      expect(readFileSync(join(out, "experiment.json"), "utf8")).toBe(before);
    }

    const more = await cli(["compare", "--resume", out, "--optimizers", `${second}@0.2`, "--json"]);
    expect(`${more.code} ${more.stderr}`).toMatch(/^0 /);
    const { experiment, trials } = readRun(out);
    expect(experiment.arms.map(({ name }) => name)).toEqual([
      "first.ts@0.1",
      "sgd",
      "second.ts@0.2",
    ]);
    expect(experiment.specification!.files!.map(({ name }) => name)).toEqual([
      "first.ts",
      "second.ts",
    ]);
    expect(JSON.stringify(experiment)).not.toContain(folder);
    expect(trials.map(({ trial }) => trial.status)).toEqual(["done", "done", "done"]);
  });

  test.each([
    ["--optimizer", "export const other = 1;", 'must be a file that exports "optimizer"'],
    ["--schedule", "export const other = 1;", 'must be a file that exports "schedule"'],
    ["--optimizer", "throw new Error('on purpose');", "the file cannot be run: on purpose"],
  ])("%s with %s is refused", async (flag, text, message) => {
    const file = within("wrong.ts");
    writeFileSync(file, text);
    const { code, stderr } = await cli(["train", ...SMALL, flag, file]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    const missing = await cli(["train", ...SMALL, flag, "./not-there.ts"]);
    expect(missing.stderr).toContain("there is no such file");
  });
});
