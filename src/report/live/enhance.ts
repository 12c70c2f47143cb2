/**
 * @file What the page's script does: values on hover, hiding of lines, choice of axes and bands. The
 * page is whole without it.
 *
 * Long because its text goes into the page (script.ts): it refers to nothing but its argument, the
 * browser, and functions declared here.
 */

import type { Axis, DrawTools, Line, LinePlot, LineView } from "../plot/line-plot.ts";

/** What the script is handed; every function's text is in the page. */
export interface LiveTools extends DrawTools {
  drawLines(plot: LinePlot, view: LineView, tools: DrawTools): string;
  pixelOf(axis: Axis, value: number, extent: number): number;
  formatRate(value: number): string;
}

/** Reads the plots out of the page and makes their figures answer. Runs in a browser. */
export function enhance(tools: LiveTools): void {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  document.body.append(tip);
  document.documentElement.classList.add("live");
  for (const group of document.querySelectorAll<HTMLElement>(".plots"))
    enhanceGroup(group, tip, tools);
  enhanceTitles(tip);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });
}

/** Figures that share their controls: the view of one is the view of all. */
export function enhanceGroup(group: HTMLElement, tip: HTMLElement, tools: LiveTools): void {
  const data = group.querySelector('script[type="application/json"]');
  const plots = JSON.parse(data?.textContent ?? "[]") as LinePlot[];
  const view = { x: 0, y: 0, band: plots[0]?.bands[0]?.name ?? "", hidden: [] as string[] };
  const figures = plots.flatMap((plot) => {
    const figure = group.querySelector<HTMLElement>(`figure[data-plot="${CSS.escape(plot.name)}"]`);
    return figure ? [{ plot, figure }] : [];
  });
  const viewOf = (plot: LinePlot, width: number) => ({
    ...view,
    width,
    x: Math.min(view.x, plot.x.length - 1),
    y: Math.min(view.y, plot.y.length - 1),
    hidden: [...view.hidden],
  });
  const redraw = () => {
    tip.hidden = true;
    for (const { plot, figure } of figures)
      for (const svg of figure.querySelectorAll("svg"))
        svg.innerHTML = tools.drawLines(plot, viewOf(plot, svg.viewBox.baseVal.width), tools);
  };
  const bar = controlsOf(plots, view, redraw);
  if (bar.childElementCount > 0) (group.querySelector(".controls-here") ?? group).prepend(bar);
  for (const { plot, figure } of figures) followPointer(figure, plot, viewOf, tip, tools);
}

