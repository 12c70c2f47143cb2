/**
 * @file One chart of the page: the report's own drawing of a plot, over a canvas with the thin lines of seeds, and
 * the report's own crosshair. What is drawn depends on plot and view alone, so that report, file and page agree to
 * the byte.
 */

import { escapeText } from "../src/report/html.ts";
import { placeLabels } from "../src/report/labels.ts";
import { followPointer } from "../src/report/live/enhance.ts";
import { drawLines, type LinePlot, type LineView, pixelOf } from "../src/report/plot/line-plot.ts";
import { formatRate } from "../src/schedules/index.ts";
import { element } from "./element.ts";
import { redrawing } from "./redraw.ts";
import { drawSeeds, type SeedLine } from "./seeds-canvas.ts";

export const TOOLS = { drawLines, placeLabels, escapeText, pixelOf, formatRate };

/** What a chart shows; its width it knows itself. */
export type ChartView = Omit<LineView, "width">;

export interface Chart {
  readonly figure: HTMLElement;
  show(plot: LinePlot, view: ChartView, seeds: readonly SeedLine[]): void;
  /** What is drawn, as it stands. */
  readonly drawn: () => { plot: LinePlot; view: LineView };
  /** Pixels that there are for it. */
  width(): number;
  /** Whether some of it can be seen, or nearly; until that is known it may be. */
  isInView(): boolean;
  /** What it shows, for those who do not see it. */
  label(text: string): void;
  readonly text: () => string;
  /** Moves the crosshair to a value of the horizontal axis; null takes it away. */
  mark(x: number | null): void;
}

/** Under this width a chart would be none; it is drawn in it and scaled down. */
const LEAST_WIDTH = 320;

const BY_KEYS = "Arrow keys read its values, Escape leaves them.";

/** The frame is called by what is drawn; how each line ends is said of the drawing. */
const briefly = (label: string) => label.replace(/\. .*/s, "");

/** "epoch 3: adam 61.0% 58.2% – 63.1% n = 3; sgd 55.0% ..." */
function readingsIn(tip: HTMLElement): string {
  const rows = [...tip.querySelectorAll("tr")].map((row) =>
    [...row.cells].flatMap(({ textContent }) => textContent || []).join(" "),
  );
  return `${tip.querySelector("b")?.textContent ?? ""}: ${rows.join("; ")}`;
}

/** @param onMark hears where the pointer is, for the charts beside it */
export function chart(label: string, onMark: (x: number | null) => void): Chart {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const canvas = element("canvas", { "aria-hidden": "true" });
  const tip = element("div", { class: "tip", "aria-hidden": "true", hidden: true });
  // Of four charts that are read at once one is said: that whose crosshair is moved by keys.
  const spoken = element("div", { class: "unseen", role: "status" });
  const figure = element(
    "figure",
    { class: "chart", "aria-label": briefly(label), "aria-description": BY_KEYS },
    ...[canvas, svg, tip, spoken],
  );
  // The crosshair keeps hold of these two: what is shown is put into them.
  const plot = {} as LinePlot;
  let view: LineView = { width: 840, x: 0, y: 0, band: "", hidden: [] };
  let seeds: readonly SeedLine[] = [];
  let crosshair: ReturnType<typeof followPointer> | null = null;
  const redraw = redrawing(svg);
  const draw = () => {
    const { height } = plot.frames[view.width < 600 ? 1 : 0];
    svg.setAttribute("viewBox", `0 0 ${view.width} ${height}`);
    redraw(drawLines(plot, view, TOOLS));
    crosshair?.again();
    drawSeeds(canvas, plot, view, seeds);
  };
  // Whoever observes an element is kept alive with it: of a page that was left nothing may stay.
  const resized = new ResizeObserver(([entry]) => {
    if (!figure.isConnected) return resized.disconnect();
    const width = Math.max(LEAST_WIDTH, Math.round(entry?.contentRect.width ?? 0));
    if (width === view.width || !plot.frames) return;
    view = { ...view, width };
    draw();
  });
  const widthOf = () => Math.max(LEAST_WIDTH, Math.round(figure.clientWidth || view.width));
  let inView = true;
  const seen = new IntersectionObserver(
    ([entry]) => {
      if (!figure.isConnected) return seen.disconnect();
      inView = entry?.isIntersecting ?? true;
    },
    { rootMargin: "100px" },
  );
  return {
    figure,
    isInView: () => inView,
    show(now, chosen, lines) {
      Object.assign(plot, { marks: undefined, shade: undefined, clip: undefined }, now);
      view = { ...chosen, width: widthOf() };
      seeds = lines;
      resized.observe(figure);
      seen.observe(figure);
      crosshair ??= followPointer(
        figure,
        plot,
        () => view,
        tip,
        TOOLS,
        (x) => {
          const isByKeys = x !== null && document.activeElement === figure;
          spoken.textContent = isByKeys ? readingsIn(tip) : "";
          onMark(x);
        },
      );
      draw();
    },
    label(text) {
      if (svg.getAttribute("aria-label") === text) return;
      figure.setAttribute("aria-label", briefly(text));
      svg.setAttribute("aria-label", text);
    },
    text: () => svg.getAttribute("aria-label") ?? "",
    width: widthOf,
    drawn: () => ({ plot, view }),
    mark(x) {
      if (x === null) crosshair?.hide();
      else crosshair?.show(x);
    },
  };
}
