/** @file What a study's page is taken away as: each chart as SVG or PNG, the records as CSV, the results as LaTeX, all as one page. */

import { summarize } from "../src/analysis/summarize.ts";
import type { ExperimentRecord, TrialHistory } from "../src/record/index.ts";
import { standaloneFile } from "../src/report/draw.ts";
import { drawLines } from "../src/report/plot/line-plot.ts";
import type { Standings } from "../src/report/standings.ts";
import { latexTable } from "../src/report/table.ts";
import { addressOf, hashOf } from "./address.ts";
import { ofStudy } from "./api.ts";
import { type Chart, TOOLS } from "./chart.ts";
import { element, say } from "./element.ts";

export interface Exported {
  readonly id: string;
  /** By the names of their files. */
  readonly charts: ReadonlyMap<string, Chart>;
  /** As the page's tables have them. */
  standings(): Standings;
  records(): {
    readonly experiment: ExperimentRecord;
    readonly trials: readonly TrialHistory[];
  } | null;
}

type Charts = ReadonlyMap<string, Chart>;

/** What saves each. */
export const exportBar = ({ id, charts, standings, records }: Exported): HTMLElement =>
  bar([
    ...pictures(charts),
    element(
      "a",
      { class: "button", href: ofStudy(id, "metrics.csv"), download: "metrics.csv" },
      "CSV of every epoch",
    ),
    button("LaTeX of the results", () => {
      const found = records();
      if (!found) return;
      const summary = summarize(found.experiment, found.trials);
      save("results.tex", "text/plain", latexTable(summary, standings()));
    }),
    element(
      "a",
      { class: "button", href: ofStudy(id, "report.html"), download: "report.html" },
      "One HTML page",
    ),
    ...embedding(id, charts),
  ]);

/** Of a page that has charts and nothing else to take away, by the names of their files. */
export const pictureBar = (...charts: readonly (readonly [string, Chart])[]): HTMLElement =>
  bar(pictures(new Map(charts)));

const bar = (children: readonly HTMLElement[]) =>
  element(
    "details",
    { class: "more" },
    element("summary", {}, "Export"),
    element("span", { class: "bar" }, children),
  );

const button = (text: string, press: () => void | Promise<void>) =>
  element(
    "button",
    {
      type: "button",
      onclick: () =>
        void Promise.resolve()
          .then(press)
          .catch((error: Error) => say(error.message)),
    },
    text,
  );

function pictures(charts: Charts): HTMLElement[] {
  const shown = () => [...charts].filter(([, { figure }]) => !figure.hidden);
  return [
    button("SVG of the charts", () => {
      for (const [name, each] of shown()) save(`${name}.svg`, "image/svg+xml", svgOf(each));
    }),
    button("PNG of the charts", async () => {
      for (const [name, each] of shown()) save(`${name}.png`, "image/png", await pngOf(each));
    }),
  ];
}

/** The address at which one chart stands alone, as it is shown here, and a frame of it for another page. */
function embedding(id: string, charts: Charts): HTMLElement[] {
  const text = element("textarea", {
    ...{ readonly: true, rows: 3, class: "json", spellcheck: "false" },
    "aria-label": "Frame for another page",
  });
  const which = element(
    "select",
    { "aria-label": "Chart to embed", onchange: () => show() },
    [...charts].map(([name, { figure }]) =>
      element("option", { value: name }, figure.getAttribute("aria-label") ?? name),
    ),
  );
  const show = () => {
    const state = addressOf(location.hash).state;
    for (const name of ["trial", "spread", "rank"]) state.delete(name);
    const address = `${location.origin}/figure${hashOf([id, which.value], state)}`;
    text.value = `<iframe src="${address.replaceAll("&", "&amp;")}" width="840" height="420" style="border:0" title="${which.selectedOptions[0]?.textContent ?? ""}"></iframe>`;
  };
  const made = element(
    "details",
    { class: "more", ontoggle: () => show() },
    element("summary", {}, "Embed"),
    element(
      "span",
      { class: "bar" },
      which,
      text,
      button("Copy", async () => {
        show();
        await navigator.clipboard.writeText(text.value);
        say("The frame is copied");
      }),
      element(
        "small",
        {},
        "A page of another origin shows it where the server was begun with --embed-in and that origin.",
      ),
    ),
  );
  return [made];
}

/** The chart as it is shown, as a file that stands alone. */
export function svgOf({ drawn, text }: Pick<Chart, "drawn" | "text">): string {
  const { plot, view } = drawn();
  const { height } = plot.frames[view.width < 600 ? 1 : 0];
  return standaloneFile({ width: view.width, height, body: drawLines(plot, view, TOOLS) }, text());
}

/** At twice its size, on the paper of the theme that is shown. */
async function pngOf(chart: Chart): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svgOf(chart))}`;
  await image.decode();
  const canvas = element("canvas");
  [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The picture cannot be made."))),
      "image/png",
    ),
  );
}

function save(name: string, type: string, content: string | Blob): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: address, download: name }).click();
  // Once the download has begun.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
