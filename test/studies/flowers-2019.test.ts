/**
 * @file The study that repeats "Adaptive and Cyclical Learning Rates using PyTorch" (2019): its numbers, what
 * a comparison that follows it is asked for, and that nothing shows them unless it is asked to.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { summarize } from "../../src/analysis/index.ts";
import { type ExperimentRecord, experimentRecord, summaryRecord } from "../../src/record/index.ts";
import { renderReport } from "../../src/report/index.ts";
import { createRunDirectory } from "../../src/store/index.ts";
import { defaultsOf, following } from "../../src/study/protocols.ts";
import { comparePublished } from "../../studies/flowers-2019/comparison.ts";
import {
  EXPERIMENTS,
  experimentOf,
  publishedCurves,
  publishedOptimizer,
} from "../../studies/flowers-2019/curves.ts";
import { protocol } from "../../studies/flowers-2019/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { base, trial } from "../report/measured.ts";

describe("the article's numbers", () => {
  test("its best accuracies are those that it reports", () => {
    const best = Object.fromEntries(
      publishedCurves("vanilla").map(({ optimizer, runs }) => [
        optimizer,
        runs.map((run) => Number(Math.max(...run).toFixed(3))),
      ]),
    );
    expect(best["sgd+clr"]).toEqual([0.815, 0.822, 0.83]);
    expect(best.rmsprop).toEqual([0.736, 0.705, 0.74]);
    expect(publishedCurves("transfer").map(({ runs }) => runs.length)).toEqual(Array(6).fill(2));
  });

  const logs = new URL("../../../shared/reference/flowers-2019-logs.json", import.meta.url);
  const here = existsSync(logs);
  test.skipIf(!here)(`every epoch of the logs${here ? "" : " (which are not here)"}`, () => {
    const original = JSON.parse(readFileSync(logs, "utf8"));
    for (const [kind, key] of [
      ["vanilla", "vanilla_cnn_150_epochs"],
      ["transfer", "resnet34_transfer_100_epochs"],
    ] as const)
      for (const { optimizer, runs, trainAccuracy } of publishedCurves(kind)) {
        const logged = original[key][optimizer] as { val_acc: number[]; train_acc: number[] }[];
        expect(runs).toHaveLength(logged.length);
        for (const [i, run] of runs.entries())
          for (const [epoch, value] of run.entries())
            expect(Math.abs(value - logged[i]!.val_acc[epoch]!)).toBeLessThan(1e-6);
        for (const [epoch, value] of trainAccuracy.entries()) {
          const wanted =
            logged.reduce((sum, run) => sum + run.train_acc[epoch]!, 0) / logged.length;
          expect(Math.abs(value - wanted)).toBeLessThan(5.01e-4);
        }
      }
  });

  test("which experiment: five flowers, plural or not, and the model", () => {
    const refused = (names: readonly string[], model: string) =>
      protocol.refusal({
        dataset: {
          ...base.dataset,
          classes: names.map((name) => ({ name, count: 1, train: 1, validation: 0 })),
        },
        model: { name: model, parameters: 1 },
      });
    const flowers = ["tulips", "daisy", "Dandelion", "roses", "sunflower"];
    expect(experimentOf("vanilla")).toBe("vanilla");
    expect(experimentOf("vanilla_2019")).toBe("vanilla");
    expect(experimentOf("resnet34")).toBe("transfer");
    expect(experimentOf("efficientnet_lite0")).toBe("transfer");
    expect(refused(flowers, "vanilla")).toBeNull();
    expect(refused(flowers, "resnet34")).toBeNull();
    expect(refused(flowers, "resnet18")).toBe(
      "its models are vanilla_2019, vanilla, resnet34 and, in the place of that, efficientnet_lite0; this one is resnet18",
    );
    expect(refused([...flowers, "orchid"], "vanilla")).toBe(
      "its classes are daisy, dandelion, rose, sunflower, tulip; those of flowers are others",
    );
  });

  test("which optimizer: at its published rate, without a schedule but for sgd+clr", () => {
    const arm = (optimizer: string, schedule: string | null, learningRate: number | null) =>
      publishedOptimizer({ name: "x", slug: "x", optimizer, schedule, learningRate });
    expect(arm("sgd", "clr", 0.01)).toBe("sgd+clr");
    expect(arm("sgd", null, null)).toBeNull();
    expect(arm("rmsprop", null, 1e-2)).toBe("rmsprop");
    expect(arm("rmsprop", null, 1e-3)).toBeNull();
    expect(arm("adam", "cosine", null)).toBeNull();
    expect(arm("lion", null, null)).toBeNull();
  });

  test("both read up to the same epoch, final and best", () => {
    const trials = [
      trial("adam", 1, [0.4, 0.7, 0.6]),
      trial("adam", 0, [0.2, 0.3, 0.5]),
      trial("adam", 2, [0.9], { status: "diverged" }),
    ];
    const { rows, notes } = comparePublished(base, trials)!;
    expect(rows).toHaveLength(1);
    const theirs = publishedCurves("vanilla").find(({ optimizer }) => optimizer === "adam")!.runs;
    expect(rows[0]).toMatchObject({ optimizer: "adam", arm: "adam", epochs: 3 });
    expect(rows[0]!.final.ours.values).toEqual([0.5, 0.6]);
    expect(rows[0]!.final.theirs.values).toEqual(theirs.map((run) => run[2]));
    expect(rows[0]!.best.ours.values).toEqual([0.5, 0.7]);
    const best = theirs.map((run) => Math.max(...run.slice(0, 3)));
    expect(rows[0]!.best.difference).toBeCloseTo(0.6 - best.reduce((a, b) => a + b) / 3, 12);
    expect(notes[0]).toContain("same epoch as ours (3); the publication went on to 150");
  });

  test("absent where no arm repeats one of its own", () => {
    const experiment = { ...base, model: { ...base.model, name: "resnet18" } };
    expect(comparePublished(experiment, [trial("adam", 0, [0.5])])).toBeNull();
    expect(comparePublished(base, [trial("lion", 0, [0.5])])).toBeNull();
    expect(comparePublished(base, [])).toBeNull();
  });
});

describe("what a comparison that follows it is asked for", () => {
  test("as the article's runs were made, but for what the call says", async () => {
    const { set, said } = await defaultsOf("flowers-2019", "vanilla", new Set(["seeds"]));
    expect(set).toEqual({
      model: "vanilla_2019",
      size: 224,
      optimizers: ["sgd+clr", "adagrad", "adadelta", "rmsprop", "adam", "adamax"],
      epochs: 150,
      batch: 64,
      validation: 0.2,
      published: true,
    });
    expect(said).toBe(
      "flowers-2019: model vanilla_2019, size 224, optimizers sgd+clr,adagrad,adadelta,rmsprop,adam,adamax, epochs 150, batch 64, validation 0.2, range tests as published, as in “Adaptive and Cyclical Learning Rates using PyTorch” (2019)",
    );
    const named = async (model: string) =>
      (await defaultsOf("flowers-2019", model, new Set(["model"]))).set;
    expect(await named("resnet34")).toMatchObject({ size: 224, epochs: 100, seeds: 2 });
    expect(await named("resnet34")).not.toHaveProperty("model");
    expect(await named("vanilla")).toMatchObject({ epochs: 150, seeds: 3 });
    expect(await defaultsOf(undefined, "vanilla", new Set())).toEqual({ set: {}, said: null });
  });

  test("epochs and seeds are those of the logs", () => {
    for (const kind of ["vanilla", "transfer"] as const)
      for (const { runs } of publishedCurves(kind)) {
        expect(runs).toHaveLength(EXPERIMENTS[kind].runs);
        for (const run of runs) expect(run).toHaveLength(EXPERIMENTS[kind].epochs);
      }
  });

  test("refused for a model with which the article made no experiment", async () => {
    await expect(defaultsOf("flowers-2019", "vgg11_bn", new Set(["model"]))).rejects.toThrow(
      "compare: --protocol flowers-2019 has no experiment with the model vgg11_bn; choose another --model, or leave out --protocol",
    );
  });
});

describe("what shows it", () => {
  const within = temporaryFolder();
  const fake = fakeComparison({ epochs: 3, seeds: 2 });
  /** A run on the article's flowers, with its arms, as compare leaves it. */
  function write(name: string, experiment: ExperimentRecord): string {
    const path = within(name);
    const directory = createRunDirectory(path, experiment);
    for (const record of fake.rangeTests) directory.writeRangeTest("sgd-clr", record);
    for (const { trial: record, metrics } of fake.trials) {
      directory.writeTrial(record);
      for (const line of metrics) directory.appendMetrics(record.slug, record.seed, line);
    }
    return path;
  }
  const summaryAt = (path: string) =>
    summaryRecord.parse(JSON.parse(readFileSync(join(path, "summary.json"), "utf8")));
  const pageAt = (path: string) => readFileSync(join(path, "report.html"), "utf8");

  test("names of classes alone do not, neither in a summary nor on a page", async () => {
    const summary = summarize(fake.experiment, fake.trials);
    expect(summary).not.toHaveProperty("published");
    const { html, figures } = await renderReport(fake);
    expect(html).not.toContain("publication");
    expect(figures).not.toHaveProperty("publication.svg");
    const path = write("unasked", fake.experiment);
    expect((await cli(["report", path])).stdout).not.toContain("publication");
    expect(summaryAt(path)).not.toHaveProperty("published");
    expect(pageAt(path)).not.toContain("publication");
  });

  test("a record that says it follows the protocol does; report --protocol does for one that does not", async () => {
    const said = write("said", following(fake, "flowers-2019").experiment);
    const asked = write("asked", fake.experiment);
    const one = await cli(["report", said]);
    const other = await cli(["report", asked, "--protocol", "flowers-2019"]);
    expect([one.code, other.code]).toEqual([0, 0]);
    for (const [path, { stdout }] of [
      [said, one],
      [asked, other],
    ] as const) {
      // As wide as the terminal lets it be.
      expect(stdout.replaceAll(/\s+/g, " ")).toContain(
        "Beside the publication (vanilla CNN from scratch, 150 epochs, 3 runs), up to epoch 3, in percent and points",
      );
      expect(stdout).toMatch(/^adam +\d\d\.\d ± \d\.\d +\d\d\.\d ± \d\.\d +[+-]\d/m);
      expect(pageAt(path)).toContain('<section id="publication"><h2>Beside the publication</h2>');
      expect(pageAt(path)).toContain("<dt>Protocol</dt><dd>flowers-2019</dd>");
      expect(existsSync(join(path, "figures", "publication.svg"))).toBe(true);
      expect(summaryAt(path).published).toEqual(comparePublished(fake.experiment, fake.trials));
    }
    expect(pageAt(said)).toBe(pageAt(asked));
  });

  test("of several runs, where each follows it", async () => {
    const paths = [
      write("first", following(fake, "flowers-2019").experiment),
      write("second", following(fake, "flowers-2019").experiment),
      write("third", fake.experiment),
    ];
    const shown = async (runs: readonly string[]) =>
      (await cli(["report", ...runs, "--out", within(`merged-${runs.length}`)])).stdout;
    expect(await shown(paths.slice(0, 2))).toContain("Beside the publication");
    expect(await shown(paths)).not.toContain("Beside the publication");
  });

  test("data or a model of another kind are refused; a protocol of a later version is passed over", async () => {
    const { experiment } = fake;
    const [, ...four] = experiment.dataset.classes;
    const path = write("others", {
      ...experiment,
      dataset: { ...experiment.dataset, classes: four },
    });
    const { code, stderr } = await cli(["report", path, "--protocol", "flowers-2019"]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      "report: --protocol flowers-2019 does not fit: its classes are daisy, dandelion, rose, sunflower, tulip; those of flowers are others; leave out --protocol",
    );
    const later = { ...experiment, protocol: { ...experiment.protocol, protocol: "later-2031" } };
    expect((await cli(["report", write("later", later)])).code).toBe(0);
    const unknown = await cli(["compare", "synthetic", "--protocol", "flowers-2020"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("--protocol");
  });

  const absent = engineAbsent();
  test.skipIf(absent)(
    `compare --protocol, from its own process${absent ? ` (${absent})` : ""}`,
    async () => {
      const photos = within("photos");
      for (const [index, name] of ["daisy", "dandelion", "rose", "sunflower", "tulip"].entries()) {
        mkdirSync(join(photos, name), { recursive: true });
        for (let i = 0; i < 5; i++) {
          const background = { r: 50 * index, g: 40 * i, b: 90 };
          const image = sharp({ create: { width: 16, height: 16, channels: 3, background } });
          writeFileSync(join(photos, name, `${i}.png`), await image.png().toBuffer());
        }
      }
      const words = [
        "compare",
        photos,
        "--protocol",
        "flowers-2019",
        "--size",
        "16",
        "--batch",
        "8",
      ];
      const out = within("followed");
      const { code, stdout, stderr } = await cli([
        ...[...words, "--optimizers", "adam", "--epochs", "1", "--seeds", "1", "--threads", "1"],
        ...["--out", out],
      ]);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain(
        "flowers-2019: model vanilla_2019, validation 0.2, range tests as published, as in “Adaptive",
      );
      expect(stdout).toContain("Beside the publication");
      const experiment = experimentRecord.parse(
        JSON.parse(readFileSync(join(out, "experiment.json"), "utf8")),
      );
      expect(experiment.model.name).toBe("vanilla_2019");
      expect(experiment.protocol).toMatchObject({ protocol: "flowers-2019", epochs: 1, batch: 8 });
      expect(summaryAt(out).published).toMatchObject({ rows: [{ arm: "adam", epochs: 1 }] });
      const other = await cli([...words.with(1, "synthetic"), "--out", within("refused")]);
      expect(other.code).toBe(2);
      expect(other.stderr).toContain("compare: --protocol flowers-2019 does not fit: its classes");
      expect(existsSync(within("refused"))).toBe(false);
    },
  );
});
