/** @file The comparison as a section of the report, and as a table on a terminal. */

import {
  type AddedSection,
  html,
  type Markup,
  percentSpread,
  signedPoints,
  type TextTable,
} from "lrscope/report";
import { EXPERIMENTS, type PublishedExperiment } from "./curves.ts";
import { publishedFigure } from "./figure.ts";
import type { PublishedComparison } from "./record.ts";

type Pair = PublishedComparison["rows"][number]["final"];

const KINDS = Object.keys(EXPERIMENTS) as PublishedExperiment[];
const number = (text: string) => html`<td class="num">${text}</td>`;

export function publishedSection(published: PublishedComparison): AddedSection {
  const { experiment, citation, notes } = published;
  const kind = KINDS.find((name) => EXPERIMENTS[name].title === experiment);
  const lead = `${experiment}: ${citation}`;
  return {
    id: "publication",
    heading: "Beside the publication",
    lead: `${lead.charAt(0).toUpperCase()}${lead.slice(1)}.`,
    figures(arms) {
      const figure = kind ? publishedFigure(kind, published, arms) : null;
      const caption =
        "Solid: ours, mean over seeds. Dashed: the publication’s, mean over its runs.";
      return figure ? [{ figure, caption }] : [];
    },
    table: { label: "Ours beside the publication's", markup: tableMarkup(published) },
    notes,
    legend:
      "Mean ± standard deviation over seeds (n − 1); differences in percentage points, ours minus theirs.",
  };
}

function tableMarkup({ rows }: PublishedComparison): Markup {
  const pair = ({ ours, theirs, difference }: Pair) =>
    html`${number(percentSpread(ours))}${number(percentSpread(theirs))}${number(difference === null ? "–" : signedPoints(difference))}`;
  return html`<table>
<thead><tr><th scope="col" rowspan="2">optimizer</th><th scope="colgroup" colspan="3" class="num">final accuracy</th><th scope="colgroup" colspan="3" class="num">best epoch</th><th scope="col" rowspan="2" class="num">epochs</th></tr>
<tr>${[0, 1].flatMap(() => ["ours", "theirs", "difference"].map((heading) => html`<th scope="col" class="num">${heading}</th>`))}</tr></thead>
<tbody>${rows.map(
    (row) => html`
<tr><th scope="row">${row.optimizer}${row.arm !== row.optimizer && html`<small>ours: ${row.arm}</small>`}</th>${pair(row.final)}${pair(row.best)}${number(String(row.epochs))}</tr>`,
  )}
</tbody></table>`;
}

const percent = (value: number) => (value * 100).toFixed(1);
const spread = ({ mean, sd }: Pair["ours"]) =>
  mean === null ? "-" : `${percent(mean)}${sd === null ? "" : ` ± ${percent(sd)}`}`;
const difference = (value: number | null) =>
  value === null ? "-" : `${value < 0 ? "-" : "+"}${percent(Math.abs(value))}`;

/** In percent and points, as narrow as a terminal is. */
export function publishedTable({ experiment, rows }: PublishedComparison): TextTable {
  return {
    title: `Beside the publication (${experiment}), up to epoch ${Math.min(...rows.map(({ epochs }) => epochs))}, in percent and points`,
    head: ["optimizer", "final", "theirs", "diff", "best", "theirs", "diff"],
    rows: rows.map(({ arm, final, best }) => [
      arm,
      spread(final.ours),
      spread(final.theirs),
      difference(final.difference),
      spread(best.ours),
      spread(best.theirs),
      difference(best.difference),
    ]),
  };
}
