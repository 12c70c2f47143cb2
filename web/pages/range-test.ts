/**
 * @file Range tests of a study: every seed and rule in the report's own figure, with bounds that are dragged or typed,
 * and what a cycle between them looks like and is asked for by.
 */

import { shellLine } from "../../src/core/shell.ts";
import type { RangeTestRecord } from "../../src/record/index.ts";
import { scheduleFigure } from "../../src/report/draw-schedule.ts";
import { rangeTestFigures } from "../../src/report/figures/range-test.ts";
import type { LinePlot } from "../../src/report/plot/line-plot.ts";
import { formatRate, triangular } from "../../src/schedules/index.ts";
import { setState } from "../address.ts";
import { type Chart, chart } from "../chart.ts";
import { element, fill } from "../element.ts";
import { type FollowedStudy, heard, unheard } from "../followed-study.ts";
import type { OpenPage } from "./page.ts";

export const openRangeTest: OpenPage = ({ parts: [id = "", chosen], state, events }) => {
  let study: FollowedStudy = unheard(id);
  const title = element("h1", {}, "Range test");
  const body = element("div", {}, element("p", { class: "note" }, "No range test has ended yet."));
  let shown = "";
  const stop = events.follow(id, (message) => {
    study = heard(study, message);
    const { experiment, progress } = study;
    const records = Object.values(progress.rangeTests).filter(
      ({ arm }) => chosen === undefined || arm === chosen,
    );
    const now = JSON.stringify(records);
    if (!experiment || records.length === 0 || now === shown) return;
    shown = now;
    title.textContent = `Range test: ${experiment.dataset.name}, ${experiment.model.name}`;
    fill(
      body,
      records.map((record) => section(record, study, state)),
    );
  });
  return { title: "Range test", root: element("div", {}, title, body), close: stop };
};

