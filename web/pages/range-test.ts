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
import { growingPlot, heardRamps, type Ramp, type Ramps, rampsText } from "../growing-ramp.ts";
import { outsideOf, outsideText } from "../outside.ts";
import { withBounds } from "../range-marks.ts";
import { stateText } from "../state-text.ts";
import { steering } from "../steering.ts";
import type { OpenPage } from "./page.ts";

/** Milliseconds between two drawings. */
const DRAW = 200;

const POINTS = { means: "smoothed", runs: "single batches" };

export const openRangeTest: OpenPage = ({ parts: [id = "", chosen], state, events }) => {
  let study: FollowedStudy = unheard(id);
  let ramps: Ramps = new Map();
  const title = element("h1", {}, "Range test");
  const status = element("p", { class: "note", role: "status" });
  const steer = steering(id);
  const growing = element("div");
  const problem = element("p", { class: "warn", role: "alert", hidden: true });
  const none = element("p", { class: "note" }, "No range test has begun yet.");
  const body = element("div");
  const underWay = new Map<string, ReturnType<typeof growingSection>>();
  let shown = "";
  let due: ReturnType<typeof setTimeout> | null = null;
  const draw = () => {
    due = null;
    const { experiment, progress } = study;
    if (!experiment) return;
    title.textContent = `Range test: ${experiment.dataset.name}, ${experiment.model.name}`;
    const isOf = ({ arm }: { readonly arm: string }) => chosen === undefined || arm === chosen;
    const records = Object.values(progress.rangeTests).filter(isOf);
    const open = [...ramps.values()].filter((ramp) => isOf(ramp) && !progress.rangeTests[ramp.arm]);
    if (experiment.kind === "find") {
      status.textContent = stateText(study);
      steer.show(study);
    }
    none.hidden = records.length + open.length > 0;
    for (const arm of new Set([...underWay.keys(), ...open.map((ramp) => ramp.arm)])) {
      const own = open.filter((ramp) => ramp.arm === arm);
      const shownNow = underWay.get(arm) ?? growingSection(arm);
      underWay.set(arm, shownNow);
      if (own.length === 0) {
        shownNow.root.remove();
        underWay.delete(arm);
        continue;
      }
      if (!shownNow.root.isConnected) growing.append(shownNow.root);
      shownNow.show(own, experiment.specification?.ramp ?? "exponential");
    }
    const now = JSON.stringify(records);
    if (now === shown) return;
    shown = now;
    fill(
      body,
      records.map((record) => section(record, study, state)),
    );
  };
  const stop = events.follow(id, (message) => {
    study = heard(study, message);
    ramps = message.events.reduce(heardRamps, message.from === "" ? new Map() : ramps);
    problem.hidden = study.problem === null;
    problem.textContent = study.problem ?? "";
    due ??= setTimeout(draw, DRAW);
  });
  return {
    title: "Range test",
    root: element("div", {}, title, status, steer.root, problem, none, growing, body),
    close() {
      stop();
      if (due !== null) clearTimeout(due);
    },
  };
};

/** The curves of an arm's ramps as they grow. */
function growingSection(arm: string) {
  const curves = chart(`Loss against learning rate so far, ${arm}`, () => undefined);
  const how = element("p", { class: "note" });
  const cut = element("figcaption", { class: "note" });
  curves.figure.append(cut);
  return {
    root: element("section", { class: "growing" }, element("h2", {}, arm), how, curves.figure),
    show(ramps: readonly Ramp[], kind: "exponential" | "linear") {
      // The quick ramp has said what it was for once another has begun.
      const seeds = ramps.filter(({ isSearch }) => !isSearch);
      const own = (seeds.length > 0 ? seeds : ramps).toSorted((a, b) => a.seed - b.seed);
      how.textContent = `Under way: ${rampsText(own)}.`;
      const plot = growingPlot(own, kind);
      curves.figure.hidden = !plot;
      if (!plot) return;
      const view = { x: 0, y: 0, band: "", hidden: [] };
      curves.show(plot, view, []);
      cut.textContent = cutText(plot);
    },
  };
}

/** What the frame leaves out: of the seeds' smoothed losses, and of the single batches beneath them. */
function cutText({ y, lines }: LinePlot): string {
  const single = lines.filter(({ silent = false }) => silent);
  const all = { y, lines: lines.filter(({ key }) => key.startsWith("seed ")) };
  return outsideText(outsideOf(all, { y: 0, hidden: [] }, single), [], POINTS);
}