/** Buttons: one a line, to hide it; and the choices of axes and bands. */
export function controlsOf(
  plots: readonly LinePlot[],
  view: { x: number; y: number; band: string; hidden: string[] },
  redraw: () => void,
): HTMLElement {
  const bar = document.createElement("div");
  bar.className = "controls";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "What the figures show");
  const button = (parent: HTMLElement, text: string, pressed: boolean, press: () => void) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-pressed", String(pressed));
    made.addEventListener("click", press);
    parent.append(made);
    return made;
  };

  const keys = new Map<string, { text: string; colour: string; dash: readonly number[] }>();
  for (const plot of plots) {
    // What is drawn faintly beneath stands last.
    const lines = [...plot.lines].sort(
      (a, b) => Number(a.silent ?? false) - Number(b.silent ?? false),
    );
    for (const { key, legend, colour, dash } of lines)
      if (!keys.has(key)) keys.set(key, { text: legend ?? key, colour, dash });
    for (const mark of plot.marks ?? [])
      if (mark.key !== undefined && !keys.has(mark.key))
        keys.set(mark.key, {
          text: mark.key,
          colour: mark.colour ?? "var(--lr-ink)",
          dash: mark.dash,
        });
  }
  if (keys.size > 1) {
    const legend = document.createElement("div");
    legend.className = "legend";
    for (const [key, { text, colour, dash }] of keys) {
      const made = button(legend, text, true, () => {
        const hide = !view.hidden.includes(key);
        if (hide) view.hidden.push(key);
        else view.hidden.splice(view.hidden.indexOf(key), 1);
        made.setAttribute("aria-pressed", String(!hide));
        redraw();
      });
      made.title = `show or hide ${key}`;
      const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      sample.setAttribute("viewBox", "0 0 22 8");
      sample.setAttribute("class", "sample");
      sample.setAttribute("aria-hidden", "true");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [name, value] of Object.entries({
        x1: 0,
        x2: 22,
        y1: 4,
        y2: 4,
        "stroke-width": 2.5,
      }))
        line.setAttribute(name, String(value));
      line.setAttribute("stroke", colour);
      if (dash[1] !== 0) line.setAttribute("stroke-dasharray", dash.join(" "));
      sample.append(line);
      made.prepend(sample);
    }
    bar.append(legend);
  }

  const choose = <T>(
    label: string,
    choices: readonly [string, T][],
    chosen: T,
    set: (to: T) => void,
  ) => {
    if (choices.length < 2) return;
    const row = document.createElement("div");
    row.className = "choice";
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", label);
    for (const [text, value] of choices)
      button(row, text, value === chosen, () => {
        set(value);
        for (const [i, other] of [...row.children].entries())
          other.setAttribute("aria-pressed", String(choices[i]![1] === value));
        redraw();
      });
    bar.append(row);
  };
  const most = (side: "x" | "y") =>
    plots.reduce(
      (a, plot) => (plot[side].length > a.length ? plot[side] : a),
      [] as readonly Axis[],
    );
  choose(
    "Horizontal axis",
    most("x").map((axis, i) => [axis.choice, i]),
    0,
    (to) => {
      view.x = to;
    },
  );
  const ys = most("y");
  const all = plots.every((plot) => plot.y.length === ys.length);
  choose(
    "Vertical axis",
    ys.map((axis, i) => [`${axis.choice}${all ? "" : " loss"}`, i]),
    0,
    (to) => {
      view.y = to;
    },
  );
  const bands = plots[0]?.bands ?? [];
  if (bands.length > 0)
    choose(
      "Band",
      [
        ...bands.map(({ name, choice }): [string, string] => [choice, name]),
        ...(bands.some(({ name }) => name === "") ? [] : [["no band", ""] as [string, string]]),
      ],
      view.band,
      (to) => {
        view.band = to;
      },
    );
  return bar;
}

/** A crosshair that is moved from elsewhere: to a value of the horizontal axis, away, or to where it was. */
export interface Crosshair {
  show(x: number): void;
  hide(): void;
  again(): void;
}

/**
 * A crosshair and the values at it, under the pointer or moved by arrow keys; `onMove` hears where it is, and
 * null where it is gone.
 */
