/** @file The page: its sections in order, each left out where the records hold nothing for it. */

import type { ExperimentRecord, RangeTestRecord, SummaryRecord } from "../record/index.ts";
import { type Answer, sentence } from "./answer.ts";
import type { DrawnFigure } from "./draw.ts";
import type { ReportArm } from "./figures/arms.ts";
import { NAMED_CLASSES } from "./figures/classes.ts";
import { counted, formatRate, grouped, listed, percent } from "./format.ts";
import { html, type Markup, trusted } from "./html.ts";
import { styleSheet } from "./style.ts";
import { htmlTable } from "./table.ts";
import type { SampleImages } from "./types.ts";

/** A drawn figure and the sentence beneath it. */
export interface CaptionedFigure {
  readonly drawn: DrawnFigure;
  readonly caption: string;
}

export interface PageParts {
  readonly experiment: ExperimentRecord;
  readonly answer: Answer;
  readonly summary: SummaryRecord | null;
  readonly arms: readonly ReportArm[];
  readonly samples: readonly SampleImages[];
  readonly classes: CaptionedFigure | null;
  readonly rangeTests: readonly {
    readonly record: RangeTestRecord;
    readonly figures: readonly CaptionedFigure[];
  }[];
  readonly schedules: readonly CaptionedFigure[];
  readonly accuracies: readonly CaptionedFigure[];
  readonly finalAccuracy: CaptionedFigure | null;
}

