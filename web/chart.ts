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
  /** Whether some of it can be seen, or nearly; until that is known it may be. */
  isInView(): boolean;
  /** What it shows, for those who do not see it. */
  label(text: string): void;
  /** Moves the crosshair to a value of the horizontal axis; null takes it away. */
  mark(x: number | null): void;
}

/** Under this width a chart would be none; it is drawn in it and scaled down. */
const LEAST_WIDTH = 320;

/** @param onMark hears where the pointer is, for the charts beside it */
export function chart(label: string, onMark: (x: number | null) => void): Chart {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const canvas = element("canvas", { "aria-hidden": "true" });
  const figure = element("figure", { class: "chart", "aria-label": label }, canvas, svg);
  const tip = element("div", { class: "tip", role: "status", hidden: true });
  figure.append(tip);
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
      const width = Math.max(LEAST_WIDTH, Math.round(figure.clientWidth || view.width));
      view = { ...chosen, width };
      seeds = lines;
      resized.observe(figure);
      seen.observe(figure);
      crosshair ??= followPointer(figure, plot, () => view, tip, TOOLS, onMark);
      draw();
    },
    label(text) {
      figure.setAttribute("aria-label", text);
      svg.setAttribute("aria-label", text);
    },
    drawn: () => ({ plot, view }),
    mark(x) {
      if (x === null) crosshair?.hide();
      else crosshair?.show(x);
    },
  };
}