export function followPointer(
  figure: HTMLElement,
  plot: LinePlot,
  viewOf: (plot: LinePlot, width: number) => LineView,
  tip: HTMLElement,
  tools: LiveTools,
  onMove: (x: number | null) => void = () => undefined,
): Crosshair {
  let at: number | null = null;
  const svgOnView = () =>
    [...figure.querySelectorAll("svg")].find((svg) => svg.getBoundingClientRect().width > 0);
  const hide = () => {
    tip.hidden = true;
    at = null;
    for (const cross of figure.querySelectorAll(".crosshair")) cross.remove();
  };
  const leave = () => {
    hide();
    onMove(null);
  };
  const show = (x: number) => {
    const svg = svgOnView();
    if (!svg) return;
    const view = viewOf(plot, svg.viewBox.baseVal.width);
    const frame = plot.frames[view.width < 600 ? 1 : 0];
    const axis = plot.x[view.x]!;
    const width = view.width - frame.left - frame.right;
    const lines = plot.lines.filter(
      (line) => !view.hidden.includes(line.key) && !(line.silent ?? false),
    );
    const readings = lines.flatMap((line) => {
      const found = readLine(line, view.x, x);
      return found &&
        Math.abs(tools.pixelOf(axis, found.x, width) - tools.pixelOf(axis, x, width)) < 14
        ? [{ line, ...found }]
        : [];
    });
    for (const cross of figure.querySelectorAll(".crosshair")) cross.remove();
    if (readings.length === 0) {
      tip.hidden = true;
      return;
    }
    const height = frame.height - frame.top - frame.bottom;
    const yAxis = plot.y[view.y]!;
    const across = (tools.pixelOf(axis, x, width) + frame.left).toFixed(1);
    const dots = readings
      .filter(({ y }) => y >= yAxis.low && y <= yAxis.high)
      .map(
        ({ line, x: own, y }) =>
          `<circle cx="${(tools.pixelOf(axis, own, width) + frame.left).toFixed(1)}" cy="${(frame.top + height - tools.pixelOf(yAxis, y, height)).toFixed(1)}" r="3.5" fill="${line.colour}" stroke="var(--lr-paper)"/>`,
      )
      .join("");
    svg.insertAdjacentHTML(
      "beforeend",
      `<g class="crosshair" pointer-events="none"><line x1="${across}" x2="${across}" y1="${frame.top}" y2="${frame.top + height}" stroke="var(--lr-muted)" stroke-dasharray="3 3"/>${dots}</g>`,
    );
    readings.sort((a, b) => b.y - a.y);
    fillTip(
      tip,
      `${axis.format === "seconds" ? "" : `${shortTitle(axis)} `}${valueText(x, axis, tools)}`,
      readings,
      {
        yAxis,
        band: view.band,
        tools,
      },
    );
    const box = svg.getBoundingClientRect();
    const scale = box.width / view.width;
    placeTip(tip, box.left + Number(across) * scale, box.top + frame.top * scale);
  };
  const valuesOn = (view: LineView) => {
    const all = plot.lines
      .filter((line) => !view.hidden.includes(line.key) && !(line.silent ?? false))
      .flatMap((line) => line.x[view.x] ?? line.x[0]!);
    return [...new Set(all)].sort((a, b) => a - b);
  };
  const move = (event: PointerEvent) => {
    const svg = svgOnView();
    if (!svg) return;
    const view = viewOf(plot, svg.viewBox.baseVal.width);
    const frame = plot.frames[view.width < 600 ? 1 : 0];
    const axis = plot.x[view.x]!;
    const box = svg.getBoundingClientRect();
    const width = view.width - frame.left - frame.right;
    const pixel = ((event.clientX - box.left) / box.width) * view.width - frame.left;
    const down = ((event.clientY - box.top) / box.height) * frame.height;
    if (
      pixel < -6 ||
      pixel > width + 6 ||
      down < frame.top - 4 ||
      down > frame.height - frame.bottom + 8
    ) {
      leave();
      return;
    }
    const part = Math.min(Math.max(pixel / width, 0), 1);
    const value = axis.log
      ? axis.low * (axis.high / axis.low) ** part
      : axis.low + part * (axis.high - axis.low);
    const continuous = plot.lines.every((line) => line.continuous ?? false);
    if (continuous) at = axis.format === "count" ? Math.round(value) : value;
    else {
      const near = (x: number) => Math.abs(tools.pixelOf(axis, x, width) - pixel);
      at = valuesOn(view).reduce((a, b) => (near(b) < near(a) ? b : a), Number.POSITIVE_INFINITY);
    }
    if (!Number.isFinite(at)) return;
    show(at);
    onMove(at);
  };
  figure.tabIndex = 0;
  figure.addEventListener("pointermove", move);
  figure.addEventListener("pointerdown", move);
  figure.addEventListener("pointerleave", leave);
  figure.addEventListener("blur", leave);
  figure.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    const end = { Home: 0, End: -1 }[event.key];
    const svg = svgOnView();
    if ((step === undefined && end === undefined) || !svg || event.target !== figure) return;
    event.preventDefault();
    const values = valuesOn(viewOf(plot, svg.viewBox.baseVal.width));
    const now = at === null ? -1 : values.findIndex((value) => value >= at!);
    const next = end ?? Math.min(Math.max(now + step!, 0), values.length - 1);
    at = values.at(next) ?? null;
    if (at === null) return;
    show(at);
    onMove(at);
  });
  return {
    hide,
    again() {
      if (at !== null) show(at);
    },
    show(x) {
      at = x;
      show(x);
    },
  };
}

