/**
 * @file Lines against an axis, with bands, marks and labels at their ends: from plain data to SVG.
 *
 * `drawLines` draws the figure of the page as it is written, and again in the reader's browser when a
 * line is hidden or an axis is changed: its text goes into the page (live/script.ts). So it refers to
 * nothing but its arguments and the functions of this file; what it needs from elsewhere is handed in.
 */

/** How hover and table write a value of an axis. */
export type ValueFormat = "percent" | "number" | "rate" | "count" | "seconds";

export interface Tick {
  readonly at: number;
  readonly text: string;
}

export interface Axis {
  readonly title: string;
  /** On the button that chooses it, where there is a choice. */
  readonly choice: string;
  readonly format: ValueFormat;
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  /** For a wide page. */
  readonly ticks: readonly Tick[];
  /** For a phone. */
  readonly fewTicks: readonly Tick[];
}

/** Least and greatest at each x. */
export interface Band {
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

export interface Line {
  /** Lines of one key are hidden together, by a button with the key on it. */
  readonly key: string;
  /** What hover calls it. */
  readonly name: string;
  /** What the button says in place of the key: an arm's label, where that is shorter than its name. */
  readonly legend?: string;
  /** A CSS colour: "var(--lr-1)". */
  readonly colour: string;
  /** SVG dash pattern; [1, 0] is solid. */
  readonly dash: readonly number[];
  readonly width?: number;
  readonly opacity?: number;
  /** One list for each x axis of the plot. */
  readonly x: readonly (readonly number[])[];
  readonly y: readonly (number | null)[];
  /** By the names of the plot's `bands`. */
  readonly bands?: Readonly<Record<string, Band>>;
  /** How many seeds each point rests on. */
  readonly n?: readonly number[];
  /** At its end: on a wide page, and on a phone. None: the line has no label. */
  readonly labels?: readonly [wide: string, narrow: string];
  /** Marked by a dot at each point. */
  readonly dots?: boolean;
  /** Ends with ×. */
  readonly stopped?: boolean;
  /** Between two points the value is on the line: hover reads it there. */
  readonly continuous?: boolean;
  /** Hover passes it over. */
  readonly silent?: boolean;
}

/** A value of the first x axis, marked from top to bottom. */
export interface Mark {
  readonly key?: string;
  readonly x: number;
  readonly texts: readonly [wide: string, narrow: string];
  readonly dash: readonly number[];
  readonly colour?: string;
  /** Row of its label above the plot, from 0 at the plot, and to which side it lies: wide, narrow. */
  readonly rows: readonly [number, number];
  readonly sides: readonly ["left" | "right", "left" | "right"];
}

export interface Frame {
  readonly height: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

export interface LinePlot {
  readonly name: string;
  /** The choices; the first is the one that is drawn without any. */
  readonly x: readonly Axis[];
  readonly y: readonly Axis[];
  readonly frames: readonly [wide: Frame, narrow: Frame];
  readonly lines: readonly Line[];
  /** Kinds of band that the lines have: name and button. */
  readonly bands: readonly { readonly name: string; readonly choice: string }[];
  readonly marks?: readonly Mark[];
  /** A stretch of the first x axis that is shaded. */
  readonly shade?: readonly [number, number];
  /** A thick bar at the top, over a stretch of the first x axis; and a thinner one. */
  readonly bars?: readonly { readonly from: number; readonly to: number; readonly width: number }[];
  readonly points?: readonly {
    readonly key: string;
    readonly x: number;
    readonly y: number;
    readonly colour: string;
  }[];
  /** Values may lie outside of the y axis: they are cut off there. */
  readonly clip?: boolean;
}

/** What of a plot is shown. */
export interface LineView {
  /** Pixels. */
  readonly width: number;
  /** Which of the axes. */
  readonly x: number;
  readonly y: number;
  /** Name of a kind of band, or "" for none. */
  readonly band: string;
  readonly hidden: readonly string[];
}

/** What the drawing needs from other files. */
export interface DrawTools {
  placeLabels(
    wanted: readonly number[],
    room: { gap: number; low: number; high: number },
  ): { placed: number }[];
  escapeText(text: string): string;
}

/** Where a value lies on an axis of so many pixels, from its low end. */
export function pixelOf(axis: Axis, value: number, extent: number): number {
  const [low, high] = [axis.low, axis.high];
  // Of ends more than 308 decades apart neither ratio nor distance is a number; halves' distance is one.
  const parted = high / low < Number.MAX_VALUE && value / low < Number.MAX_VALUE && value / low > 0;
  const part = axis.log
    ? parted
      ? Math.log(value / low) / Math.log(high / low)
      : (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
    : high - low < Number.MAX_VALUE
      ? (value - low) / (high - low)
      : (value / 2 - low / 2) / (high / 2 - low / 2);
  // What lies far outside is cut off there: a line towards it is upright already. Of no axis, 0 / 0.
  return Number.isNaN(part) ? 0 : Math.min(Math.max(part, -1e4), 1e4) * extent;
}

/** Pixels to a tenth: no eye sees more, and figures stay small. */
export function tenth(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** The text of `tenth`, from whole numbers: theirs is made faster than that of a fraction. */
export function tenthText(pixels: number): string {
  const tenths = Math.round(pixels * 10);
  const size = Math.abs(tenths);
  if (!(size < 1e9)) return `${tenth(pixels)}`;
  const [whole, rest] = [Math.floor(size / 10), size % 10];
  return `${tenths < 0 ? "-" : ""}${whole}${rest === 0 ? "" : `.${rest}`}`;
}

/** Lines through the points that are there, broken at gaps; "" of nothing. */
export function linePath(points: readonly (readonly [number, number] | null)[]): string {
  let path = "";
  let open = false;
  for (const point of points) {
    if (point) path += `${open ? "L" : "M"}${tenthText(point[0])},${tenthText(point[1])}`;
    open = point !== null;
  }
  return path;
}

/** The area between two lines, broken where either has a gap. */
export function bandPath(
  low: readonly (readonly [number, number] | null)[],
  high: readonly (readonly [number, number] | null)[],
): string {
  let path = "";
  let from = 0;
  for (let i = 0; i <= low.length; i++) {
    if (i < low.length && low[i] && high[i]) continue;
    if (i - from > 1) {
      const back = high.slice(from, i).reverse();
      path += `${linePath(low.slice(from, i))}${linePath(back).replace("M", "L")}Z`;
    }
    from = i + 1;
  }
  return path;
}

/** What is inside of <svg>, for a plot at a size. */
export function drawLines(plot: LinePlot, view: LineView, tools: DrawTools): string {
  const narrow = view.width < 600 ? 1 : 0;
  const frame = plot.frames[narrow];
  const width = view.width - frame.left - frame.right;
  const height = frame.height - frame.top - frame.bottom;
  const xAxis = plot.x[view.x] ?? plot.x[0]!;
  const yAxis = plot.y[view.y] ?? plot.y[0]!;
  const { escapeText } = tools;
  const shown = plot.lines.filter((line) => !view.hidden.includes(line.key));
  const xAt = (value: number) => pixelOf(xAxis, value, width);
  const yAt = (value: number) => height - pixelOf(yAxis, value, height);
  const onAxes = (x: number, y: number | null | undefined) =>
    y !== null && y !== undefined && !(xAxis.log && x <= 0) && !(yAxis.log && y <= 0);
  const pointsOf = (line: Line, values: readonly (number | null)[]) =>
    (line.x[view.x] ?? line.x[0]!).map((x, i) =>
      onAxes(x, values[i]) ? ([xAt(x), yAt(values[i]!)] as const) : null,
    );
  const text = (
    x: number,
    y: number,
    content: string,
    { anchor = "start", fill = "var(--lr-ink)", bold = false, size = 12 } = {},
  ) =>
    `<text x="${tenth(x)}" y="${tenth(y)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}` +
    ` font-size="${size}" fill="${fill}"${bold ? ' font-weight="600"' : ""}>${escapeText(content)}</text>`;
  const rule = (x1: number, y1: number, x2: number, y2: number, look: string) =>
    `<line x1="${tenth(x1)}" y1="${tenth(y1)}" x2="${tenth(x2)}" y2="${tenth(y2)}" ${look}/>`;
  const dashed = (dash: readonly number[]) =>
    dash[1] === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
  const muted = { fill: "var(--lr-muted)" };

  const below: string[] = [];
  for (const { at, text: label } of narrow ? yAxis.fewTicks : yAxis.ticks) {
    const y = yAt(at);
    below.push(
      rule(0, y, width, y, 'stroke="var(--lr-grid)"'),
      text(-7, y + 4, label, { ...muted, anchor: "end" }),
    );
  }
  const titleLift = plot.marks?.length ? 18 + 17 * plot.marks.length : 16;
  below.push(text(-frame.left, -titleLift, yAxis.title, muted));
  below.push(rule(0, height, width, height, 'stroke="var(--lr-axis)"'));
  for (const { at, text: label } of narrow ? xAxis.fewTicks : xAxis.ticks) {
    const x = xAt(at);
    below.push(
      rule(x, height, x, height + 4, 'stroke="var(--lr-axis)"'),
      text(x, height + 18, label, { ...muted, anchor: "middle" }),
    );
  }
  // On a phone without what follows a comma, and within the figure though the plot be small.
  const title = narrow ? xAxis.title.replace(/,.*/, "") : xAxis.title;
  const half = title.length * 3.4;
  const middle = Math.max(Math.min(width / 2, width + frame.right - half), half - frame.left);
  below.push(text(middle, height + 37, title, { ...muted, anchor: "middle" }));
  // What is said in terms of the first x axis is not shown against another.
  const first = view.x === 0;
  const within = (value: number) => Math.min(Math.max(xAt(value), 0), width);
  if (plot.shade && first) {
    const [from, to] = plot.shade;
    below.push(
      `<rect x="${tenth(within(from))}" y="0" width="${tenth(within(to) - within(from))}" height="${height}" fill="var(--lr-ink)" opacity=".07"/>`,
    );
  }

  const areas: string[] = [];
  const strokes: string[] = [];
  const banded = shown.filter((line) => line.bands?.[view.band]).length;
  for (const line of shown) {
    const band = line.bands?.[view.band];
    if (band) {
      const path = bandPath(pointsOf(line, band.low), pointsOf(line, band.high));
      if (path)
        areas.push(
          `<path d="${path}" fill="${line.colour}" opacity="${banded < 3 ? 0.18 : 0.1}"/>`,
        );
    }
    const points = pointsOf(line, line.y);
    const path = linePath(points);
    // Of points that are under two pixels apart a join is not seen; round ones would take half of the painting.
    const join = 2 * points.length > width ? "bevel" : "round";
    if (path)
      strokes.push(
        `<path d="${path}" fill="none" stroke="${line.colour}" stroke-width="${line.width ?? 2}"` +
          `${line.opacity === undefined ? "" : ` opacity="${line.opacity}"`}${dashed(line.dash)} stroke-linejoin="${join}"${line.dash[1] === 0 ? ' stroke-linecap="round"' : ""}/>`,
      );
    if (line.dots)
      for (const point of points)
        if (point)
          strokes.push(
            `<circle cx="${tenth(point[0])}" cy="${tenth(point[1])}" r="3" fill="${line.colour}"/>`,
          );
  }
  const curves = areas.join("") + strokes.join("");
  const drawn = plot.clip
    ? `<svg width="${tenth(width)}" height="${height}" overflow="hidden">${curves}</svg>`
    : curves;

  const above: string[] = [];
  for (const mark of first ? (plot.marks ?? []) : []) {
    if (mark.key !== undefined && view.hidden.includes(mark.key)) continue;
    const x = xAt(mark.x);
    const row = -14 - 17 * mark.rows[narrow];
    const left = mark.sides[narrow] === "left";
    const colour = mark.colour ?? "var(--lr-ink)";
    above.push(
      rule(x, row - 6, x, height, `stroke="${colour}" stroke-width="1.25"${dashed(mark.dash)}`),
      text(x + (left ? -5 : 5), row + 4, mark.texts[narrow], {
        anchor: left ? "end" : "start",
        fill: colour,
        bold: true,
      }),
    );
  }
  for (const bar of first ? (plot.bars ?? []) : [])
    above.push(
      rule(
        within(bar.from),
        0,
        within(bar.to),
        0,
        `stroke="var(--lr-ink)" stroke-width="${bar.width}" opacity=".8"`,
      ),
    );
  for (const { key, x, y, colour } of plot.points ?? [])
    if (first && !view.hidden.includes(key) && onAxes(x, y) && y <= yAxis.high && y >= yAxis.low)
      above.push(`<circle cx="${tenth(xAt(x))}" cy="${tenth(yAt(y))}" r="4.5" fill="${colour}"/>`);

  const ends = shown.flatMap((line) => {
    const across = line.x[view.x] ?? line.x[0]!;
    const last = across.findLastIndex((x, i) => onAxes(x, line.y[i]));
    if (last < 0) return [];
    const y = Math.min(Math.max(yAt(line.y[last]!), 0), height);
    return [{ line, end: [xAt(across[last]!), y] as const }];
  });
  for (const { line, end } of ends)
    if (line.stopped)
      above.push(
        text(end[0], end[1] + 7, "×", {
          anchor: "middle",
          fill: line.colour,
          bold: true,
          size: 22,
        }),
      );
  const labelled = ends.filter(({ line }) => line.labels);
  const places = tools.placeLabels(
    labelled.map(({ end }) => end[1]),
    { gap: 16, low: 4, high: height - 2 },
  );
  for (const [i, { line, end }] of labelled.entries()) {
    const y = places[i]!.placed;
    const from = Math.min(end[0] + (line.stopped ? 9 : 3), width + 3);
    above.push(
      rule(
        from,
        end[1],
        width + 12,
        y,
        `stroke="${line.colour}" stroke-dasharray="2 2" opacity=".7"`,
      ),
      text(width + 16, y + 4, line.labels![narrow], { fill: line.colour, bold: true }),
    );
  }
  return `<g transform="translate(${frame.left},${frame.top})">${below.join("")}${drawn}${above.join("")}</g>`;
}
