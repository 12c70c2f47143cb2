/** @file Reports of what is not whole: interrupted, failed, one seed, one epoch, hundreds of classes, or nothing at all. */

import { describe, expect, test } from "vitest";
import type { TrialHistory } from "../../src/record/index.ts";
import { type RenderedReport, renderReport } from "../../src/report/index.ts";
import { fakeComparison, fakeExperiment, fakeTrials } from "./fake-records.ts";

const ids = ({ html }: RenderedReport) =>
  [...html.matchAll(/<section id="([^"]+)"/g)].map((match) => match[1]);
const headline = ({ html }: RenderedReport) => /<h1>(.*?)<\/h1>/s.exec(html)?.[1];

describe("partial records", () => {
  const nothing = { summary: null, rangeTests: [], trials: [], samples: [] };

  test("what a feature cache cost stands apart; notes stand above the results", async () => {
    const options = { arms: ["adam"], seeds: 1, epochs: 2 };
    const experiment = {
      ...fakeExperiment(options),
      features: { views: 4, bytes: 3 * 2 ** 20, seconds: 75 },
    };
    const { trials } = fakeComparison(options);
    trials[0]!.trial.status = "failed";
    trials[0]!.trial.failure = "its process crashed (SIGSEGV)";
    const { html } = await renderReport({ ...nothing, experiment, trials });
    expect(html).toContain(
      "4 views of each training image, 3.0 MiB; made in 1 min 15 s, which no trial’s time contains",
    );
    expect(html).toContain(
      "<li>1 of 1 trial failed: adam, seed 0, its process crashed (SIGSEGV).</li>",
    );
  });

  test.each([
    ["by-class", "the last layer&#39;s rows are taken by the names of the classes"],
    ["unnamed", "the last layer is kept as it is: the file does not name its classes"],
    ["as-stored", "the last layer is kept: its classes are these"],
    ["other-width", "the last layer has another width there, and begins anew"],
    [undefined, "w.pth (SHA-256 0123abcd ...)</dd>"],
  ] as const)("where the weights came from, and the last layer: %s", async (lastLayer, words) => {
    const experiment = fakeExperiment({ arms: ["adam"], seeds: 1, epochs: 1 });
    const pretrained = { source: "w.pth", sha256: "0123abcdef", ...(lastLayer && { lastLayer }) };
    const { html } = await renderReport({
      ...nothing,
      experiment: { ...experiment, model: { ...experiment.model, pretrained } },
    });
    expect(html).toContain("<dt>Began from</dt><dd>w.pth (SHA-256 0123abcd ...)");
    expect(html).toContain(words);
  });

  test("one trial of one seed and one epoch", async () => {
    const options = { arms: ["adam"], seeds: 1, epochs: 1 };
    const report = await renderReport({
      ...nothing,
      experiment: fakeExperiment(options),
      trials: fakeTrials(options),
    });
    expect(headline(report)).toMatch(
      /^adam reached a validation accuracy of .* after 1 epoch \(one seed/,
    );
    expect(Object.keys(report.figures)).not.toContain("final-accuracy.svg");
  });

  test("trials under way, interrupted, failed and not begun", async () => {
    const options = { arms: ["adam", "adamax"], seeds: 2, epochs: 4 };
    const trials = fakeTrials(options).map(({ trial, metrics }, i) => ({
      trial: {
        ...trial,
        status: (["running", "interrupted", "failed", "running"] as const)[i]!,
        failure: i === 2 ? "the disk is full" : null,
        msPerStep: null,
      },
      metrics: metrics.slice(0, i === 3 ? 0 : 2),
    }));
    const report = await renderReport({ ...nothing, experiment: fakeExperiment(options), trials });
    expect(headline(report)).toBe("No trial is finished yet.");
    expect(report.html).toContain("adam is not finished on all 2 seeds");
    expect(report.html).toContain("adamax, seed 0: failed: the disk is full");
    expect(report.figures["accuracy-validation.svg"]).toContain(">adam");
  });

  test("one trial of many under way: its arm has more seeds than the one that it began", async () => {
    const options = { arms: ["adam", "adamax"], seeds: 3, epochs: 4 };
    const [{ trial, metrics }] = fakeTrials(options) as [TrialHistory];
    const report = await renderReport({
      ...{ ...nothing, experiment: fakeExperiment(options) },
      trials: [{ trial: { ...trial, status: "interrupted" }, metrics: metrics.slice(0, 2) }],
    });
    expect(report.html).toContain("adam is not finished on the one seed that it began.");
    expect(report.html).toContain("0 of 6 trials are finished");
  });

  test("targets that are reached within a second are told apart in seconds", async () => {
    const options = { arms: ["adam"], seeds: 1, epochs: 6 };
    const trials = fakeTrials(options).map(({ trial, metrics }) => ({
      trial,
      metrics: metrics.map((line, i) => ({
        ...{ ...line, validationAccuracy: 0.3 + 0.1 * i },
        ...{ seconds: 0.04, validationSeconds: 0.01 },
      })),
    }));
    const report = await renderReport({ ...nothing, experiment: fakeExperiment(options), trials });
    const figure = report.figures["time-to-target-seconds.svg"]!;
    expect(figure).toMatch(/>0\.\d+</);
    expect(figure).not.toMatch(/after 0 seconds/);
  });

  test("many arms at the level of guessing are counted, not named", async () => {
    const arms = ["adam", "adamax", "rmsprop", "adagrad", "adadelta", "sgd+clr"];
    const names = [...arms, ...arms.map((name) => `sam-${name}`)];
    const options = { arms, seeds: 3, epochs: 4 };
    const experiment = fakeExperiment(options);
    const all = (own: string, arm: string) =>
      fakeTrials(options)
        .filter(({ trial }) => trial.arm === own)
        .map(({ trial, metrics }) => ({
          trial: { ...trial, arm, slug: arm },
          metrics: metrics.map((line) => ({ ...line, validationAccuracy: 0.2 })),
        }));
    const { html } = await renderReport({
      ...nothing,
      experiment: {
        ...experiment,
        arms: names.map((name) => ({ ...experiment.arms[0]!, name, slug: name })),
      },
      trials: names.flatMap((name) => all(name.replace("sam-", ""), name)),
    });
    expect(html).toContain("All 12 arms are at the level of guessing");
    expect(html).toContain("find all 12 arms another learning rate");
  });

  test("every trial diverged in its first epoch", async () => {
    const options = { arms: ["adam"], seeds: 2, epochs: 4, diverged: { adam: [1, 1] } };
    const report = await renderReport({
      ...nothing,
      experiment: fakeExperiment(options),
      trials: fakeTrials(options),
    });
    expect(headline(report)).toContain("Every trial diverged");
    expect(report.figures).not.toHaveProperty("accuracy-validation.svg");
  });

  test("nothing but the experiment", async () => {
    const report = await renderReport({ ...nothing, experiment: fakeExperiment() });
    expect(ids(report)).toEqual(["data", "protocol", "reproduce"]);
  });

  test("a schedule of a kind unknown here is left out, not fatal", async () => {
    const options = { arms: ["adam"], seeds: 1, epochs: 2 };
    const trials = fakeTrials(options).map(({ trial, metrics }) => ({
      trial: { ...trial, schedule: { type: "my-own" } },
      metrics,
    }));
    const report = await renderReport({ ...nothing, experiment: fakeExperiment(options), trials });
    expect(ids(report)).not.toContain("learning-rate");
  });

  test("hundreds of classes", async () => {
    const experiment = fakeExperiment();
    experiment.dataset.classes = Array.from({ length: 300 }, (_, i) => ({
      name: `class ${i}`,
      count: 10 + i,
      train: 8 + i,
      validation: 2,
    }));
    const report = await renderReport({ ...nothing, experiment });
    expect(report.html).toContain("<li>class 299: 309</li>");
    expect(report.figures["classes.svg"]).toContain("300 classes");
  });
});
