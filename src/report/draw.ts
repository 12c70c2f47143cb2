/**
 * @file From a chart's description (Vega-Lite) to SVG, twice: to stand in the page, with colours as
 * the page's CSS variables, and to stand alone as a file, with colours of its own.
 *
 * Vega and Vega-Lite are loaded when the first figure is drawn. Text widths are not known where
 * there is no canvas, so nothing here leaves a place to be computed from them: margins are given,
 * labels are placed by pixel.
 */

import { escapeText, printable } from "./html.ts";
import { darkColours, lightColours, palette } from "./palette.ts";

/** A layer of a chart, in Vega-Lite's notation. */
export type Layer = { readonly [property: string]: unknown };

export interface Margins {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** A chart at one size. Pixels; `width` and `height` count the margins in. */
export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly margins: Margins;
  readonly layers: readonly Layer[];
}

/** A figure: drawn for a wide page and for a phone. */
export interface Figure {
  /** File name without ending; unique within a report. */
  readonly name: string;
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** Takes half of a wide page. */
  readonly half?: boolean;
  /** `width` in pixels; what a chart leaves out where there is little room is its own affair. */
  chart(width: number): Chart;
}

export interface DrawnFigure {
  readonly name: string;
  readonly half: boolean;
  /** Two <svg> elements of class "wide" and "narrow", of which the page shows one. */
  readonly inline: string;
  readonly standalone: string;
}

export const WIDE = 840;
export const HALF = 410;
export const NARROW = 343;

/** Under this width a chart is for a phone. */
export const isNarrow = (width: number) => width < 600;

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

const config = {
  background: "transparent",
  // Roles on every mark would double the size; the figure as a whole has a label.
  aria: false,
  font: FONT,
  view: { stroke: null },
  axis: {
    domainColor: "var(--lr-axis)",
    tickColor: "var(--lr-axis)",
    gridColor: "var(--lr-grid)",
    labelColor: "var(--lr-muted)",
    titleColor: "var(--lr-muted)",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelPadding: 5,
    titlePadding: 8,
    tickSize: 4,
    labelOverlap: false,
    labelFlush: false,
    labelLimit: 0,
  },
  axisX: { grid: false },
  axisY: { domain: false, ticks: false, grid: true },
  text: { fill: "var(--lr-ink)", fontSize: 12 },
};

/**
 * The title of a y axis, lying above it where it can be read without turning the head, flush with
 * the text of the page. `left` is the chart's left margin.
 */
export const yTitle = (title: string, left: number, above = 12) => ({
  title,
  titleAngle: 0,
  titleAlign: "left",
  titleAnchor: "end",
  titleBaseline: "bottom",
  titleX: -left,
  titleY: -above,
});

/** Draw a figure at its two sizes. */
export async function draw(figure: Figure): Promise<DrawnFigure> {
  const half = figure.half ?? false;
  const wide = await render(figure.chart(half ? HALF : WIDE), `${figure.name}-w`);
  const narrow = await render(figure.chart(NARROW), `${figure.name}-n`);
  const label = `font-family="${FONT}" role="img" aria-label="${escapeText(figure.label)}"`;
  return {
    name: figure.name,
    half,
    inline:
      `<svg class="wide" ${label} ${viewBox(wide)}>${wide.body}</svg>` +
      `<svg class="narrow" ${label} ${viewBox(narrow)}>${narrow.body}</svg>`,
    standalone: standaloneFile(wide, figure.label),
  };
}

interface Rendered {
  readonly width: number;
  readonly height: number;
  /** What is inside of <svg>. */
  readonly body: string;
}

const viewBox = ({ width, height }: Rendered) => `viewBox="0 0 ${width} ${height}"`;

async function render(chart: Chart, idPrefix: string): Promise<Rendered> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  const { width, height, margins } = chart;
  const specification = {
    autosize: { type: "none" },
    padding: margins,
    width: width - margins.left - margins.right,
    height: height - margins.top - margins.bottom,
    config,
    layer: chart.layers,
  };
  const compiled = vegaLite.compile(
    specification as unknown as Parameters<typeof vegaLite.compile>[0],
  );
  const view = new vega.View(vega.parse(compiled.spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return { width, height, body: renumber(slim(printable(body)), idPrefix) };
}

/**
 * Without what a picture has no use for: roles within it, hooks for events, the font at every label
 * (the root has it), digits past a hundredth of a pixel. Only within tags, never in text.
 */
function slim(svg: string): string {
  return svg
    .replace(/<[a-zA-Z][^>]*>/g, (tag) =>
      tag
        .replace(/ (?:role|class|aria-[a-z]+|pointer-events|font-family)="[^"]*"/g, "")
        .replace(/-?\d+\.\d{3,}/g, (digits) => String(Number(Number(digits).toFixed(2)))),
    )
    .replace(/<path d="[^"]*"( display="none")?\/>/g, "");
}

/** Vega counts ids for as long as the process lives: make them the figure's own, and repeatable. */
function renumber(svg: string, prefix: string): string {
  const ids = [...new Set([...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!))];
  return ids.reduce(
    (text, id, i) =>
      text
        .replaceAll(` id="${id}"`, ` id="${prefix}${i}"`)
        .replaceAll(`url(#${id})`, `url(#${prefix}${i})`),
    svg,
  );
}

/** Paper about a figure that stands alone, in pixels. */
const EDGE = 16;

/**
 * A file that any viewer shows: colours are plain attributes, which those without CSS understand,
 * and a style sheet turns each into its dark counterpart where the reader prefers dark.
 */
function standaloneFile(rendered: Rendered, label: string): string {
  const { width, height, body } = rendered;
  const plain = body.replace(/var\(--lr-([a-z0-9]+)\)/g, (_, name) => lightColours[name] ?? "#000");
  const dark = [...new Set(Object.keys(palette))]
    .filter((name) => plain.includes(lightColours[name]!))
    .map((name) => {
      const [from, to] = [lightColours[name]!, darkColours[name]!];
      return `[fill="${from}"]{fill:${to}}[stroke="${from}"]{stroke:${to}}`;
    })
    .join("");
  const paper = lightColours.paper!;
  const [w, h] = [width + 2 * EDGE, height + 2 * EDGE];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="${-EDGE} ${-EDGE} ${w} ${h}" font-family="${FONT}" role="img">` +
    `<title>${escapeText(label)}</title>` +
    `<style>@media (prefers-color-scheme: dark){[fill="${paper}"]{fill:${darkColours.paper}}${dark}}</style>` +
    `<rect x="${-EDGE}" y="${-EDGE}" width="${w}" height="${h}" fill="${paper}"/>${plain}</svg>\n`
  );
}