function section(
  record: RangeTestRecord,
  study: FollowedStudy,
  state: URLSearchParams,
): HTMLElement {
  const { arm, optimizer, suggestion, suggestions } = record;
  const name = (end: string) => `${end} ${arm}`;
  const within = (rate: number) => Math.min(Math.max(rate, record.from), record.to);
  const asked = (end: string) => {
    const rate = Number(state.get(name(end)));
    return rate > 0 ? within(rate) : null;
  };
  const rules = Object.values(suggestions);
  const bounds = {
    low: asked("low") ?? suggestion?.peak.baseLr ?? record.from,
    high: asked("high") ?? suggestion?.peak.rate ?? rules[0] ?? record.to,
  };
  const [loss] = rangeTestFigures(record, "arm");
  const curve: Chart = chart(loss?.label ?? "", () => undefined);
  const cycle = chart("Learning rate against update", () => undefined);
  const cut = element("figcaption", { class: "note" }, loss?.plot ? cutText(loss.plot) : "");
  curve.figure.append(cut);
  const exporting = element("div", { class: "bar" });
  void import("../export.ts").then(({ pictureBar }) =>
    exporting.append(pictureBar(["range-test", curve], ["cycle", cycle])),
  );
  const command = element("pre", { tabindex: 0, role: "region", "aria-label": "Command" });
  const updatesPerEpoch = study.experiment?.protocol.updatesPerEpoch ?? 1;
  const stepSize = 4 * updatesPerEpoch;
  const number = (end: "low" | "high", label: string) => {
    const input: HTMLInputElement = element("input", {
      type: "number",
      step: "any",
      min: 0,
      "aria-label": `${label} of ${arm}`,
      onchange: () => {
        move(end, Number(input.value));
        input.value = formatRate(bounds[end]);
      },
    });
    return input;
  };
  const inputs = { low: number("low", "Lower bound"), high: number("high", "Upper bound") };
  let shownWidth = 0;
  const show = () => {
    if (!loss?.plot) return;
    shownWidth = curve.figure.clientWidth;
    const plot = withBounds(loss.plot, bounds, curve.width());
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
    const rate = within(to);
    // Neither passes the other.
    bounds[end] =
      end === "low" ? Math.min(rate, bounds.high * 0.99) : Math.max(rate, bounds.low * 1.01);
    setState({ [name(end)]: String(Number(bounds[end].toPrecision(4))) });
    show();
  };
  draggable(curve, { bounds, move });
  // Its width is known once it is on the page, and labels are placed for it.
  const resized = new ResizeObserver(() => {
    if (!curve.figure.isConnected) return resized.disconnect();
    if (curve.figure.clientWidth !== shownWidth) show();
  });
  resized.observe(curve.figure);
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
      element(
        "span",
        { class: "bar", role: "group", "aria-label": `Readings of ${arm} to take for it` },
        offered(suggestions, suggestion).map(([rule, rate]) =>
          element(
            "button",
            { type: "button", onclick: () => move("high", rate) },
            `${rule} ${formatRate(rate)}`,
          ),
        ),
      ),
    ),
    record.warnings.map((text) => element("p", { class: "warn" }, text)),
    ratesTried(record),
    element("h3", {}, "The cycle between them"),
    cycle.figure,
    command,
    exporting,
  );
}

/**
 * Upper bounds to choose from. Of the rule whose suggestion is shown it is that: its reading is another number, from
 * which the suggestion is made.
 */
function offered(
  readings: RangeTestRecord["suggestions"],
  suggestion: RangeTestRecord["suggestion"],
): (readonly [name: string, rate: number])[] {
  const others = Object.entries(readings).filter(([rule]) => rule !== suggestion?.peak.rule);
  return suggestion ? [["suggested", suggestion.peak.rate], ...others] : others;
}

/** Of a test that was tuned or confirmed: how training went at the rates that were tried. Most tests are neither. */
function ratesTried(record: RangeTestRecord): HTMLElement {
  const tried = element("div", { class: "results" });
  if (record.tuning || record.confirmation)
    void import("../rates-tried.ts").then(({ figuresOfRates }) =>
      tried.append(...figuresOfRates(record)),
    );
  return tried;
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
