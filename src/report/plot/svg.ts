/** @file Pieces of SVG for figures that are drawn once. Coordinates in pixels; text is escaped. */

import { escapeText } from "../html.ts";
import { tenth } from "./line-plot.ts";

export interface TextLook {
  readonly anchor?: "start" | "middle" | "end";
  readonly fill?: string;
  readonly bold?: boolean;
  readonly size?: number;
}

/** Text whose middle lies at y. */
export function text(
  x: number,
  y: number,
  content: string,
  { anchor = "start", fill = "var(--lr-ink)", bold = false, size = 12 }: TextLook = {},
): string {
  return (
    `<text x="${tenth(x)}" y="${tenth(y + size * 0.34)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}` +
    ` font-size="${size}" fill="${fill}"${bold ? ' font-weight="600"' : ""}>${escapeText(content)}</text>`
  );
}

export interface Stroke {
  readonly colour?: string;
  readonly width?: number;
  readonly dash?: string;
  readonly opacity?: number;
}

export function rule(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  { colour = "var(--lr-ink)", width = 1, dash, opacity }: Stroke = {},
): string {
  return (
    `<line x1="${tenth(x1)}" y1="${tenth(y1)}" x2="${tenth(x2)}" y2="${tenth(y2)}" stroke="${colour}"` +
    `${width === 1 ? "" : ` stroke-width="${width}"`}${dash ? ` stroke-dasharray="${dash}"` : ""}${opacity === undefined ? "" : ` opacity="${opacity}"`}/>`
  );
}

export interface Fill {
  readonly colour?: string;
  readonly opacity?: number;
  /** Said on hover, and by viewers of SVG. */
  readonly tip?: string;
}

const titled = (tag: string, attributes: string, { colour, opacity, tip }: Fill) => {
  const look = ` fill="${colour ?? "var(--lr-ink)"}"${opacity === undefined ? "" : ` opacity="${opacity}"`}`;
  return tip === undefined
    ? `<${tag} ${attributes}${look}/>`
    : `<${tag} ${attributes}${look}><title>${escapeText(tip)}</title></${tag}>`;
};

export const circle = (x: number, y: number, radius: number, fill: Fill = {}) =>
  titled("circle", `cx="${tenth(x)}" cy="${tenth(y)}" r="${radius}"`, fill);

export const rect = (
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  fill: Fill = {},
) =>
  titled(
    "rect",
    `x="${tenth(x1)}" y="${tenth(y1)}" width="${tenth(Math.max(0, x2 - x1))}" height="${tenth(Math.max(0, y2 - y1))}"`,
    fill,
  );

/** Everything moved by a figure's margins. */
export const moved = (x: number, y: number, parts: readonly string[]) =>
  `<g transform="translate(${tenth(x)},${tenth(y)})">${parts.join("")}</g>`;
