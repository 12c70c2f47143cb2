/** @file Figures as PNG, for where SVG is not taken. */

import sharp from "sharp";

/** Pixels of the image for one of the figure. */
const SCALE = 2;

/** The density at which sharp draws one pixel for each of an SVG's. */
const DENSITY = 72;

/**
 * A figure in its light colours, at twice its size. The first of its fonts that this machine has is
 * used; the style sheet for dark paper is taken out, as a PNG has one paper.
 */
export function figurePng(svg: string): Promise<Buffer> {
  const light = svg
    .replace(/<style>.*?<\/style>/s, "")
    // The renderer knows fonts of the machine by name, not the system's choice of one.
    .replace(/system-ui, -apple-system, /g, "");
  return sharp(Buffer.from(light), { density: DENSITY * SCALE })
    .png()
    .toBuffer();
}
