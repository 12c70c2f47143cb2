/** @file evaluate: its numbers against those computed here in float64 from the probabilities that predict gives. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type EvaluationRecord, evaluationRecord } from "../../src/record/index.ts";
import { readRun } from "../../src/store/index.ts";
import { xmlFault } from "../report/xml.ts";
import { photoFolder } from "./photos.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();
const weights = () => within("run/trials/adam-0/best.safetensors");

type Evaluated = EvaluationRecord & { readonly report: string };

/** In the folders of `photos`, a quarter of them of each class. */
const IMAGES = 96;

let outputs = 0;
const evaluate = async (...args: string[]) => {
  const out = within(`evaluation-${outputs++}`);
  const { code, stderr, json } = await cli(["evaluate", ...args, "--out", out, "--json"]);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return { ...json<Evaluated>(), stderr, out };
};

const refused = async (...args: string[]) => {
  const { code, stderr } = await cli(["evaluate", ...args]);
  expect(code).toBe(2);
  return stderr;
};

/** Some of them under another part. */
const photos = (name: string, part: (index: number) => string = () => "") =>
  photoFolder(within(name), { each: IMAGES / 4, part });

describe.skipIf(absent)(`evaluate${absent ? ` (${absent})` : ""}`, () => {
  beforeAll(async () => {
    const call = ["train", "synthetic", "--size", "16", "--batch", "32", "--threads", "1"];
    const { code, stderr } = await cli([
      ...[...call, "--optimizer", "adam", "--epochs", "1"],
      ...["--no-samples", "--out", within("run")],
    ]);
    expect(`${code} ${stderr}`).toMatch(/^0 /);
  });

  test("accuracy, by class, confusion, loss and calibration", async () => {
    const folder = await photos("all");
    writeFileSync(join(folder, "ring/notes.txt"), "not a photo");
    const record = await evaluate(weights(), folder);
    const predicted = await cli(["predict", weights(), folder, "--top", "4", "--json"]);
    const { predictions } = predicted.json<{
      predictions: {
        file: string;
        top: { class: string; probability: number }[];
        reason?: string;
      }[];
    }>();
    const names = ["disc", "square", "ring", "bars"];
    const scored = predictions.filter(({ reason }) => reason === undefined);
    expect(scored).toHaveLength(IMAGES);
    const counts = names.map(() => names.map(() => 0));
    const bins = Array.from({ length: 15 }, () => ({ n: 0, sure: 0, right: 0 }));
    let loss = 0;
    for (const { file, top } of scored) {
      const truth = names.findIndex((name) => file.startsWith(join(folder, name)));
      const [first] = top;
      counts[truth]![names.indexOf(first!.class)]!++;
      loss -= Math.log(top.find((entry) => entry.class === names[truth])!.probability) / IMAGES;
      const bin = bins.findIndex((_, m) => first!.probability <= (m + 1) / 15)!;
      bins[bin]!.n++;
      bins[bin]!.sure += first!.probability;
      bins[bin]!.right += first!.class === names[truth] ? 1 : 0;
    }
    const right = names.reduce((sum, _, i) => sum + counts[i]![i]!, 0);
    // A network of one epoch is neither lost nor perfect, so that each number has something to say.
    expect(right).toBeGreaterThan(IMAGES / 4);
    expect(right).toBeLessThan(IMAGES);
    expect(record).toMatchObject({ source: "all", part: "all", images: IMAGES, right, counts });
    expect(record.accuracy).toBeCloseTo(right / IMAGES, 12);
    expect(record.loss).toBeCloseTo(loss, 6);
    const error = bins.reduce((sum, { sure, right }) => sum + Math.abs(sure - right), 0) / IMAGES;
    expect(record.calibration.error).toBeCloseTo(error, 9);
    for (const [i, score] of record.classes.entries()) {
      const answers = counts.reduce((sum, row) => sum + row[i]!, 0);
      expect(score).toMatchObject({ class: names[i], images: IMAGES / 4, answers });
      expect(score.accuracy).toBeCloseTo(counts[i]![i]! / (IMAGES / 4), 12);
      if (answers > 0) expect(score.precision).toBeCloseTo(counts[i]![i]! / answers, 12);
    }
    expect(record.balancedAccuracy).toBeCloseTo(right / IMAGES, 12);
    expect(record.leftOut).toEqual([
      { file: "ring/notes.txt", reason: expect.stringContaining("not an image in a format") },
    ]);
    const wrong = scored
      .filter(({ file, top }) => !file.startsWith(join(folder, top[0]!.class)))
      .map(({ top }) => top[0]!.probability)
      .sort((a, b) => b - a);
    expect(record.mistakes.map(({ probability }) => probability)).toEqual(wrong.slice(0, 12));
  });

  test("the page and its figures, self-contained; the record beside them", async () => {
    const { out, report, accuracy } = await evaluate(weights(), await photos("paged"));
    expect(report).toBe(join(out, "report.html"));
    const page = readFileSync(report, "utf8");
    expect(page).toContain(
      `<h1>${(accuracy * 100).toFixed(1)}% of ${IMAGES} images are answered rightly</h1>`,
    );
    for (const id of ["per-class", "calibration", "mistakes"])
      expect(page).toContain(`<section id="${id}">`);
    expect(page).not.toMatch(/(src|href)="(?!data:|#)/);
    for (const name of ["per-class", "confusion", "calibration"])
      expect(xmlFault(readFileSync(join(out, `figures/${name}.svg`), "utf8"))).toBeNull();
    const stored = evaluationRecord.parse(
      JSON.parse(readFileSync(join(out, "evaluation.json"), "utf8")),
    );
    expect(stored.mistakes[0]!.image).toMatch(/^data:image\/png;base64,/);
    const bare = await evaluate(weights(), within("paged"), "--no-samples");
    expect(readFileSync(bare.report, "utf8")).not.toContain("data:image");
  });

  test("parts: the test part, else the validation part, or the one that is said", async () => {
    const folder = await photos("parts", (i) => ["train", "val", "test", "test"][(i >> 2) % 4]!);
    expect(await evaluate(weights(), folder)).toMatchObject({ part: "test", images: IMAGES / 2 });
    expect(await evaluate(weights(), folder, "--part", "train")).toMatchObject({
      images: IMAGES / 4,
    });
    expect(await refused(weights(), "synthetic", "--part", "test")).toContain("has no test part");
    cpSync(weights(), within("copy.safetensors"));
    const whole = await evaluate(within("copy.safetensors"), "synthetic");
    expect(whole).toMatchObject({ part: "all", images: 256 });
    expect(whole.notes).toEqual([
      expect.stringMatching(/was trained on “synthetic”.* Give the directory of the run/),
    ]);
  });

  test("what training split by itself: the images that validated, or those that trained", async () => {
    const folder = await photos("own");
    writeFileSync(join(folder, "ring/torn.png"), "torn");
    cpSync(join(folder, "disc", readdirSync(join(folder, "disc"))[0]!), join(folder, "disc/b.png"));
    const run = within("own-run");
    const call = ["train", folder, "--size", "16", "--batch", "32", "--threads", "1"];
    const { code, stderr } = await cli([
      ...[...call, "--optimizer", "adam", "--epochs", "2", "--no-samples", "--out", run],
      ...["--limit", "20", "--test", "0.2", "--split-seed", "3", "--copies", "leave-out"],
    ]);
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    const { experiment, trials } = readRun(run);
    const { trial, metrics } = trials[0]!;
    const counts = (part: "train" | "validation" | "test") =>
      experiment.dataset.classes.reduce((sum, entry) => sum + (entry[part] ?? 0), 0);

    const tested = await evaluate(run, folder);
    expect(tested).toMatchObject({ part: "test", images: counts("test"), leftOut: [] });
    // What the trial itself found, as it trained: of other images neither number would be the same.
    expect(tested.accuracy).toBeCloseTo(trial.test!.accuracy!, 12);
    expect(tested.loss).toBeCloseTo(trial.test!.loss!, 5);
    const last = join(run, "trials/adam-0/last.safetensors");
    const validated = await evaluate(last, folder, "--part", "validation");
    expect(validated).toMatchObject({
      images: counts("validation"),
      split: { run: "own-run", train: counts("train"), test: counts("test") },
    });
    expect(validated.loss).toBeCloseTo(metrics.at(-1)!.validationLoss!, 5);
    expect(validated.notes[0]).toBe(
      `These are the images that validated in “own-run”, by its record, and by which its best weights were chosen; it trained on ${counts("train")} others.`,
    );
    const trained = await evaluate(last, folder, "--part", "train");
    expect(trained).toMatchObject({ images: counts("train") });
    // Beyond the limit, broken and left out: of no part, and still there.
    const all = await evaluate(last, folder, "--part", "all");
    expect(all.images).toBe(IMAGES + 1);
    expect(all.notes[0]).toContain(`trained on ${counts("train")} of these images`);
    const { stdout } = await cli(["evaluate", run, folder, "--out", within("said")]);
    expect(stdout).toMatch(/^own, test part of own-run: /);

    writeFileSync(join(folder, "ring/new.png"), readFileSync(join(folder, "disc/b.png")));
    expect(await refused(run, folder, "--part", "validation")).toMatch(
      /own: it has no validation part of its own, nor is it what the run trained on: .*; leave --part out/,
    );
    const { notes, part } = await evaluate(run, folder);
    expect([part, notes[0]]).toEqual(["all", expect.stringContaining("cannot be told: ")]);
  });

  test("classes: one that is unknown is refused, one without images is said", async () => {
    const folder = await photos("renamed");
    const [photo = ""] = readdirSync(join(folder, "ring"));
    mkdirSync(within("renamed/rings"));
    cpSync(join(folder, "ring", photo), within("renamed/rings/0.png"));
    expect(await refused(weights(), folder)).toMatch(
      /does not know 1 class of it: "rings"; did you mean "ring"\? \(it knows: disc, square, ring, bars\)/,
    );
    mkdirSync(within("one/ring"), { recursive: true });
    cpSync(join(folder, "ring", photo), within("one/ring/0.png"));
    const { images, notes, classes } = await evaluate(weights(), within("one"));
    expect(images).toBe(1);
    expect(notes).toEqual([
      "No image is of 3 classes that the network knows: disc, square and bars.",
    ]);
    expect(classes.map(({ accuracy }) => accuracy === null)).toEqual([true, true, false, true]);
  });

  test("what cannot be scored", async () => {
    mkdirSync(within("broken/ring"), { recursive: true });
    writeFileSync(within("broken/ring/a.png"), "torn");
    expect(await refused(weights(), within("broken"))).toContain("none of its 1 files can be used");
    expect(await refused(within("nowhere"), within("broken"))).toContain("no checkpoint");
    expect(await refused(weights(), within("nowhere"))).toContain("there is no such folder");
    expect(await refused(weights(), "synthetic", "--out", within("run"))).toContain("--out");
    expect(existsSync(within("lrscope-runs"))).toBe(false);
  });
});
