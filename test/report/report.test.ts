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

  test("a list of contents names every section, as its heading does, and leads there", () => {
    const [, list] = /<nav[^>]*class="contents"[^>]*>(.*?)<\/nav>/s.exec(report.html)!;
    const links = [...list!.matchAll(/<a href="#([^"]+)">(.*?)<\/a>/g)].map(([, id, of]) => [
      id,
      of,
    ]);
    const sections = [...report.html.matchAll(/<section id="([^"]+)"><h2>(.*?)<\/h2>/g)];
    expect(links).toEqual(sections.map(([, id, heading]) => [id, heading]));
    expect(links.map(([id]) => id)).toEqual(ids(report));
  });

  test("terms are explained in the section in which they stand", () => {
    const terms = (id: string) => {
      const from = report.html.indexOf(`<section id="${id}"`);
      const section = report.html.slice(from, report.html.indexOf("</section>", from));
      const found = [...section.matchAll(/<dl class="terms">(.*?)<\/dl>/gs)].map(
        ([, list]) => list,
      );
      return [...found.join("").matchAll(/<dt>(.*?)<\/dt><dd>(.+?)<\/dd>/g)].map(
        ([, term]) => term,
      );
    };
    expect(terms("results")).toEqual(["±", "95% interval", "gap", "area"]);
    expect(terms("differences")).toEqual([
      "point",
      "p",
      "sign-flip test",
      "Holm’s method",
      "power",
    ]);
    expect(terms("curves")).toEqual(["nat"]);
    expect(terms("protocol")).toEqual([]);
  });

  test("confusion matrices and mistakes are folded but for the leader's", async () => {
    const [own] = fakeConfusions();
    const of = ["rmsprop", "adam", "sgd+clr", "adamax"].map((arm) => ({ ...own!, arm }));
    const { html } = await render({ ...input, confusions: of });
    const from = html.indexOf('<section id="per-class"');
    const section = html.slice(from, html.indexOf("</section>", from));
    const open = section.replace(/<details>.*?<\/details>/gs, "");
    const matricesOf = (text: string) =>
      [
        ...new Set([...text.matchAll(/Confusion matrix of (.*?)\. /g)].map(([, arm]) => arm)),
      ].sort();
    const mistakesOf = (text: string) =>
      [...text.matchAll(/<h3>([^<]*): the surest mistakes<\/h3>/g)].map(([, arm]) => arm).sort();
    expect(matricesOf(section)).toEqual(["adam", "adamax", "rmsprop", "sgd+clr"]);
    expect(mistakesOf(section)).toEqual(["adam", "adamax", "rmsprop", "sgd+clr"]);
    expect(matricesOf(open)).toEqual(["sgd+clr"]);
    expect(mistakesOf(open)).toEqual(["sgd+clr"]);
    expect([...section.matchAll(/<summary>(.*?)<\/summary>/g)].map(([, text]) => text)).toEqual([
      "3 matrices of other arms",
      "The surest mistakes of 3 other arms",
    ]);
  });

  test("each class's accuracy and which are confused say of which epoch they are", async () => {
    const { experiment, trials } = input;
    const validationPerClass = experiment.dataset.classes.map((_, i) => i / 10);
    const counted = trials.map((history) => ({
      ...history,
      metrics: history.metrics.map((line) => ({ ...line, validationPerClass })),
    }));
    const { html } = await render({ ...input, trials: counted });
    expect(html).toContain("After the last epoch: a dot for each seed");
    expect(html).toMatch(/summed over seeds, each with the weights of its best epoch\./);
    expect(html).toContain("Images of the validation part, with the weights of the best epoch;");
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
