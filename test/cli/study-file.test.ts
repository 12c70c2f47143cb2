/** @file Studies as files: written, read as the same, with flags laid over them; and the schema that editors take. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { parseArguments } from "../../src/cli/flags/parse.ts";
import { callOfStudyFile } from "../../src/cli/flags/study-file-flags.ts";
import { studySchema } from "../../src/cli/study-schema.ts";
import { ArgumentError } from "../../src/core/errors.ts";
import { readRun } from "../../src/store/index.ts";
import { plannedStudy } from "../../src/study/open-study.ts";
import { readStudyFile, writeStudyFile } from "../../src/study/study-file.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { root } from "../house/rooms.ts";
import { cli } from "./run-cli.ts";
import { callOf, flagsOf, STUDY_COMMANDS, studyOfCall } from "./study-calls.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();

async function planned(argv: readonly string[]) {
  const { study, opening } = await studyOfCall(argv);
  return plannedStudy(study, opening);
}

const silent = { write: () => true, columns: 80 };

/** The study of a call whose SOURCE is a file, as its command makes it. */
async function studyOfFileCall(argv: readonly string[]) {
  const call = parseArguments(argv, { commands, version: "0", stdout: silent });
  if (call === "printed") throw new Error(argv.join(" "));
  const { asked, ...laid } = await callOfStudyFile(call);
  const { study, opening } = asked ?? (await laid.command.study!(laid as never));
  return plannedStudy(study, opening);
}

const file = (name: string, study: object) => {
  mkdirSync(within("."), { recursive: true });
  const path = within(name);
  writeFileSync(path, JSON.stringify(study));
  return path;
};

const MINIMAL = {
  ...{ formatVersion: 2, kind: "train", source: "mnist" },
  ...{ optimizers: ["adam@0.01"], seeds: [0], epochs: 3 },
};

