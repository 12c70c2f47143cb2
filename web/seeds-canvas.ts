/**
 * @file Each seed's own line, thin and faint beneath mean and band: on a canvas, as hundreds of them as SVG would
 * take longer to paint than all the rest.
 */

import { type LinePlot, type LineView, pixelOf } from "../src/report/plot/line-plot.ts";

export interface SeedLine {
  /** Of its arm: hidden with it. */
  readonly key: string;
  readonly seed: number;
  readonly colour: string;
  /** One list for each horizontal axis of the plot. */
  readonly x: readonly (readonly number[])[];
  readonly y: readonly (number | null)[];
}

/** Paints the lines at the same places at which the SVG above has its own. */
export function drawSeeds(
  canvas: HTMLCanvasElement,
  plot: LinePlot,
  view: LineView,
  seeds: readonly SeedLine[],
): void {
  const frame = plot.frames[view.width < 600 ? 1 : 0];
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(view.width * ratio), Math.round(frame.height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = canvas.getContext("2d");
  const xAxis = plot.x[view.x] ?? plot.x[0];
  const yAxis = plot.y[view.y] ?? plot.y[0];
  if (!context || !xAxis || !yAxis) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, view.width, frame.height);
  if (seeds.length === 0) return;
  const width = view.width - frame.left - frame.right;
  const height = frame.height - frame.top - frame.bottom;
  const style = getComputedStyle(canvas);
  const colours = new Map<string, string>();
  const plain = (colour: string) => {
    const found =
      colours.get(colour) ??
      colour.replace(/var\((--[\w-]+)\)/, (_, name) => style.getPropertyValue(name).trim());
    colours.set(colour, found);
    return found;
  };
  context.save();
  context.translate(frame.left, frame.top);
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  context.globalAlpha = seeds.length > 40 ? 0.22 : 0.4;
  context.lineWidth = 1;
  for (const { key, colour, x, y } of seeds) {
    if (view.hidden.includes(key)) continue;
    const xs = x[view.x] ?? x[0] ?? [];
    context.strokeStyle = plain(colour);
    context.beginPath();
    let open = false;
    for (let i = 0; i < xs.length; i++) {
      const [at, value] = [xs[i], y[i]];
      const there =
        at !== undefined &&
        value !== null &&
        value !== undefined &&
        !(xAxis.log && at <= 0) &&
        !(yAxis.log && value <= 0);
      if (there) {
        const [px, py] = [pixelOf(xAxis, at, width), height - pixelOf(yAxis, value, height)];
        if (open) context.lineTo(px, py);
        else context.moveTo(px, py);
      }
      open = there;
    }
    context.stroke();
  }
  context.restore();
}
