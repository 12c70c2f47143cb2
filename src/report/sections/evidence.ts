/** @file What the answer rests on: curves, classes, range tests, rates, photos. */

import { ALL_RATES } from "../../analysis/index.ts";
import { at, get, present } from "../../core/at.ts";
import { augmentationWords } from "../../data/augment.ts";
import type {
  ArmConfusion,
  ExperimentRecord,
  MistakenImage,
  RangeTestRecord,
  SampleImages,
} from "../../record/index.ts";
import { cycleWarning } from "../../schedules/cycle-warning.ts";
import { scheduleFromJSON, scheduleTypes } from "../../schedules/index.ts";
import { sentence } from "../answer.ts";
import { labelOf, type ReportArm } from "../figures/arms.ts";
import { NAMED_CLASSES } from "../figures/classes.ts";
import { counted, formatRate, grouped, percent, points } from "../format.ts";
import { html, type Markup } from "../html.ts";
import { type CaptionedFigure, figures, scrolling } from "./figures.ts";
import { terms } from "./terms.ts";

export function curvesSection(drawn: readonly CaptionedFigure[]): Markup | null {
  if (drawn.length === 0) return null;
  return html`<section id="curves"><h2>Accuracy and loss</h2>
${figures(drawn)}
${drawn.some(({ drawn: { name } }) => name.startsWith("loss-")) && terms(["nats"])}</section>`;
}

export function profileSection(
  profile: CaptionedFigure | null,
  sensitivity: CaptionedFigure | null,
): Markup | null {
  if (!profile && !sensitivity) return null;
  return html`<section id="profile"><h2>Speed and sensitivity</h2>
${profile && figures([profile])}${sensitivity && figures([sensitivity])}</section>`;
}

export function classesSection(
  perClass: readonly CaptionedFigure[],
  confusions: readonly { confusion: ArmConfusion; figure: CaptionedFigure | null }[],
  { arms, leader }: { readonly arms: readonly ReportArm[]; readonly leader: string | undefined },
): Markup | null {
  if (perClass.length === 0 && confusions.length === 0) return null;
  const drawn = confusions.flatMap(({ confusion, figure }) =>
    figure ? [{ arm: confusion.arm, figure }] : [],
  );
  const first = drawn.some(({ arm }) => arm === leader) ? leader : drawn[0]?.arm;
  const matrices = drawn.filter(({ arm }) => arm === first).map(({ figure }) => figure);
  const others = drawn.filter(({ arm }) => arm !== first).map(({ figure }) => figure);
  const mistaken = confusions.filter(({ confusion }) => (confusion.mistakes?.length ?? 0) > 0);
  const named = mistaken.some(({ confusion }) => confusion.arm === leader)
    ? leader
    : mistaken[0]?.confusion.arm;
  const foremost = mistaken.filter(({ confusion }) => confusion.arm === named);
  const rest = mistaken.filter(({ confusion }) => confusion.arm !== named);
  return html`<section id="per-class"><h2>Class by class</h2>
${perClass.map((figure) => figures([figure]))}${
  matrices.length > 0 &&
  html`<h3>Which classes are taken for which</h3>${figures(matrices)}${
    others.length > 0 &&
    html`<details><summary>${others.length === 1 ? "The matrix of the other arm" : `${others.length} matrices of other arms`}</summary>${figures(others)}</details>`
  }`
}${mistakesOf(foremost, arms)}${
  rest.length > 0 &&
  html`<details><summary>The surest mistakes of ${rest.length === 1 ? "the other arm" : `${rest.length} other arms`}</summary>${mistakesOf(rest, arms)}</details>`
}</section>`;
}

const mistakesOf = (
  of: readonly { readonly confusion: ArmConfusion }[],
  arms: readonly ReportArm[],
): Markup[] =>
  of.map(({ confusion }) => {
    const mistakes = get(confusion, "mistakes", "confusion");
    const pictured = mistakes.some(({ image }) => image !== null);
    return html`<h3>${labelOf(confusion.arm, arms)}: the surest mistakes</h3>
<p class="note">Images of the ${confusion.part} part, with the weights of the best epoch; the network’s confidence in its wrong answer beneath each.</p>
<ul class="mistakes">${mistakes.map((mistake) => mistakeItem(mistake, pictured))}</ul>`;
  });