/** The line's value at x or next to it; null where it has none. */
export function readLine(
  line: Line,
  axis: number,
  x: number,
): { x: number; y: number; index: number } | null {
  const xs = line.x[axis] ?? line.x[0]!;
  let index = -1;
  for (let i = 0; i < xs.length; i++)
    if (line.y[i] !== null && (index < 0 || Math.abs(xs[i]! - x) < Math.abs(xs[index]! - x)))
      index = i;
  if (index < 0) return null;
  if (line.continuous) {
    const after = xs.findIndex((value) => value >= x);
    const [a, b] = [line.y[after - 1], line.y[after]];
    if (after > 0 && a !== null && b !== null && xs[after]! > xs[after - 1]!) {
      const part = (x - xs[after - 1]!) / (xs[after]! - xs[after - 1]!);
      return { x, y: a! + part * (b! - a!), index };
    }
  }
  return { x: xs[index]!, y: line.y[index]!, index };
}

/** A title of an axis without what stands in brackets, in the singular where it counts. */
export function shortTitle(axis: Axis): string {
  return axis.title.replace(/ \(.*/, "").replace(/,.*/, "");
}

/** A value as hover says it. */
export function valueText(value: number, axis: Axis, tools: LiveTools): string {
  if (axis.format === "percent") return `${(value * 100).toFixed(1)}%`;
  if (axis.format === "rate") return tools.formatRate(value);
  if (axis.format === "count") return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
  if (axis.format === "seconds") {
    const seconds = Math.round(value);
    const minutes = Math.floor(seconds / 60);
    if (minutes === 0) return `${seconds} s`;
    return minutes < 60
      ? `${minutes} min ${seconds % 60} s`
      : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  return String(Number(value.toPrecision(3)));
}

/** Rows of the tip: sample of the line, name, value, band and count of seeds. */
export function fillTip(
  tip: HTMLElement,
  heading: string,
  readings: readonly { line: Line; y: number; index: number }[],
  { yAxis, band, tools }: { yAxis: Axis; band: string; tools: LiveTools },
): void {
  tip.replaceChildren();
  const head = document.createElement("b");
  head.textContent = heading;
  const table = document.createElement("table");
  for (const { line, y, index } of readings) {
    const row = table.insertRow();
    const swatch = row.insertCell();
    const mark = document.createElement("i");
    mark.style.background = line.colour;
    swatch.append(mark);
    row.insertCell().textContent = line.name;
    row.insertCell().textContent = valueText(y, yAxis, tools);
    const within = line.bands?.[band];
    const low = within?.low[index];
    const high = within?.high[index];
    const bounded = low !== null && low !== undefined && high !== null && high !== undefined;
    row.insertCell().textContent = bounded
      ? `${valueText(low, yAxis, tools)} – ${valueText(high, yAxis, tools)}`
      : "";
    row.insertCell().textContent = line.n?.[index] === undefined ? "" : `n = ${line.n[index]}`;
  }
  tip.append(head, table);
}

/** Beside a point of the window, where there is room. */
export function placeTip(tip: HTMLElement, x: number, y: number): void {
  tip.hidden = false;
  const room = document.documentElement.clientWidth;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 14 + width < room ? x + 14 : x - 14 - width;
  tip.style.left = `${Math.max(4, Math.min(left, room - width - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(y, window.innerHeight - height - 4))}px`;
}

/** Marks that carry a <title> show it at once, and not only after the browser's pause. */
export function enhanceTitles(tip: HTMLElement): void {
  for (const title of document.querySelectorAll("figure svg title")) {
    const mark = title.parentElement;
    if (!mark) continue;
    mark.setAttribute("data-tip", title.textContent ?? "");
    title.remove();
  }
  document.addEventListener("pointerover", (event) => {
    const mark = (event.target as Element | null)?.closest?.("[data-tip]");
    if (!mark) {
      if (tip.dataset.mark) tip.hidden = true;
      delete tip.dataset.mark;
      return;
    }
    tip.textContent = mark.getAttribute("data-tip");
    tip.dataset.mark = "yes";
    const box = mark.getBoundingClientRect();
    placeTip(tip, box.right - 6, box.top - 34);
  });
}