function section(
  record: RangeTestRecord,
  study: FollowedStudy,
  state: URLSearchParams,
): HTMLElement {
  const { arm, optimizer, suggestion, suggestions } = record;
  const name = (end: string) => `${end} ${arm}`;
  const asked = (end: string) => Number(state.get(name(end))) || null;
  const rules = Object.values(suggestions);
  const bounds = {
    low: asked("low") ?? suggestion?.peak.baseLr ?? record.from,
    high: asked("high") ?? suggestion?.peak.rate ?? rules[0] ?? record.to,
  };
  const [loss] = rangeTestFigures(record, "arm");
  const curve: Chart = chart(loss?.label ?? "", () => undefined);
  const cycle = chart("Learning rate against update", () => undefined);
  const command = element("pre", { tabindex: 0, role: "region", "aria-label": "Command" });
  const updatesPerEpoch = study.experiment?.protocol.updatesPerEpoch ?? 1;
  const stepSize = 4 * updatesPerEpoch;
  const number = (end: "low" | "high", label: string) => {
    const input: HTMLInputElement = element("input", {
      type: "number",
      step: "any",
      min: 0,
      "aria-label": `${label} of ${arm}`,
      onchange: () => move(end, Number(input.value)),
    });
    return input;
  };
  const inputs = { low: number("low", "Lower bound"), high: number("high", "Upper bound") };
  const show = () => {
    if (!loss?.plot) return;
    // The bounds that are chosen, in place of those that were suggested.
    const own = ["lower", "peak", "upper"];
    const marks = (loss.plot.marks ?? []).filter(
      ({ texts }) => !own.some((word) => texts[0].startsWith(`${word} `)),
    );
    const rows = Math.max(-1, ...marks.flatMap((each) => each.rows)) + 1;
    const mark = (text: string, x: number, row: number, side: "left" | "right") => ({
      ...{
        x,
        texts: [text, text] as const,
        dash: [6, 4],
        rows: [row, row] as const,
        sides: [side, side] as const,
      },
    });
    const taller = (frame: LinePlot["frames"][0]) => ({
      ...frame,
      top: 40 + 17 * (rows + 2),
      height: frame.height - frame.top + 40 + 17 * (rows + 2),
    });
    const plot: LinePlot = {
      ...loss.plot,
      frames: [taller(loss.plot.frames[0]), taller(loss.plot.frames[1])],
      shade: [bounds.low, bounds.high],
      marks: [
        ...marks,
        mark(`lower ${formatRate(bounds.low)}`, bounds.low, rows, "left"),
        mark(`upper ${formatRate(bounds.high)}`, bounds.high, rows + 1, "right"),
      ],
    };
    curve.show(plot, { x: 0, y: 0, band: plot.bands[0]?.name ?? "", hidden: [] }, []);
    const schedule = triangular({ base: bounds.low, max: bounds.high, stepSize });
    const figure = scheduleFigure(schedule, { updates: 4 * stepSize });
    if (figure.plot) cycle.show(figure.plot, { x: 0, y: 0, band: "", hidden: [] }, []);
    for (const end of ["low", "high"] as const)
      if (document.activeElement !== inputs[end]) inputs[end].value = formatRate(bounds[end]);
    const { specification } = study.experiment ?? {};
    command.textContent = shellLine([
      ...[
        "lrscope",
        "train",
        specification?.source ?? "SOURCE",
        "--optimizer",
        optimizer,
        "--schedule",
        "clr",
      ],
      ...["--base-lr", formatRate(bounds.low), "--max-lr", formatRate(bounds.high)],
    ]);
  };
  const move = (end: "low" | "high", to: number) => {
    if (!(to > 0) || !Number.isFinite(to)) return;
    const rate = Math.min(Math.max(to, record.from), record.to);
    // Neither passes the other.
    bounds[end] =
      end === "low" ? Math.min(rate, bounds.high * 0.99) : Math.max(rate, bounds.low * 1.01);
    setState({ [name(end)]: String(Number(bounds[end].toPrecision(4))) });
    show();
  };
  draggable(curve, { bounds, move });
  // Its width is known once it is on the page.
  requestAnimationFrame(show);
  return element(
    "section",
    {},
    element("h2", {}, arm),
    curve.figure,
    element(
      "div",
      { class: "bar" },
      element("label", {}, "lower bound ", inputs.low),
      element("label", {}, "upper bound ", inputs.high),
      Object.entries(suggestions).map(([rule, rate]) =>
        element(
          "button",
          { type: "button", onclick: () => move("high", rate) },
          `${rule} ${formatRate(rate)}`,
        ),
      ),
    ),
    record.warnings.map((text) => element("p", { class: "warn" }, text)),
    element("h3", {}, "The cycle between them"),
    cycle.figure,
    command,
  );
}

interface Drag {
  readonly bounds: { low: number; high: number };
  move(end: "low" | "high", to: number): void;
}

/** Takes the nearer bound along with the pointer. */
function draggable({ figure, drawn }: Chart, { bounds, move }: Drag): void {
  let held: "low" | "high" | null = null;
  const rateAt = (event: PointerEvent): number | null => {
    const svg = figure.querySelector("svg");
    const { plot, view } = drawn();
    const axis = plot.x?.[0];
    if (!svg || !axis) return null;
    const box = svg.getBoundingClientRect();
    const frame = plot.frames[view.width < 600 ? 1 : 0];
    const width = view.width - frame.left - frame.right;
    const part = (((event.clientX - box.left) / box.width) * view.width - frame.left) / width;
    return axis.low * (axis.high / axis.low) ** Math.min(Math.max(part, 0), 1);
  };
  figure.classList.add("draggable");
  figure.addEventListener("pointerdown", (event) => {
    const rate = rateAt(event);
    if (rate === null) return;
    const away = (end: "low" | "high") => Math.abs(Math.log(rate / bounds[end]));
    held = away("low") < away("high") ? "low" : "high";
    figure.setPointerCapture(event.pointerId);
    move(held, rate);
  });
  figure.addEventListener("pointermove", (event) => {
    const rate = held && rateAt(event);
    if (held && rate) move(held, rate);
  });
  for (const end of ["pointerup", "pointercancel"])
    figure.addEventListener(end, () => {
      held = null;
    });
}
