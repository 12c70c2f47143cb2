import { beforeAll, describe, expect, test } from "vitest";
import { summarize } from "../../src/analysis/index.ts";
import {
  formatSummaryTable,
  type RenderedReport,
  type ReportInput,
  renderReport,
} from "../../src/report/index.ts";
import { protocol } from "../../studies/flowers-2019/index.ts";
import {
  fakeComparison,
  fakeConfusions,
  fakeExperiment,
  fakeSamples,
  fakeTrials,
} from "./fake-records.ts";
import { xmlFault } from "./xml.ts";

const ids = ({ html }: RenderedReport) =>
  [...html.matchAll(/<section id="([^"]+)"/g)].map((match) => match[1]);
/** The page without its scripts, and they. */
function apart(page: string): { page: string; scripts: string[] } {
  const scripts: string[] = [];
  const rest = page.replace(/<script[^>]*>(.*?)<\/script>/gs, (_, text) => {
    scripts.push(text);
    return "";
  });
  return { page: rest, scripts };
}
const headline = ({ html }: RenderedReport) => /<h1>(.*?)<\/h1>/s.exec(html)?.[1];

describe("a comparison", () => {
  const input: ReportInput = {
    ...fakeComparison({ diverged: { rmsprop: [4, 3, 5], adagrad: [null, 6, null] } }),
    samples: fakeSamples(),
    confusions: fakeConfusions(),
  };
  /** As a run that follows the protocol of flowers-2019 is rendered. */
  function render({ experiment, trials, ...rest }: ReportInput): Promise<RenderedReport> {
    const published = protocol.compare(experiment, trials)!;
    const summary = summarize(experiment, trials, { published });
    const sections = [protocol.section(published)!];
    return renderReport({ ...rest, experiment, trials, summary }, { sections });
  }
  let report: RenderedReport;
  beforeAll(async () => {
    report = await render(input);
  });

  test("has every section and figure", () => {
    expect(ids(report)).toEqual([
      "results",
      "differences",
      "targets",
      "curves",
      "publication",
      "per-class",
      "range-tests",
      "learning-rate",
      "data",
      "samples",
      "protocol",
      "reproduce",
    ]);
    expect(Object.keys(report.figures).sort()).toEqual([
      "accuracy-training-interval.svg",
      "accuracy-training.svg",
      "accuracy-validation-interval.svg",
      "accuracy-validation.svg",
      "classes.svg",
      "confusion-adam.svg",
      "final-accuracy.svg",
      "learning-rate.svg",
      "loss-training-interval.svg",
      "loss-training.svg",
      "loss-validation-interval.svg",
      "loss-validation.svg",
      "paired-differences.svg",
      "publication.svg",
      "range-test-sgd-clr-loss.svg",
      "range-test-sgd-clr-rate.svg",
      "time-to-target-epochs.svg",
      "time-to-target-seconds.svg",
    ]);
  });

  test("every arm is in the table, in both accuracy figures and in Markdown", () => {
    for (const { name } of input.experiment.arms) {
      expect(report.html).toContain(`</i>${name}</th>`);
      expect(report.figures["accuracy-validation.svg"]).toContain(`>${name}`);
      expect(report.figures["accuracy-training.svg"]).toContain(`>${name}`);
      expect(report.markdownTable).toContain(`| ${name} |`);
    }
  });

  test("answers in a sentence with the numbers of the summary", () => {
    const best = summarize(input.experiment, input.trials).optimizers.find(
      ({ name }) => name === "sgd+clr",
    )!;
    const mean = (best.finalValidationAccuracy.mean! * 100).toFixed(1);
    expect(headline(report)).toContain("sgd+clr has the highest mean validation accuracy");
    expect(headline(report)).toContain(`${mean} ± `);
    expect(report.html).toContain("adagrad diverged on 1 of 3 seeds and rmsprop on all 3 seeds.");
  });

  test("diverged trials are told with update and rate, broken files by name", () => {
    expect(report.html).toContain("rmsprop, seed 1: diverged at update 142 (epoch 3)");
    expect(report.html).toContain("tulip/short.jpg: the JPEG ends early");
  });

  test("asks for nothing outside itself", () => {
    const { page, scripts } = apart(report.html);
    for (const script of scripts)
      expect(script).not.toMatch(/fetch\(|XMLHttp|import\(|WebSocket|sendBeacon|\.src\s*=/);
    expect(scripts.join("").replaceAll('"http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:/);
    for (const text of [page, ...Object.values(report.figures)]) {
      const withoutNames = text.replaceAll('xmlns="http://www.w3.org/2000/svg"', "");
      const found = /https?:|[("']\/\/[a-z]|@import|<link|<script|url\((?!#)/i.exec(withoutNames);
      expect(found?.[0]).toBeUndefined();
    }
    expect(
      [...report.html.matchAll(/src="([^"]{0,11})/g)].every((m) => m[1] === "data:image/"),
    ).toBe(true);
  });

  test("no value that is not a number reaches a figure", () => {
    const fault = /NaN|undefined|Infinity|\[object/;
    for (const svg of Object.values(report.figures)) expect(svg.match(fault)).toBeNull();
    expect(apart(report.html).page.match(fault)).toBeNull();
  });

  test("figures are well-formed, have their own colours, and dark ones", () => {
    for (const [name, svg] of Object.entries(report.figures)) {
      expect(xmlFault(svg), name).toBeNull();
      expect(svg).not.toContain("var(");
      expect(svg).toContain("prefers-color-scheme: dark");
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="\d+" height="\d+"/);
    }
  });

  test("ids are unique in the page, and every reference has its target", () => {
    const found = [...report.html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(found).size).toBe(found.length);
    for (const [, target] of report.html.matchAll(/url\(#([^)]+)\)/g))
      expect(found).toContain(target);
  });

  test("the same input gives the same bytes", async () => {
    expect(await render(structuredClone(input))).toEqual(report);
  });

  test("a summary that is given is used as it is", async () => {
    const summary = summarize(input.experiment, input.trials);
    summary.optimizers[0]!.msPerStep = 4321;
    expect((await renderReport({ ...input, summary })).markdownTable).toContain("| 4321 |");
  });
});

test("18 trials of 150 epochs stay under 3 MB", async () => {
  const { html } = await renderReport(fakeComparison({ epochs: 150 }));
  expect(html.length).toBeLessThan(3e6);
}, 60_000);

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

describe("hostile text", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;'\u0007`;
  test("is shown, never run, wherever a record may carry it", async () => {
    const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 2, epochs: 2 });
    const { experiment } = input;
    experiment.dataset.name = hostile;
    experiment.model.name = hostile;
    experiment.engine = hostile;
    experiment.protocol.augment = hostile;
    experiment.dataset.classes[0]!.name = hostile;
    experiment.dataset.broken = [{ file: hostile, reason: hostile }];
    experiment.arms.find((arm) => arm.name === "adam")!.name = hostile;
    input.rangeTests[0]!.arm = hostile;
    input.rangeTests[0]!.warnings.push(hostile);
    for (const { trial } of input.trials)
      if (trial.arm === "adam")
        Object.assign(trial, { arm: hostile, status: "failed", failure: hostile });
    const report = await renderReport({
      ...input,
      samples: [
        { className: hostile, original: `data:image/png;base64,AA${hostile}`, augmented: [] },
        {
          className: "b",
          original: "https://example.org/x.png",
          augmented: ["javascript:alert(1)"],
        },
      ],
    });
    const { page, scripts } = apart(report.html);
    // What stands in a script element as data is data: read, it is what the records held.
    const data = scripts.slice(0, -1).map((text) => JSON.parse(text));
    expect(JSON.stringify(data)).toContain("<script>alert(1)</script>");
    expect(scripts.at(-1)).not.toContain("alert(1)");
    for (const text of [page, ...Object.values(report.figures)]) {
      expect(/<script|<img src=x|javascript:|example\.org/i.exec(text)?.[0]).toBeUndefined();
    }
    expect(report.html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    for (const [name, svg] of Object.entries(report.figures))
      expect(xmlFault(svg), name).toBeNull();
    expect(report.markdownTable).not.toContain("<script");
  });
});

describe("in the terminal", () => {
  test("the table is aligned, best arm first", () => {
    const options = { diverged: { rmsprop: [2, 2, 2] } };
    const text = formatSummaryTable(summarize(fakeExperiment(options), fakeTrials(options)));
    const lines = text.split("\n");
    expect(lines).toHaveLength(7);
    expect(lines[0]).toMatch(/^arm +final accuracy +best epoch +last 10 epochs +learning rate/);
    expect(lines[1]).toMatch(/^sgd\+clr +\d\d\.\d ± \d\.\d% /);
    expect(lines[6]).toMatch(/^rmsprop +– .* 3 of 3$/);
    const ends = lines.map((line) => [...line.slice(0, line.indexOf("%") + 1)].length);
    expect(new Set(ends.slice(1, 6)).size).toBe(1);
  });
});
