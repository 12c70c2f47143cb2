/** @file From an evaluation to a page in the look of a report: one network on labelled images. */

import { at } from "../core/at.ts";
import type { ClassScore, EvaluationRecord } from "../record/index.ts";
import { documentOf } from "./document.ts";
import { draw, type Figure } from "./draw.ts";
import { calibrationFigure } from "./figures/calibration.ts";
import { confusionFigure } from "./figures/per-class.ts";
import { counted, grouped, percent } from "./format.ts";
import { html, type Markup, trusted } from "./html.ts";
import { percentAxis } from "./plot/axes.ts";
import { drawRows } from "./plot/row-plot.ts";
import { type CaptionedFigure, figures, scrolling } from "./sections/figures.ts";
import { terms } from "./sections/terms.ts";
import { fractionDomain } from "./ticks.ts";

export interface RenderedEvaluation {
  /** One self-contained page: it asks for nothing outside itself. */
  readonly html: string;
  /** Standalone SVG files by name, "confusion.svg". */
  readonly figures: Record<string, string>;
}

/** More rows than this would make a figure that nobody reads to its end; the table has them all. */
const MOST_ROWS = 40;

/** The same record gives the same page, to the last byte. */
export function renderEvaluation(record: EvaluationRecord): RenderedEvaluation {
  const { source, part, network, images, right, accuracy, interval } = record;
  const drawn: Record<string, string> = {};
  const add = (figure: Figure | null, caption: string): CaptionedFigure | null => {
    if (!figure) return null;
    const own = draw(figure);
    drawn[`${figure.name}.svg`] = own.standalone;
    return { drawn: own, caption };
  };
  const where = part === "all" ? source : `${source}, ${part} part`;
  const page = documentOf({
    title: `${source}, ${network.model}: evaluate`,
    kicker: [
      "lrscope evaluate",
      where,
      `${grouped(images)} images at ${network.size}×${network.size}`,
      `${network.model}, ${network.arm}, seed ${network.seed}, epoch ${network.epoch} on ${network.dataset}`,
    ].join(" · "),
    headline: `${percent(accuracy)} of ${counted(images, "image")} are answered rightly`,
    conclusion: `${grouped(right)} of ${grouped(images)}; of other images like these between ${percent(interval.low)} and ${percent(interval.high)} would be (95%, Wilson’s score interval). The mean over the classes is ${percent(record.balancedAccuracy)}, the cross-entropy ${record.loss.toFixed(3)} nats.`,
    details: record.notes,
    sections: [
      classesSection(
        record,
        add(
          classFigure(record),
          "A stroke at the accuracy, a line with ends for its 95% interval.",
        ),
        add(confusionOf(record), ""),
      ),
      calibrationSection(
        record,
        add(
          calibrationFigure(record.calibration),
          "A dot for each bin of probabilities. Under the dashed line the network is surer than it is right, above it less.",
        ),
      ),
      mistakesSection(record),
      leftOutSection(record),
    ],
    footer: `lrscope ${record.lrscope}`,
  });
  return { html: page, figures: drawn };
}

function classFigure({ classes }: EvaluationRecord): Figure | null {
  const scored = classes.flatMap((entry) =>
    entry.accuracy === null || entry.interval === null
      ? []
      : [{ ...entry, accuracy: entry.accuracy, interval: entry.interval }],
  );
  if (scored.length < 2 || scored.length > MOST_ROWS) return null;
  const ends = scored.flatMap(({ interval: { low, high } }) => [low, high]);
  return {
    name: "per-class",
    label: `Accuracy of each class. ${scored.map((entry) => `${entry.class}: ${percent(entry.accuracy)}`).join("; ")}`,
    draw: (width) =>
      drawRows(
        {
          axis: percentAxis("accuracy within the class", fractionDomain(ends)),
          rows: scored.map((entry) => ({
            name: entry.class,
            colour: "var(--lr-1)",
            value: percent(entry.accuracy),
            centre: entry.accuracy,
            interval: entry.interval,
            tip: `${entry.class}: ${percent(entry.accuracy)} of ${counted(entry.images, "image")}`,
          })),
          row: 26,
        },
        width,
      ),
  };
}

