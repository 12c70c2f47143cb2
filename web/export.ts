/** @file What a study's page is taken away as: each chart as SVG or PNG, the records as CSV, the results as LaTeX, all as one page. */

import { summarize } from "../src/analysis/summarize.ts";
import type { ExperimentRecord, TrialHistory } from "../src/record/index.ts";
import { standaloneFile } from "../src/report/draw.ts";
import { drawLines } from "../src/report/plot/line-plot.ts";
import { latexTable, type ShownSpread } from "../src/report/table.ts";
import { ofStudy } from "./api.ts";
import { type Chart, TOOLS } from "./chart.ts";
import { element, say } from "./element.ts";

export interface Exported {
  readonly id: string;
  /** By the names of their files. */
  readonly charts: ReadonlyMap<string, Chart>;
  /** What the page shows behind a mean. */
  spread(): ShownSpread;
  records(): {
    readonly experiment: ExperimentRecord;
    readonly trials: readonly TrialHistory[];
  } | null;
}

/** What saves each. */
export function exportBar({ id, charts, spread, records }: Exported): HTMLElement {
  const shown = () => [...charts].filter(([, { figure }]) => !figure.hidden);
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
  return element(
    "details",
    { class: "more" },
    element("summary", {}, "Export"),
    element(
      "span",
      { class: "bar" },
      button("SVG of the charts", () => {
        for (const [name, chart] of shown()) save(`${name}.svg`, "image/svg+xml", svgOf(chart));
      }),
      button("PNG of the charts", async () => {
        for (const [name, chart] of shown()) save(`${name}.png`, "image/png", await pngOf(chart));
      }),
      element(
        "a",
        { class: "button", href: ofStudy(id, "metrics.csv"), download: "metrics.csv" },
        "CSV of every epoch",
      ),
      button("LaTeX of the results", () => {
        const found = records();
        if (found)
          save(
            "results.tex",
            "text/plain",
            latexTable(summarize(found.experiment, found.trials), spread()),
          );
      }),
      element(
        "a",
        { class: "button", href: ofStudy(id, "report.html"), download: "report.html" },
        "One HTML page",
      ),
    ),
  );
}

/** The chart as it is shown, as a file that stands alone. */
export function svgOf({ drawn, figure }: Pick<Chart, "drawn" | "figure">): string {
  const { plot, view } = drawn();
  const { height } = plot.frames[view.width < 600 ? 1 : 0];
  return standaloneFile(
    { width: view.width, height, body: drawLines(plot, view, TOOLS) },
    figure.getAttribute("aria-label") ?? "",
  );
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