describe.each(
  STUDY_COMMANDS.filter(({ name }) => name !== "demo").map((c) => [c.name, c] as const),
)("%s", (name, command) => {
  test("whatever can be asked for is read from its file as it was written", async () => {
    let accepted = 0;
    const keys = flagsOf(command);
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(keys, { maxLength: 12 }).chain((some) => callOf(command, some)),
        async (argv) => {
          let asked: Awaited<ReturnType<typeof planned>>;
          try {
            asked = await planned(argv);
          } catch (error) {
            if (error instanceof ArgumentError) return;
            throw error;
          }
          accepted += 1;
          const path = within(`studies/${name}.json`);
          mkdirSync(within("studies"), { recursive: true });
          writeStudyFile(path, asked.spec, asked.places);
          const { study, places } = readStudyFile(path);
          const again = await plannedStudy(study, { places });
          expect(again.spec).toEqual(asked.spec);
          for (const key of ["source", "model", "pretrained"] as const) {
            const [was, is] = [asked.places[key], again.places[key]];
            if (was !== is) expect(resolve(is!)).toBe(resolve(was!));
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(accepted).toBeGreaterThan(10);
  });

  test("flags over a file are the same as in the call that it was made of", async () => {
    const source = ["mnist"];
    const path = within(`${name}-over.json`);
    mkdirSync(within("."), { recursive: true });
    const base = [name, ...source, "--batch", "32", "--seed", "4"];
    const first = await planned(base);
    writeStudyFile(path, first.spec, first.places);
    for (const over of [
      ["--batch", "16"],
      ["--limit", "9", "--epochs", "5"],
      ["--seed", "0"],
    ])
      expect((await studyOfFileCall([name, path, ...over])).spec).toEqual(
        (
          await planned([
            ...base.filter((word, i) => !over.includes(word) && !over.includes(base[i - 1]!)),
            ...over,
          ])
        ).spec,
      );
  });
});

test("a file says little: what is not in it has the command line's defaults", async () => {
  const path = file("little.json", MINIMAL);
  const { spec } = await studyOfFileCall(["train", path]);
  const same = ["train", "mnist", "--optimizer", "adam", "--lr", "0.01", "--epochs", "3"];
  expect({ ...spec, stepSize: undefined }).toEqual({
    ...(await planned(same)).spec,
    stepSize: undefined,
  });
});

test("paths are seen from the file's own folder", () => {
  const path = file("photos.json", { ...MINIMAL, source: "photos", model: "./net.mjs" });
  const { study, places } = readStudyFile(path);
  expect([study.source, study.model]).toEqual([null, null]);
  expect(resolve(places.source)).toBe(resolve(within("photos")));
  expect(resolve(places.model)).toBe(resolve(within("net.mjs")));
  const nearby = readStudyFile(relative(".", path)).places;
  expect(resolve(nearby.source)).toBe(resolve(within("photos")));
});

describe("arms of files", () => {
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
  const own = (folder: string) => {
    mkdirSync(within(folder), { recursive: true });
    writeFileSync(within(`${folder}/mine.ts`), OPTIMIZER);
    return within(`${folder}/mine.ts`);
  };

  test("are found from the file's own folder, whatever theirs is called, and are what they were", async () => {
    const mine = own("own (1)/a+b@c");
    const asked = await planned(["compare", "mnist", "--optimizers", `adam,${own("plain")}@0.2`]);
    const moved = { ...asked.places, files: { "mine.ts": relative(".", mine) } };
    mkdirSync(within("saved"), { recursive: true });
    const path = within("saved/study.json");
    writeStudyFile(path, asked.spec, moved);
    const text = readFileSync(path, "utf8");
    expect(text).toContain('"path": "../own (1)/a+b@c/mine.ts"');
    expect(text).not.toContain(within("."));
    const { study, places } = readStudyFile(path);
    expect(study.optimizers).toEqual(["adam", "mine.ts@0.2"]);
    expect(resolve(places.files!["mine.ts"]!)).toBe(mine);
    expect((await plannedStudy(study, { places })).spec).toEqual(asked.spec);
    // With a flag over it too.
    const flat = within("saved/flat.json");
    writeStudyFile(flat, asked.spec, asked.places);
    const over = await studyOfFileCall(["compare", flat, "--epochs", "7"]);
    expect(over.spec).toMatchObject({ epochs: 7, files: asked.spec.files });

    writeFileSync(mine, OPTIMIZER.replace("0.5", "0.6"));
    await expect(plannedStudy(study, { places })).rejects.toThrow(
      "mine.ts: the file with the optimizer is not what it was when the study was saved",
    );
  });

  test("may stand in the arms of one that was written by hand, without a hash", async () => {
    own("hand/lib");
    const path = file("hand/study.json", {
      ...MINIMAL,
      ...{ kind: "compare", optimizers: ["./lib/mine.ts(damping=0.2)+cosine@0.1", "adam"] },
    });
    const { study, places } = readStudyFile(path);
    expect(study.optimizers[0]).toBe("mine.ts(damping=0.2)+cosine@0.1");
    expect((await plannedStudy(study, { places })).spec.files).toEqual([
      { name: "mine.ts", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    const wrong = file("hand/wrong.json", { ...MINIMAL, files: [{ name: "mine.ts", sha: "" }] });
    expect(() => readStudyFile(wrong)).toThrow(/wrong\.json: .*sha/);
  });
});

describe("what is wrong is named, with the file", () => {
  test.each([
    [{ epocs: 3 }, 'a study has no field "epocs"; did you mean "epochs"?'],
    [{ data: { sise: 9 } }, 'data has no field "sise"; did you mean "size"?'],
    [{ recipe: { bach: 9 } }, 'recipe has no field "bach"'],
    [{ epochs: 0 }, "epochs: "],
    [{ kind: "demo" }, "kind: "],
  ])("%j", (change, message) => {
    const path = file("wrong.json", { ...MINIMAL, ...change });
    expect(() => readStudyFile(path)).toThrow(message);
    expect(() => readStudyFile(path)).toThrow(path);
  });

  test("no JSON, another command's, one to go on with, one that no flags say", async () => {
    const path = file("none.json", MINIMAL);
    expect((await cli(["compare", path])).stderr).toContain(`run it by lrscope train ${path}`);
    expect((await cli(["train", path, "--resume", "x"])).stderr).toContain("leave one of them out");
    const own = file("own.json", { ...MINIMAL, modelOptions: { hidden: 8 } });
    expect((await cli(["train", own, "--batch", "9"])).stderr).toContain(
      `--batch cannot be laid over ${own}, as train has no flag for modelOptions`,
    );
    writeFileSync(path, "{");
    expect((await cli(["train", path])).stderr).toContain(`${path}: is no JSON`);
    expect((await cli(["train", "mnist", "--save-as", "study"])).stderr).toContain("--save-as");
  });
});

test("the schema that is published is made of the one that reads", () => {
  const published = readFileSync(join(root, "schemas/study.json"), "utf8");
  const now = `${JSON.stringify(studySchema(), null, 2)}\n`;
  expect(
    published === now,
    "schemas/study.json is out of date: node scripts/study-schema.mjs",
  ).toBe(true);
  const { properties } = studySchema() as { properties: Record<string, { description?: string }> };
  expect(
    Object.entries(properties)
      .filter(([, { description }]) => !description)
      .map(([k]) => k),
  ).toEqual(["$schema"]);
});

const absent = engineAbsent();
test.skipIf(absent)(
  "a study is saved, run by its file, and a flag over it is in its records",
  async () => {
    const path = within("saved.json");
    mkdirSync(within("."), { recursive: true });
    const asked = ["train", ...TINY_FLAGS, "--optimizer", "adam", "--threads", "1", "--no-samples"];
    const runsHere = () =>
      existsSync("lrscope-runs")
        ? readdirSync("lrscope-runs").filter((name) => name.startsWith("train-"))
        : [];
    const before = runsHere();
    const saved = await cli([...asked, "--epochs", "3", "--save-as", path]);
    expect([saved.code, saved.stdout]).toEqual([
      0,
      expect.stringContaining(`lrscope train ${path}`),
    ]);
    // It runs nothing.
    expect(runsHere()).toEqual(before);
    const out = within("of-file");
    const run = await cli(["train", path, "--epochs", "1", "--out", out]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toContain("with --epochs over it");
    const { specification } = readRun(out).experiment;
    expect(specification).toEqual((await planned([...asked, "--epochs", "1"])).spec);
  },
  300_000,
);
