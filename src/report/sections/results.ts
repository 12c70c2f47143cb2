/** @file The answer's tables: arms, paired differences, targets. */

import { ALPHA, comparisonsOf, leastSignFlipP, ranked } from "../../analysis/index.ts";
import { at, get } from "../../core/at.ts";
import type {
  OptimizerSummary,
  PairedDifference,
  Spread,
  SummaryRecord,
} from "../../record/index.ts";
import { sentence } from "../answer.ts";
import { labelOf, type ReportArm } from "../figures/arms.ts";
import {
  counted,
  milliseconds,
  percent,
  percentDigits,
  points,
  pValue,
  rates,
  signedPoints,
} from "../format.ts";
import { html, type Markup } from "../html.ts";
import {
  capital,
  measureOf,
  REPORTED,
  type ShownSpread,
  type Standings,
  spreadOver,
} from "../standings.ts";
import { type CaptionedFigure, figures, scrolling } from "./figures.ts";
import { type Term, terms } from "./terms.ts";

interface Column {
  readonly heading: string;
  readonly cell: (optimizer: OptimizerSummary) => Markup;
}

const number = (text: string) => html`<td class="num">${text}</td>`;

/** The mean; beneath, what is chosen of its spread, and each seed's value. */
const accuracyCell = (spread: Spread, shown: ShownSpread) =>
  html`<td class="num">${spread.mean === null ? "–" : percent(spread.mean)}${spreadLine(spread, shown, percentDigits)}${
    spread.values.length > 1 &&
    inLines(spread.values.map((value) => (value === null ? "–" : percentDigits(value)))).map(
      (line) => html`<small>${line}</small>`,
    )
  }</td>`;

/** "[61.0, 64.2]", "± 1.2" or "61.3 to 63.9", beneath a mean. */
function spreadLine(
  values: Parameters<typeof spreadOver>[0],
  shown: ShownSpread,
  write: (value: number) => string,
): Markup | null {
  const over = spreadOver(values, shown);
  if (over === null) return null;
  if (typeof over === "number") return html`<small>± ${write(over)}</small>`;
  const [low, high] = [write(over.low), write(over.high)];
  return shown === "range"
    ? html`<small>${low} to ${high}</small>`
    : html`<small>[${low}, ${high}]</small>`;
}

/** Seeds that stand beside each other in a cell: ten of them would make the table wider than the page. */
const SEEDS_A_LINE = 4;

const inLines = (texts: readonly string[]) =>
  Array.from({ length: Math.ceil(texts.length / SEEDS_A_LINE) }, (_, line) =>
    texts.slice(line * SEEDS_A_LINE, (line + 1) * SEEDS_A_LINE).join(" "),
  );

/** What decides, and what only explains: each has a table that is no wider than the page. */
interface Columns {
  readonly main: readonly Column[];
  readonly more: readonly Column[];
}

/** Columns of which no arm has a value are left out. */
function columnsOf(
  optimizers: readonly OptimizerSummary[],
  { by, spread: shown }: Standings,
  { machines }: SummaryRecord,
): Columns {
  const has = (field: keyof OptimizerSummary) =>
    optimizers.some((o) => {
      const value = o[field];
      return typeof value === "number" || (value as Spread | null | undefined)?.mean != null;
    });
  const optional = (field: keyof OptimizerSummary, heading: string, cell: Column["cell"]) =>
    has(field) ? [{ heading, cell }] : [];
  const judged: Column[] = [
    { heading: "final accuracy", cell: (o) => accuracyCell(o.finalValidationAccuracy, shown) },
    { heading: "best epoch", cell: (o) => accuracyCell(o.bestValidationAccuracy, shown) },
  ];
  const main: Column[] = [
    // What ranks stands first.
    ...(by === REPORTED.by ? judged : judged.toReversed()),
    ...optional("testAccuracy", "test part", (o) =>
      accuracyCell(o.testAccuracy ?? { mean: null, sd: null, values: [] }, shown),
    ),
    { heading: "learning rate", cell: (o) => rateCell(o.learningRates) },
    ...(machines
      ? []
      : [
          {
            heading: "ms/step",
            cell: (o: OptimizerSummary) =>
              html`<td class="num">${milliseconds(o.msPerStep)}${typeof o.optimizerShare === "number" && html`<small>${percent(o.optimizerShare)} optimizer</small>`}</td>`,
          },
        ]),
    {
      heading: "seeds",
      cell: (o) =>
        html`<td class="num">${o.seeds.length}${troublesOf(o).map((text) => html`<small>${text}</small>`)}</td>`,
    },
  ];
  const more: Column[] = [
    { heading: "last 10 epochs", cell: (o) => accuracyCell(o.last10ValidationAccuracy, shown) },
    ...optional("finalValidationLoss", "final loss", (o) =>
      number(o.finalValidationLoss?.mean == null ? "–" : o.finalValidationLoss.mean.toFixed(3)),
    ),
    ...optional("generalisationGap", "gap, points", (o) =>
      number(o.generalisationGap?.mean == null ? "–" : signedPoints(o.generalisationGap.mean)),
    ),
    ...optional("accuracyArea", "area", (o) =>
      number(o.accuracyArea?.mean == null ? "–" : o.accuracyArea.mean.toFixed(3)),
    ),
  ];
  return { main, more };
}