/** `pictured`: others of the list have their photo, so this one has a frame in its place. */
function mistakeItem(
  { seed, truth, answer, probability, file, image }: MistakenImage,
  pictured: boolean,
): Markup {
  const said = `${truth}, taken for ${answer}`;
  const photo = image !== null && /^data:image\//i.test(image);
  return html`<li>${photo ? html`<img src="${image}" alt="${said}">` : pictured && html`<span class="absent" aria-hidden="true"></span>`}<span><b>${truth}</b> taken for <b>${answer}</b>, ${percent(probability)}</span><small>seed ${seed}${file !== null && ` · ${file}`}</small></li>\n`;
}

export function rangeTestsSection(
  rangeTests: readonly {
    record: RangeTestRecord;
    figures: readonly CaptionedFigure[];
    confirmation: CaptionedFigure | null;
    tuning: CaptionedFigure | null;
  }[],
): Markup | null {
  if (rangeTests.length === 0) return null;
  return html`<section id="range-tests"><h2>Learning-rate range test</h2>
${rangeTests.map(
  ({ record, figures: drawn, confirmation, tuning }) => html`<h3>${record.arm}</h3>
<p>${rampText(record)}</p>
${record.warnings.map((warning) => html`<p class="warn">${sentence(warning)}</p>`)}
${drawn.filter(({ drawn: { half } }) => !half).map((figure) => figures([figure]))}
${figures(
  drawn.filter(({ drawn: { half } }) => half),
  rulesTable(record),
)}${confirmation && html`<h4>Confirmed by short runs</h4><p>${confirmed(record)}</p>${figures([confirmation])}`}${tuning && html`<h4>Tuned by short runs</h4><p>${tuned(record)}</p>${figures([tuning])}`}`,
)}</section>`;
}

/** What the runs about the suggestion came to. */
function tuned({ tuning }: RangeTestRecord): string {
  const { rate, interval, regret, epochs, seeds, candidates, bracketed, schedule } = present(
    tuning,
    "tuning",
  );
  const runs = `${counted(candidates.length * seeds.length, "run")} of ${counted(epochs, "epoch")}, ${counted(seeds.length, "seed")} at each ${schedule === null ? "rate" : `peak of ${schedule}`}`;
  const best = `${formatRate(rate)} does best (95% interval over the seeds ${formatRate(interval.low)} to ${formatRate(interval.high)})`;
  const own = present(
    candidates.find(({ factor }) => factor === 1),
    "the own rate",
  );
  const gap = regret.interval
    ? ` (paired 95% interval ${points(regret.interval.low)} to ${points(regret.interval.high)})`
    : "";
  const found =
    rate === own.rate
      ? `${best}: it is the suggested rate`
      : `${best}, ${points(regret.mean ?? 0)} points better than the suggested ${formatRate(own.rate)}${gap}`;
  const end = rate === at(candidates, -1, "candidates").rate ? "greatest" : "least";
  return `${runs}: ${found}.${bracketed ? "" : ` It is the ${end} that is tried; ${end === "greatest" ? "greater" : "lesser"} ones may do better still.`}`;
}

/** What the test did, and what that cost. */
function rampText({ updates, epochs, runs, from, to, search }: RangeTestRecord): string {
  const length = epochs === undefined ? counted(updates, "update") : counted(epochs, "epoch");
  const ramp = `Over ${length} the rate rose from ${formatRate(from)} to ${formatRate(to)}, ${counted(runs.length, "seed")}.`;
  if (!search) return ramp;
  return `${ramp} The ends were found by ${counted(search.updates, "update")} from ${formatRate(ALL_RATES.from)} on, with seed ${search.run.seed}.`;
}