export function page(parts: PageParts): string {
  const { experiment, answer } = parts;
  const title = `${experiment.dataset.name}, ${experiment.model.name}: ${experiment.kind}`;
  const sections = [
    resultsSection(parts),
    curvesSection(parts),
    rangeTestsSection(parts),
    schedulesSection(parts),
    dataSection(parts),
    samplesSection(parts),
    protocolSection(parts),
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${trusted(styleSheet)}</style></head>
<body><main>
<header><p class="kicker">${kicker(experiment)}</p>
<h1>${answer.headline}</h1>
${answer.details.length > 0 && html`<ul>${answer.details.map((text) => html`<li>${text}</li>`)}</ul>`}</header>
${sections.map((section) => section && html`${section}\n`)}</main>
<footer>lrscope ${experiment.lrscope}, ${experiment.created}</footer>
</body></html>
`.text;
}

const kicker = ({ kind, dataset, model }: ExperimentRecord) =>
  [
    `lrscope ${kind}`,
    dataset.name,
    `${grouped(dataset.images)} images at ${dataset.size}×${dataset.size}`,
    `${model.name}, ${grouped(model.parameters)} parameters`,
  ].join(" · ");

const figure = ({ drawn, caption }: CaptionedFigure) =>
  html`<figure>${trusted(drawn.inline)}${caption && html`<figcaption>${caption}</figcaption>`}</figure>\n`;

/** Full width each, but neighbours that take half of it side by side. */
const figures = (all: readonly CaptionedFigure[]): Markup => {
  const half = all.filter(({ drawn }) => drawn.half);
  return html`${all.filter(({ drawn }) => !drawn.half).map(figure)}${
    half.length > 0 && html`<div class="pair">${half.map(figure)}</div>`
  }`;
};

function resultsSection({ summary, arms, finalAccuracy }: PageParts): Markup | null {
  if (!summary || summary.optimizers.length === 0) return null;
  return html`<section id="results"><h2>Results</h2>
${finalAccuracy && figure(finalAccuracy)}${htmlTable(summary, arms)}
<p class="note">Validation accuracy: mean ± standard deviation over seeds (n − 1), each seed’s own value beneath. Final is the last epoch; best is each seed’s best epoch, which flatters every arm alike; ms/step is the median of the training steps. A seed that did not finish has no final value (–).</p></section>`;
}

function curvesSection({ accuracies }: PageParts): Markup | null {
  if (accuracies.length === 0) return null;
  return html`<section id="accuracy"><h2>Accuracy against epoch</h2>
${figures(accuracies)}</section>`;
}

function rangeTestsSection({ rangeTests }: PageParts): Markup | null {
  if (rangeTests.length === 0) return null;
  return html`<section id="range-tests"><h2>Learning-rate range test</h2>
${rangeTests.map(({ record, figures: drawn }) => {
  const half = drawn.filter((entry) => entry.drawn.half);
  return html`<h3>${record.arm}</h3>
<p>Over ${counted(record.epochs, "epoch")} the rate rose from ${formatRate(record.from)} to ${formatRate(record.to)}, ${counted(record.runs.length, "seed")}.</p>
${record.warnings.map((warning) => html`<p class="warn">${sentence(warning)}</p>`)}
${drawn.filter((entry) => !entry.drawn.half).map(figure)}
<div class="pair">${half.map(figure)}${rulesTable(record)}</div>`;
})}</section>`;
}

function rulesTable({ suggestions, suggestion }: RangeTestRecord): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Rules"><table>
<thead><tr><th scope="col">rule</th><th scope="col" class="num">upper bound</th></tr></thead>
<tbody>${Object.entries(suggestions).map(
    ([rule, rate]) =>
      html`<tr><th scope="row">${rule}${rule === suggestion.rule && " (used)"}</th><td class="num">${formatRate(rate)}</td></tr>`,
  )}</tbody></table></div>`;
}

function schedulesSection({ schedules }: PageParts): Markup | null {
  if (schedules.length === 0) return null;
  return html`<section id="schedules"><h2>Schedules</h2>
<p>The learning rate that each update was made with.</p>
${figures(schedules)}</section>`;
}

function dataSection({ experiment: { dataset }, classes }: PageParts): Markup {
  const train = dataset.classes.reduce((sum, entry) => sum + entry.train, 0);
  const validation = dataset.classes.reduce((sum, entry) => sum + entry.validation, 0);
  const most = [...dataset.classes].sort((a, b) => b.validation - a.validation)[0];
  return html`<section id="data"><h2>Data</h2>
<p>${counted(train, "training image")}, ${counted(validation, "validation image")}, ${counted(dataset.classes.length, "class")}.${
    most && validation > 0
      ? ` Always answering “${most.name}” would score ${percent(most.validation / validation)}.`
      : ""
  }</p>
${classes && figure(classes)}${
  dataset.classes.length > NAMED_CLASSES &&
  html`<details><summary>Images of each class</summary><ul>${dataset.classes.map(
    (entry) => html`<li>${entry.name}: ${grouped(entry.count)}</li>`,
  )}</ul></details>`
}</section>`;
}

function samplesSection({ samples, experiment }: PageParts): Markup | null {
  if (samples.length === 0) return null;
  return html`<section id="samples"><h2>Samples</h2>
<p>The image as decoded, then as augmented for training (${experiment.protocol.augment}).</p>
<div class="samples">${samples.map(
    ({ className, original, augmented }) =>
      html`<div><b>${className}</b><div class="strip">${[original, ...augmented]
        .filter((uri) => /^data:image\//i.test(uri))
        .map(
          (uri, i) =>
            html`<img src="${uri}" alt="${className}, ${i === 0 ? "as decoded" : `augmented ${i}`}">`,
        )}</div></div>\n`,
  )}</div></section>`;
}

function protocolSection({ experiment, arms }: PageParts): Markup {
  const { protocol, machine, dataset, model } = experiment;
  const failures = arms.flatMap((arm) =>
    arm.trials.flatMap(({ trial }) => {
      const who = `${arm.name}, seed ${trial.seed}`;
      if (trial.status === "diverged" && trial.divergence) {
        const { update, epoch, learningRate } = trial.divergence;
        return [
          `${who}: diverged at update ${grouped(update)} (epoch ${epoch}), learning rate ${formatRate(learningRate)}`,
        ];
      }
      if (trial.status === "failed")
        return [`${who}: failed: ${trial.failure ?? "no reason recorded"}`];
      return trial.status === "done" ? [] : [`${who}: ${trial.status}`];
    }),
  );
  const sources = arms.flatMap((arm) => {
    const stated = [...new Set(arm.trials.map(({ trial }) => trial.learningRateSource))];
    return stated.length === 0 ? [] : [`${arm.name}: ${stated.join("; ")}`];
  });
  const facts: [string, string][] = [
    ["Model", `${model.name}, ${grouped(model.parameters)} parameters`],
    ["Epochs", `${protocol.epochs}, ${counted(protocol.updatesPerEpoch, "update")} each`],
    ["Batch", `${protocol.batch}${protocol.dropLast ? ", last partial batch dropped" : ""}`],
    ["Seeds", protocol.seeds.join(", ")],
    [
      "Split",
      protocol.validation === null
        ? "the source’s own parts"
        : `${percent(protocol.validation)} for validation, stratified, split seed ${protocol.splitSeed}`,
    ],
    ["Augmentation", protocol.augment],
    ["Precision", `${protocol.precision}, ${counted(protocol.threads, "thread")}`],
    [
      "Regularisation",
      listed([
        `weight decay ${formatRate(protocol.weightDecay)}`,
        `label smoothing ${formatRate(protocol.labelSmoothing)}`,
        protocol.clip === null ? "no gradient clipping" : `gradients clipped to ${protocol.clip}`,
      ]),
    ],
    ["Momentum of SGD", String(protocol.momentum)],
    ...(sources.length > 0 ? [["Rates", sources.join(" · ")] satisfies [string, string]] : []),
    ["Mean, std", `${dataset.mean.map(short).join(", ")}; ${dataset.std.map(short).join(", ")}`],
    ["Data fingerprint", dataset.fingerprint],
    ["Engine", experiment.engine],
    [
      "Machine",
      `${machine.processor}, ${counted(machine.cores, "core")}, ${machine.memoryGiB} GiB, ${machine.platform}`,
    ],
    ["Versions", `lrscope ${experiment.lrscope}, Node ${machine.node.replace(/^v/, "")}`],
  ];
  return html`<section id="protocol"><h2>Protocol</h2>
<dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${
  failures.length > 0 &&
  html`<h3>Trials that did not finish</h3><details open><summary>${counted(failures.length, "trial")}</summary><ul>${failures.map(
    (text) => html`<li>${text}</li>`,
  )}</ul></details>`
}${
  dataset.broken.length > 0 &&
  html`<h3>Broken files, left out</h3><details${dataset.broken.length <= 20 && trusted(" open")}><summary>${counted(dataset.broken.length, "file")}</summary><ul>${dataset.broken.map(
    ({ file, reason }) => html`<li>${file}: ${reason}</li>`,
  )}</ul></details>`
}</section>`;
}

const short = (value: number) => value.toFixed(3);