/** More distinct rates than this, one beneath the other, would make a row of many lines. */
const SHOWN_RATES = 3;

/** Of several seeds' range tests one beneath the other. */
function rateCell(learningRates: readonly number[]): Markup {
  const [first = "–", ...others] = [...new Set(learningRates.map((rate) => rates([rate])))];
  const shown = others.slice(0, SHOWN_RATES - 1);
  const left = others.length - shown.length;
  return html`<td class="num">${first}${shown.map((text) => html`<br>${text}`)}${left > 0 && html`<small>and ${left} more</small>`}</td>`;
}

const troublesOf = ({
  diverged,
  failed = 0,
  pruned = 0,
  unfinished = 0,
  guessing = false,
}: OptimizerSummary) => [
  ...Object.entries({ diverged, failed, pruned, unfinished })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`),
  ...(guessing ? ["guessing"] : []),
];

/** Best first, by the seeds in common. */
export function resultsTable(
  summary: SummaryRecord,
  arms: readonly ReportArm[],
  standings: Standings = REPORTED,
): Markup {
  const optimizers = ranked(summary.optimizers, standings.by);
  const { main, more } = columnsOf(optimizers, standings, summary);
  return html`${armsTable("Table of results", main, { optimizers, arms })}
<details><summary>Last ten epochs, loss, gap and area</summary>${armsTable("Further results", more, { optimizers, arms })}</details>`;
}

function armsTable(
  label: string,
  columns: readonly Column[],
  {
    optimizers,
    arms,
  }: { readonly optimizers: readonly OptimizerSummary[]; readonly arms: readonly ReportArm[] },
): Markup {
  return scrolling(
    label,
    html`<table class="arms">
<thead><tr><th scope="col">arm</th>${columns.map(({ heading }) => html`<th scope="col" class="num">${heading}</th>`)}</tr></thead>
<tbody>${optimizers.map(
      (o) => html`
<tr>${armCell(o.name, arms)}${columns.map(({ cell }) => cell(o))}</tr>`,
    )}
</tbody></table>`,
  );
}

/** A row's head: the arm's label; its whole name where the pointer rests. */
const armCell = (name: string, arms: readonly ReportArm[]) =>
  html`<th scope="row"${titleOf(name, arms)}>${swatch(name, arms)}${labelOf(name, arms)}</th>`;

const titleOf = (name: string, arms: readonly ReportArm[]) =>
  labelOf(name, arms) !== name && html` title="${name}"`;

const swatch = (name: string, arms: readonly ReportArm[]) =>
  html`<i class="swatch" style="background:${arms.find((arm) => arm.name === name)?.look.colour ?? "var(--lr-ink)"}"></i>`;

/** Of each mean, in a sentence. */
const BENEATH: Readonly<Record<ShownSpread, string>> = {
  interval:
    ", in brackets, its 95% interval over seeds (a t interval on the logit scale, from three seeds on)",
  sd: " the standard deviation over seeds",
  range: " the least and the greatest of its seeds",
};

export function resultsSection(
  summary: SummaryRecord | null,
  arms: readonly ReportArm[],
  finalAccuracy: CaptionedFigure | null,
  standings: Standings = REPORTED,
): Markup | null {
  if (!summary || summary.optimizers.length === 0) return null;
  const several = summary.optimizers.some((o) => o.seeds.length > 1);
  const names = arms.map(({ name }) => name);
  const has = <T extends Term>(field: "generalisationGap" | "accuracyArea", term: T): T[] =>
    summary.optimizers.some((o) => o[field]?.mean != null) ? [term] : [];
  return html`<section id="results"><h2>Results</h2>
${(summary.notes ?? []).length > 0 && html`<ul class="notes">${get(summary, "notes", "summary").map((note) => html`<li>${sentence(note, names)}</li>`)}</ul>`}
${finalAccuracy && figures([finalAccuracy])}${resultsTable(summary, arms, standings)}
<p class="note">Validation accuracy: mean${several && `, beneath it${BENEATH[standings.spread]}, and each seed’s own value`}. Final is the last epoch; best is each seed’s best epoch, which flatters every arm alike, as it is chosen by the images that it is measured on. Gap: training minus validation accuracy at the end. Area: mean height of the accuracy’s curve.${!summary.machines && " ms/step is the median of the training steps."} A seed that did not finish has no final value (–); arms are ranked ${standings.by !== REPORTED.by && "by their best epochs, as it was chosen, over "}${standings.by === REPORTED.by && "by "}the seeds that they have in common, and a mean of fewer seeds is not to be compared with one of more.</p>
${terms([...(several ? (["spread", "interval"] as const) : []), ...has("generalisationGap", "gap"), ...has("accuracyArea", "area")])}</section>`;
}

export function differencesSection(
  pairs: readonly PairedDifference[],
  figure: CaptionedFigure | null,
  arms: readonly ReportArm[],
  spread: ShownSpread = REPORTED.spread,
): Markup | null {
  const measured = pairs.filter((pair) => pair.mean !== null);
  if (measured.length === 0) return null;
  const comparisons = comparisonsOf(measured);
  const seeds = Math.max(...measured.map((pair) => pair.seeds.length));
  const least = leastSignFlipP(seeds) * Math.max(1, comparisons);
  const withImages = measured.some((pair) => pair.overImages);
  return html`<section id="differences"><h2>Differences between arms</h2>
<p>Each seed gives every arm the same initial weights, split and batches, so arms are compared seed by seed.${
    least >= ALPHA
      ? ` With ${counted(seeds, "common seed")}${comparisons > 1 ? ` and ${comparisons} comparisons` : ""} the sign-flip test cannot give a corrected p below 0.05, whatever the differences are: what is told apart rests on their being about normally distributed.`
      : ""
  }</p>
${figure && figures([figure])}
<details${measured.length <= 15 && html` open`}><summary>All pairs in numbers</summary>${scrolling(
    "Paired differences",
    html`<table class="arms">
<thead><tr><th scope="col">pair</th><th scope="col" class="num">difference, points</th><th scope="col" class="num">p, t test</th><th scope="col" class="num">p, sign-flip</th>${withImages && html`<th scope="col" class="num">p, other images</th>`}<th scope="col" class="num">first is higher</th><th scope="col" class="num">seeds for power 0.8</th></tr></thead>
<tbody>${measured.map((pair) => pairRow(pair, { withImages, comparisons, arms, spread }))}
</tbody></table>`,
  )}</details>
<p class="note">${capital(measureOf(measured))}, first minus second, in percentage points: mean with ${OF_PAIR[spread]}${comparisons > 1 && `; each p is corrected by Holm’s method for all ${comparisons} comparisons, and uncorrected beneath`}. t test and sign-flip test ask whether other seeds would show a difference on the same images; the first takes the differences for about normal, the second does not${withImages && "; the third p is of other seeds and other images like these together"}. Blue: below 0.05 by the t test. “First is higher” is the share of common seeds, and describes these runs only. The last column is how many paired seeds would find a difference as large as the observed one by both tests four times of five${comparisons > 1 && ", with as many comparisons"}.</p>
${terms(["points", "p", "signFlip", ...(comparisons > 1 ? (["holm"] as const) : []), "power"])}</section>`;
}

const OF_PAIR: Readonly<Record<ShownSpread, string>> = {
  interval: "the 95% t interval of that pair alone",
  sd: "the standard deviation of the seeds’ differences",
  range: "the least and the greatest difference of a seed",
};

function pairRow(
  pair: PairedDifference,
  {
    withImages,
    comparisons,
    arms,
    spread,
  }: {
    readonly withImages: boolean;
    readonly comparisons: number;
    readonly arms: readonly ReportArm[];
    readonly spread: ShownSpread;
  },
): Markup {
  const { overImages: over } = pair;
  const tested = (adjusted: number | null, p: number | null) =>
    html`<td class="num">${pValue(adjusted)}${comparisons > 1 && p !== null && html`<small>${pValue(p)}</small>`}</td>`;
  return html`
<tr><th scope="row">${labelOf(pair.a, arms)} − ${labelOf(pair.b, arms)}</th><td class="num">${signedPoints(get(pair, "mean", "pair"))}${spreadLine({ ...pair, values: pair.differences }, spread, points)}</td>${tested(pair.adjustedTP ?? null, pair.tP ?? null)}${tested(pair.adjustedP, pair.p)}${withImages && (over ? html`<td class="num">${pValue(over.adjustedP)}<small>[${points(over.interval.low)}, ${points(over.interval.high)}]</small></td>` : number("–"))}${number(
    pair.probability === null ? "–" : `${Math.round(pair.probability * 100)}%`,
  )}${number(pair.seedsNeeded === null ? "–" : String(pair.seedsNeeded))}</tr>`;
}

export function targetsSection(
  optimizers: readonly OptimizerSummary[],
  drawn: readonly CaptionedFigure[],
  arms: readonly ReportArm[],
): Markup | null {
  const measured = ranked(optimizers).filter((o) => (o.timeToTarget?.length ?? 0) > 0);
  if (measured.length === 0) return null;
  const targets = get(at(measured, 0, "measured"), "timeToTarget", "arm").map(
    (entry) => entry.target,
  );
  const cell = (optimizer: OptimizerSummary, target: number) => {
    const reached = get(optimizer, "timeToTarget", "optimizer").find(
      (entry) => entry.target === target,
    );
    const open = reached?.openSeeds ?? [];
    if (!reached || reached.reached === 0)
      return html`<td class="num">${open.length > 0 ? "not yet" : "missed"}</td>`;
    const seeds = reached.epochs.length;
    const other = (i: number) =>
      open.includes(at(optimizer.seeds, i, "seeds")) ? "not yet" : "miss";
    return html`<td class="num">${reached.medianEpochs === null ? "mostly missed" : Math.round(reached.medianEpochs)}${
      seeds > 1 &&
      html`<small>${reached.epochs.map((value, i) => value ?? other(i)).join("  ")}</small>`
    }</td>`;
  };
  const isTimed = measured.some(({ timeToTarget = [] }) =>
    timeToTarget.some(({ seconds }) => seconds.some((value) => value !== null)),
  );
  return html`<section id="targets"><h2>${isTimed ? "Time" : "Epochs"} to target</h2>
<p>First epoch whose validation accuracy is at or above the target${isTimed && ", and the training and validation time until then"}. A seed that ended without getting there is a miss, and later than every hit.</p>
${figures(drawn)}
<details><summary>Epochs to target in numbers</summary>${scrolling(
    "Epochs to target",
    html`<table class="arms">
<thead><tr><th scope="col">arm</th>${targets.map((target) => html`<th scope="col" class="num">to ${percent(target)}</th>`)}</tr></thead>
<tbody>${measured.map(
      (o) => html`
<tr>${armCell(o.name, arms)}${targets.map((target) => cell(o, target))}</tr>`,
    )}
</tbody></table>`,
  )}</details></section>`;
}