/** What the short runs say of the suggestion. */
function confirmed({ confirmation }: RangeTestRecord): string {
  const { best, regret, epochs, seeds, candidates } = present(confirmation, "confirmation");
  const suggested = present(
    candidates.find(({ factor }) => factor === 1),
    "the suggestion",
  ).rate;
  const runs = `${counted(candidates.length * seeds.length, "run")} of ${counted(epochs, "epoch")}, ${counted(seeds.length, "seed")} at each rate`;
  if (best === suggested)
    return `${runs}: the suggested rate, ${formatRate(suggested)}, does best.`;
  const by = `${points(regret.mean ?? 0)} points better than the suggested ${formatRate(suggested)}`;
  const interval = regret.interval
    ? ` (paired 95% interval ${points(regret.interval.low)} to ${points(regret.interval.high)})`
    : "";
  return `${runs}: ${formatRate(best)} does best, ${by}${interval}.`;
}

function rulesTable({ suggestions, suggestion, reading: of, readings }: RangeTestRecord): Markup {
  const used = suggestion?.constant.rule;
  const several = readings && Object.values(readings).some((reading) => reading.values.length > 1);
  return html`<div>${scrolling(
    "What each rule reads off the curves",
    html`<table>
<thead><tr><th scope="col">rule</th><th scope="col" class="num">${of === "averaged" ? "median of the seeds" : "upper bound"}</th>${several && html`<th scope="col" class="num">over the seeds, [95%]</th>`}</tr></thead>
<tbody>${Object.entries(suggestions).map(([rule, rate]) => {
      const reading = readings?.[rule];
      return html`<tr><th scope="row">${rule}${rule === used && " (used)"}</th><td class="num">${formatRate(rate)}</td>${
        several &&
        html`<td class="num">${reading?.low == null || reading.high === null ? "–" : `${formatRate(reading.low)} – ${formatRate(reading.high)}`}${reading?.interval && html`<small>[${formatRate(reading.interval.low)}, ${formatRate(reading.interval.high)}]</small>`}</td>`
      }</tr>`;
    })}</tbody></table>`,
  )}</div>`;
}

export function learningRatesSection(
  drawn: CaptionedFigure | null,
  arms: readonly ReportArm[],
): Markup | null {
  if (!drawn) return null;
  return html`<section id="learning-rate"><h2>Learning rate by update</h2>
${cycleWarnings(arms).map((warning) => html`<p class="warn">${warning}.</p>`)}${figures([drawn])}</section>`;
}

/** Of each arm whose cycles do not fit its runs. */
function cycleWarnings(arms: readonly ReportArm[]): string[] {
  const found = arms.flatMap(({ label, trials }) =>
    trials.flatMap(({ trial: { schedule, epochs, updatesPerEpoch } }) => {
      if (!scheduleTypes.includes(schedule.type)) return [];
      const updates = Math.max(1, Math.round(epochs * updatesPerEpoch));
      const warning = cycleWarning(scheduleFromJSON(schedule), { updates, updatesPerEpoch });
      return warning === null ? [] : [`${label}: ${warning}`];
    }),
  );
  return [...new Set(found)];
}

export function dataSection(
  { dataset }: ExperimentRecord,
  classes: CaptionedFigure | null,
): Markup {
  const train = dataset.classes.reduce((sum, entry) => sum + entry.train, 0);
  const validation = dataset.classes.reduce((sum, entry) => sum + entry.validation, 0);
  const most = [...dataset.classes].sort((a, b) => b.validation - a.validation)[0];
  return html`<section id="data"><h2>Data</h2>
<p>${counted(train, "training image")}, ${counted(validation, "validation image")}, ${counted(dataset.classes.length, "class")}.${
    most && validation > 0
      ? ` Always answering “${most.name}” would score ${percent(most.validation / validation)}.`
      : ""
  }</p>
${classes && figures([classes])}${
  dataset.classes.length > NAMED_CLASSES &&
  html`<details><summary>Images of each class</summary><ul>${dataset.classes.map(
    (entry) => html`<li>${entry.name}: ${grouped(entry.count)}</li>`,
  )}</ul></details>`
}</section>`;
}

export function samplesSection(
  samples: readonly SampleImages[],
  { protocol }: ExperimentRecord,
): Markup | null {
  if (samples.length === 0) return null;
  return html`<section id="samples"><h2>Samples</h2>
<p>The image as decoded, then as augmented for training (${augmentationWords(protocol.augment)}).</p>
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
