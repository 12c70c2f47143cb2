/**
 * @file Each seed's own line, thin and faint beneath mean and band: as pixels of a canvas. Of two hundred runs they are
 * a hundred thousand pieces a chart; as SVG, or stroked by the browser one after the other, they would take longer
 * than all the rest of the page.
 */

import { type Axis, type LinePlot, type LineView, pixelOf } from "../src/report/plot/line-plot.ts";

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
  const shown = seeds.filter(({ key }) => !view.hidden.includes(key));
  context.clearRect(0, 0, w, h);
  if (shown.length === 0) return;
  const [left, top] = [frame.left * ratio, frame.top * ratio];
  const right = (view.width - frame.right) * ratio;
  const bottom = (frame.height - frame.bottom) * ratio;
  const image = context.createImageData(w, h);
  const inks = inksOn(canvas, context);
  const opacity = seeds.length > 40 ? 0.22 : 0.4;
  const stroke = strokes(image, {
    ...{ half: ratio / 2, opacity },
    ...{ left: Math.round(left), top: Math.round(top) },
    ...{ right: Math.round(right), bottom: Math.round(bottom) },
  });
  const xAt = placing(xAxis, right - left);
  const yAt = placing(yAxis, bottom - top);
  for (const { colour, x, y } of shown) {
    const xs = x[view.x] ?? x[0] ?? [];
    const ink = inks(colour);
    let wasThere = false;
    let fromX = 0;
    let fromY = 0;
    for (let i = 0; i < xs.length; i++) {
      const at = xs[i];
      const value = y[i];
      // A gap is no place, and no piece leads there or from there.
      const isThere =
        at !== undefined &&
        value !== null &&
        value !== undefined &&
        !(xAxis.log && at <= 0) &&
        !(yAxis.log && value <= 0);
      if (isThere) {
        const toX = left + xAt(at);
        const toY = bottom - yAt(value);
        if (wasThere) stroke(ink, fromX, fromY, toX, toY);
        fromX = toX;
        fromY = toY;
      }
      wasThere = isThere;
    }
  }
  plainAlpha(image.data);
  context.putImageData(image, 0, 0);
}

/** Where values of an axis lie, as `pixelOf` has it. */
function placing(axis: Axis, extent: number): (value: number) => number {
  const scale = extent / (axis.high - axis.low);
  return axis.log || !Number.isFinite(scale)
    ? (value) => pixelOf(axis, value, extent)
    : (value) => (value - axis.low) * scale;
}

/** A colour in two numbers, each with two of its four bytes 16 bits apart: what is worked out is worked out for both. */
interface Ink {
  readonly redBlue: number;
  readonly greenAlpha: number;
}

/** Colours as a sheet of style says them, in numbers. */
function inksOn(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D) {
  const style = getComputedStyle(canvas);
  const known = new Map<string, Ink>();
  return (colour: string): Ink => {
    const found = known.get(colour);
    if (found) return found;
    context.fillStyle = colour.replace(/var\((--[\w-]+)\)/, (_, name) =>
      style.getPropertyValue(name).trim(),
    );
    // It reads as "#rrggbb" whatever it was set to.
    const code = Number.parseInt(String(context.fillStyle).slice(1), 16);
    const [red, green, blue] = [code >> 16, (code >> 8) & 255, code & 255];
    const ink = { redBlue: red | (blue << 16), greenAlpha: green | (255 << 16) };
    known.set(colour, ink);
    return ink;
  };
}

/** What may be touched, in pixels of the image, and how a line looks. */
interface Room {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Half of a line's width. */
  readonly half: number;
  readonly opacity: number;
}

/**
 * A pen that lays straight pieces over each other. A piece is walked along the axis on which it is longer, a pixel at a
 * time; across, each pixel is inked by the part of it that the piece covers. Colours are premultiplied meanwhile. Each
 * chart has a million such pixels: hence plain numbers, and no list or object within.
 */
function strokes({ data, width }: ImageData, { left, top, right, bottom, half, opacity }: Room) {
  const pixels = new Uint32Array(data.buffer);
  const alpha = 256 * opacity;
  /** From a to b along one axis, from `across` to `end` on the other; a step along either is so many pixels on. */
  const walk = (
    { redBlue, greenAlpha }: Ink,
    a: number,
    across: number,
    b: number,
    end: number,
    isSteep: boolean,
  ) => {
    const along = isSteep ? width : 1;
    const aside = isSteep ? 1 : width;
    const least = isSteep ? top : left;
    const most = isSteep ? bottom : right;
    const low = isSteep ? left : top;
    const high = isSteep ? right : bottom;
    const slope = (end - across) / (b - a);
    const reach = half * Math.sqrt(1 + slope * slope);
    const last = Math.min(Math.ceil(b), most);
    for (let step = Math.max(Math.floor(a), least); step < last; step++) {
      const begin = Math.max(a, step);
      const stop = Math.min(b, step + 1);
      const middle = across + ((begin + stop) / 2 - a) * slope;
      const part = alpha * (stop - begin);
      const near = middle - reach;
      const far = middle + reach;
      let pixel = Math.max(Math.floor(near), low);
      let place = step * along + pixel * aside;
      for (; pixel < far && pixel < high; pixel++) {
        const covered = Math.min(far, pixel + 1) - Math.max(near, pixel);
        const over = (part * covered + 0.5) | 0;
        const under = 256 - over;
        const was = pixels[place] as number;
        const first = redBlue * over + (was & 0xff00ff) * under + 0x800080;
        const second = greenAlpha * over + ((was >>> 8) & 0xff00ff) * under + 0x800080;
        pixels[place] = ((first >>> 8) & 0xff00ff) | (second & 0xff00ff00);
        place += aside;
      }
    }
  };
  return (ink: Ink, fromX: number, fromY: number, toX: number, toY: number): void => {
    const isSteep = Math.abs(toY - fromY) >= Math.abs(toX - fromX);
    if (isSteep && fromY < toY) walk(ink, fromY, fromX, toY, toX, true);
    else if (isSteep && fromY > toY) walk(ink, toY, toX, fromY, fromX, true);
    else if (fromX < toX) walk(ink, fromX, fromY, toX, toY, false);
    else if (fromX > toX) walk(ink, toX, toY, fromX, fromY, false);
  };
}

/** Colours as an image has them: not multiplied by how opaque they are. */
function plainAlpha(data: Uint8ClampedArray): void {
  for (let place = 0; place < data.length; place += 4) {
    const alpha = data[place + 3] as number;
    if (alpha === 0 || alpha === 255) continue;
    const scale = 255 / alpha;
    data[place] = (data[place] as number) * scale;
    data[place + 1] = (data[place + 1] as number) * scale;
    data[place + 2] = (data[place + 2] as number) * scale;
  }
}
