/**
 * @file From a figure to SVG, twice: to stand in the page, with colours as the page's CSS variables,
 * and to stand alone as a file, with colours of its own.
 *
 * Text widths are not known where there is no canvas, so nothing here leaves a place to be computed
 * from them: margins are given, labels are placed by pixel.
 */

import { get } from "../core/at.ts";
import { escapeText } from "./html.ts";
import { placeLabels } from "./labels.ts";
import { darkColours, lightColours, palette } from "./palette.ts";
import { drawLines, type LinePlot } from "./plot/line-plot.ts";

/** What is drawn at one size; pixels. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** What is inside of <svg>. */
  readonly body: string;
}

/** A figure: drawn for a wide page and for a phone. */
export interface Figure {
  /** File name without ending; unique within a report. */
  readonly name: string;
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** Takes half of a wide page. */
  readonly half?: boolean;
  /** `width` in pixels; what a figure leaves out where there is little room is its own affair. */
  draw(width: number): Drawing;
  /** What the page's script draws it again from, where a reader may change what is shown. */
  readonly plot?: LinePlot;
}

export interface DrawnFigure {
  readonly name: string;
  readonly label: string;
  readonly half: boolean;
  /** Two <svg> elements of class "wide" and "narrow", of which the page shows one. */
  readonly inline: string;
  readonly standalone: string;
  readonly plot: LinePlot | null;
}

export const WIDE = 840;
export const HALF = 410;
export const NARROW = 343;

/** Under this width a figure is for a phone. */
export const isNarrow = (width: number) => width < 600;

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/** A figure of lines, as it is without a reader's choices. */
export function lineFigure(
  plot: LinePlot,
  { label, half = false }: { readonly label: string; readonly half?: boolean },
): Figure {
  return {
    name: plot.name,
    label,
    half,
    plot,
    draw: (width) => ({
      width,
      height: plot.frames[isNarrow(width) ? 1 : 0].height,
      body: drawLines(
        plot,
        { width, x: 0, y: 0, band: plot.bands[0]?.name ?? "", hidden: [] },
        { placeLabels, escapeText },
      ),
    }),
  };
}

/** Draw a figure at its two sizes. */
export function draw(figure: Figure): DrawnFigure {
  const half = figure.half ?? false;
  const wide = figure.draw(half ? HALF : WIDE);
  const narrow = figure.draw(NARROW);
  const label = `font-family="${FONT}" role="img" aria-label="${escapeText(figure.label)}"`;
  return {
    name: figure.name,
    label: figure.label,
    half,
    inline:
      `<svg class="wide" ${label} ${viewBox(wide)}>${wide.body}</svg>` +
      `<svg class="narrow" ${label} ${viewBox(narrow)}>${narrow.body}</svg>`,
    standalone: standaloneFile(wide, figure.label),
    plot: figure.plot ?? null,
  };
}

const viewBox = ({ width, height }: Drawing) => `viewBox="0 0 ${width} ${height}"`;

/** Paper about a figure that stands alone, in pixels. */
const EDGE = 16;

/**
 * A file that any viewer shows: colours are plain attributes, which those without CSS understand,
 * and a style sheet turns each into its dark counterpart where the reader prefers dark.
 */
export function standaloneFile({ width, height, body }: Drawing, label: string): string {
  const plain = body.replace(/var\(--lr-([a-z0-9]+)\)/g, (_, name) => lightColours[name] ?? "#000");
  const dark = Object.keys(palette)
    .filter((name) => plain.includes(get(lightColours, name, "lightColours")))
    .map((name) => {
      const [from, to] = [
        get(lightColours, name, "lightColours"),
        get(darkColours, name, "darkColours"),
      ];
      return `[fill="${from}"]{fill:${to}}[stroke="${from}"]{stroke:${to}}`;
    })
    .join("");
  const paper = get(lightColours, "paper", "lightColours");
  const [w, h] = [width + 2 * EDGE, height + 2 * EDGE];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="${-EDGE} ${-EDGE} ${w} ${h}" font-family="${FONT}" role="img">` +
    `<title>${escapeText(label)}</title>` +
    `<style>@media (prefers-color-scheme: dark){[fill="${paper}"]{fill:${darkColours.paper}}${dark}}</style>` +
    `<rect x="${-EDGE}" y="${-EDGE}" width="${w}" height="${h}" fill="${paper}"/>${plain}</svg>\n`
  );
}
