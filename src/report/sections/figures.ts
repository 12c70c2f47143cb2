/** @file Figures in the page: with a caption, and grouped where they share their controls. */

import type { DrawnFigure } from "../draw.ts";
import { html, type Markup, trusted } from "../html.ts";
import { plotsJson } from "../live/script.ts";

/** A drawn figure and the sentence beneath it. */
export interface CaptionedFigure {
  readonly drawn: DrawnFigure;
  readonly caption: string;
}

const one = ({ drawn, caption }: CaptionedFigure) =>
  html`<figure${drawn.plot && html` data-plot="${drawn.plot.name}" aria-label="${drawn.label}"`}>${trusted(drawn.inline)}${caption && html`<figcaption>${caption}</figcaption>`}</figure>\n`;

/**
 * Full width each, but neighbours that take half of it side by side. Those of lines share one set
 * of controls, which the page's script makes out of their data.
 */
export function figures(all: readonly CaptionedFigure[], extra: Markup | null = null): Markup {
  const plots = all.flatMap(({ drawn }) => (drawn.plot ? [drawn.plot] : []));
  const half = all.filter(({ drawn }) => drawn.half);
  const body = html`${all.filter(({ drawn }) => !drawn.half).map(one)}${
    (half.length > 0 || extra) && html`<div class="pair">${half.map(one)}${extra}</div>`
  }`;
  if (plots.length === 0) return body;
  return html`<div class="plots"><script type="application/json">${trusted(plotsJson(plots))}</script>${body}</div>`;
}

/**
 * A table that scrolls by itself where it is wider than the page, and then says so: by the line above it, and by a
 * shade at the edge behind which there is more.
 */
export const scrolling = (label: string, table: Markup) =>
  html`<p class="hint" aria-hidden="true">The table scrolls sideways →</p><div class="scroll" tabindex="0" role="region" aria-label="${label}; scrolls sideways where it is wider than the page">${table}</div>`;