function confusionOf({ classes, counts, network }: EvaluationRecord): Figure | null {
  if (!counts) return null;
  const names = classes.map((entry) => entry.class);
  const figure = confusionFigure({
    arm: network.arm,
    title: network.arm,
    slug: "",
    classes: names,
    counts,
  });
  return figure && { ...figure, name: "confusion" };
}

function classesSection(
  record: EvaluationRecord,
  accuracy: CaptionedFigure | null,
  confusion: CaptionedFigure | null,
): Markup {
  const { classes, counts } = record;
  return html`<section id="per-class"><h2>Class by class</h2>
${accuracy && figures([accuracy])}${scrolling(
  "What the network made of each class",
  html`<table><thead><tr><th scope="col">class</th><th scope="col" class="num">images</th><th scope="col" class="num">accuracy</th><th scope="col" class="num">precision</th><th scope="col">most taken for</th></tr></thead>
<tbody>${classes.map(
    (entry, i) =>
      html`<tr><th scope="row">${entry.class}</th><td class="num">${grouped(entry.images)}</td><td class="num">${shown(entry.accuracy)}</td><td class="num">${shown(entry.precision)}</td><td>${counts && takenFor(classes, at(counts, i, "counts"), i)}</td></tr>`,
  )}</tbody></table>`,
)}<p class="note">Accuracy: the part of the class’s images that are answered so (recall). Precision: the part of the answers of the class that are of it.</p>${terms(["nats"])}
${confusion && html`<h3>Which classes are taken for which</h3>${figures([confusion])}`}</section>`;
}

const shown = (value: number | null) => (value === null ? "–" : percent(value));

/** The class that most of its wrong answers name. */
function takenFor(classes: readonly ClassScore[], row: readonly number[], own: number): string {
  const wrong = row.map((count, i) => (i === own ? 0 : count));
  const most = wrong.reduce((a, b) => Math.max(a, b), 0);
  return most === 0 ? "" : `${at(classes, wrong.indexOf(most), "classes").class} (${most})`;
}

function calibrationSection(
  { calibration: { error, greatest, bins } }: EvaluationRecord,
  figure: CaptionedFigure | null,
): Markup {
  const used = bins.filter(({ images }) => images > 0);
  return html`<section id="calibration"><h2>Is it as sure as it is right?</h2>
<p>The expected calibration error is ${percent(error)}: between the probability of an answer and how often such answers are right lies so much on average, over ${bins.length} bins of equal width, weighted by images (Guo et al. 2017, equation 3). The widest gap of a bin is ${percent(greatest)}.</p>
${figure && figures([figure])}<details><summary>The bins</summary>${scrolling(
    "Confidence and accuracy of each bin",
    html`<table><thead><tr><th scope="col">probability</th><th scope="col" class="num">images</th><th scope="col" class="num">mean probability</th><th scope="col" class="num">right</th></tr></thead>
<tbody>${used.map(
      ({ low, high, images, confidence, accuracy }) =>
        html`<tr><th scope="row">${percent(low)} – ${percent(high)}</th><td class="num">${grouped(images)}</td><td class="num">${shown(confidence)}</td><td class="num">${shown(accuracy)}</td></tr>`,
    )}</tbody></table>`,
  )}</details></section>`;
}

function mistakesSection({ mistakes }: EvaluationRecord): Markup | null {
  if (mistakes.length === 0) return null;
  return html`<section id="mistakes"><h2>The surest mistakes</h2>
<p class="note">The network’s confidence in its wrong answer beneath each.</p>
<ul class="mistakes">${mistakes.map(
    ({ file, truth, answer, probability, image }) =>
      html`<li>${image !== null && /^data:image\//i.test(image) && html`<img src="${image}" alt="${truth}, taken for ${answer}">`}<span><b>${truth}</b> taken for <b>${answer}</b>, ${percent(probability)}</span><small>${file}</small></li>\n`,
  )}</ul></section>`;
}

function leftOutSection({ leftOut }: EvaluationRecord): Markup | null {
  if (leftOut.length === 0) return null;
  return html`<section id="left-out"><h2>Files that were left out</h2>
<details${leftOut.length <= 5 && trusted(" open")}><summary>${counted(leftOut.length, "file")} could not be read</summary><ul>${leftOut.map(
    ({ file, reason }) => html`<li>${file}: ${reason}</li>`,
  )}</ul></details></section>`;
}
