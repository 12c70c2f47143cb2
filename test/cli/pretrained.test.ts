/**
 * @file Weights of one folder of photos for another: the last layer goes by the names of the classes, and how it
 * begins is said in the terminal, the records and the report.
 */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/open.ts";
import { readRun } from "../../src/store/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();
const SMALL = ["--size", "16", "--batch", "8", "--threads", "1", "--augment", "none"];

/** The synthetic images as files, a folder a class. */
async function photosOf(names: readonly string[], folder: string): Promise<void> {
  const dataset = await openDataset("synthetic", { size: 16, limit: 20 });
  for (const [index, label] of dataset.labels.entries()) {
    const images = join(folder, names[label]!);
    mkdirSync(images, { recursive: true });
    writeFileSync(join(images, `${index}.png`), await dataset.png(index));
  }
  dataset.close();
}

describe.skipIf(absent)(`weights of another folder${absent ? ` (${absent})` : ""}`, () => {
  let best: string;
  beforeAll(async () => {
    await photosOf(["a", "b", "c", "d"], within("all"));
    const out = within("first");
    const first = await cli([
      ...["train", within("all"), ...SMALL, "--epochs", "8", "--optimizer", "adam", "--out", out],
    ]);
    expect(first.code, first.stderr).toBe(0);
    expect(accuracyOf(out)).toBeGreaterThan(0.9);
    best = join(out, "trials/adam-0/best.safetensors");
    for (const name of ["c", "b"])
      cpSync(join(within("all"), name), join(within("two"), name), { recursive: true });
    for (const [from, to] of [
      ["a", "z"],
      ["b", "y"],
      ["c", "x"],
      ["d", "w"],
    ] as const)
      cpSync(join(within("all"), from), join(within("others"), to), { recursive: true });
  });

  /** In the last epoch. */
  const accuracyOf = (out: string) => readRun(out).trials[0]!.metrics.at(-1)!.validationAccuracy;

  test.each([
    ["all", "as-stored", "the last layer is kept: its classes are these"],
    ["two", "by-class", "rows are taken by the names of the classes"],
    ["others", "other-classes", "the last layer is of other classes there, and begins anew"],
  ])("%s: %s", async (folder, lastLayer, words) => {
    const out = within(`from-${folder}`);
    const { code, stderr } = await cli([
      ...["train", within(folder), ...SMALL, "--epochs", "1", "--optimizer", "sgd"],
      ...["--lr", "1e-12", "--pretrained", best, "--out", out],
    ]);
    expect(code, stderr).toBe(0);
    if (lastLayer !== "as-stored") expect(stderr).toContain(words);
    expect(readRun(out).experiment.model.pretrained).toMatchObject({ lastLayer });
    expect(readFileSync(join(out, "report.html"), "utf8").replaceAll("&#39;", "'")).toContain(
      words,
    );
    // At such a rate it is as good as it was, unless its last layer is another.
    if (lastLayer !== "other-classes")
      expect(accuracyOf(out)).toBeGreaterThanOrEqual(accuracyOf(within("first"))!);
  });
});
