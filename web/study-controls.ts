/** @file What a reader chooses about the curves: axes, band, smoothing, seeds; and of each arm whether it is shown, and in which colour. */

import type { ReportArm } from "../src/report/figures/arms.ts";
import { placeTip } from "../src/report/live/enhance.ts";
import { darkColours, lightColours } from "../src/report/palette.ts";
import type { LinePlot } from "../src/report/plot/line-plot.ts";
import { type Facts, factList } from "./arm-facts.ts";
import { check, choice } from "./choice.ts";
import { ACROSS, BANDS, VERTICALS } from "./choices.ts";
import { element, fill } from "./element.ts";
import type { StudyView } from "./study-view.ts";

const SAID: Readonly<Record<string, string>> = {
  ...{ epoch: "by epoch", second: "by second", update: "by update" },
  ...{
    range: "least to greatest",
    interval: "95% interval",
    sd: "standard deviation",
    none: "no band",
  },
  ...{ linear: "linear loss", log: "log loss", whole: "whole loss" },
};

export interface StudyControls {
  readonly root: HTMLElement;
  /** @param factsOf with what an arm trains, told where the pointer or the focus is on it */
  show(arms: readonly ReportArm[], factsOf: (arm: string) => Facts): void;
  /** Offers those vertical axes that a chart of losses has. */
  axesOf(losses: readonly Partial<LinePlot>[]): void;
}

export function studyControls(view: StudyView, changed: () => void): StudyControls {
  const chosen = <T extends string>(
    label: string,
    all: readonly T[],
    now: () => T,
    set: (to: T) => void,
  ) =>
    choice<T>({
      ...{ label, all, chosen: now, said: (each: T) => SAID[each] ?? each },
      set(to) {
        set(to);
        changed();
      },
    });
  const ticked = (text: string, now: boolean, set: (to: boolean) => void) =>
    check(text, now, (to) => {
      set(to);
      changed();
    });
  const range = element("input", {
    type: "range",
    min: 0,
    max: 0.99,
    step: 0.01,
    value: view.smoothing,
    "aria-label": "Smoothing, weight of the past",
    oninput: () => {
      view.set({ smoothing: Number(range.value) });
      weight.textContent = range.value;
      changed();
    },
  });
  // The slider says its value itself.
  const weight = element("span", { "aria-hidden": "true" }, String(view.smoothing));
  const legend = element("div", { class: "legend", role: "group", "aria-label": "Arms" });
  const tip = settingsTip(legend);
  const vertical = chosen(
    "Vertical axis of losses",
    VERTICALS,
    () => view.chosen.loss,
    (loss) => view.set({ loss }),
  );
  const bands = chosen(
    "Band over the seeds",
    BANDS,
    () => view.chosen.band,
    (band) => view.set({ band }),
  );
  const root = element(
    "div",
    { class: "controls", role: "group", "aria-label": "What the curves show" },
    legend,
    tip.root,
    chosen(
      "Horizontal axis",
      ACROSS,
      () => view.chosen.across,
      (across) => view.set({ across }),
    ),
    ticked("log", view.logAcross, (logAcross) => view.set({ logAcross })),
    ...[vertical, bands],
    element("label", { class: "check" }, "smoothing ", range, weight),
    ticked("seeds", view.seeds, (seeds) => view.set({ seeds })),
    ticked("failed and diverged", view.failed, (failed) => view.set({ failed })),
  );
  let shown = "";
  return {
    root,
    axesOf(losses) {
      const all = losses.flatMap(({ y = [] }) => y);
      for (const button of vertical.children) {
        const name = button.getAttribute("data-choice");
        (button as HTMLElement).hidden = !all.some(({ choice: each }) => each === name);
      }
      vertical.hidden = new Set(all.map(({ choice: each }) => each)).size < 2;
    },
    show(arms, factsOf) {
      tip.of = factsOf;
      bands.hidden = !arms.some(({ trials }) => trials.length > 1);
      const now = JSON.stringify([
        arms.map(({ name, label, look }) => [name, label, look]),
        view.hidden,
      ]);
      if (now === shown) return;
      shown = now;
      const focused = legend.contains(document.activeElement)
        ? document.activeElement?.getAttribute("data-focus")
        : null;
      fill(
        legend,
        arms.map((arm) => entry(arm, view, changed)),
      );
      if (focused)
        legend.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    },
  };
}

function entry(
  { name, label, look }: ReportArm,
  view: StudyView,
  changed: () => void,
): HTMLElement {
  const isHidden = view.hidden.includes(name);
  const toggle = element(
    "button",
    {
      type: "button",
      "aria-pressed": String(!isHidden),
      "data-focus": `hide ${name}`,
      "data-arm": name,
      onclick: () => {
        view.hide(name, !isHidden);
        changed();
      },
    },
    sampleOf(look),
    label,
  );
  const colour = element("input", {
    type: "color",
    value: plain(look.colour),
    "data-focus": `colour ${name}`,
    "aria-label": `Colour of ${name}`,
    onchange: () => {
      view.colour(name, colour.value);
      changed();
    },
  });
  return element("span", { class: "entry" }, toggle, colour);
}

/** A piece of its line: of several studies the arms have the colours, and each study its dashes. */
function sampleOf({ colour, dash }: ReportArm["look"]): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of [
    ["viewBox", "0 0 22 8"],
    ["class", "sample"],
    ["aria-hidden", "true"],
  ] as const)
    made.setAttribute(name, value);
  const dashed = dash[1] === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
  made.innerHTML = `<path d="M0 4H22" stroke-width="2.5"${dashed}/>`;
  made.firstElementChild?.setAttribute("stroke", colour);
  return made;
}

const TIP = "arm-settings";

/** Beside the arm that the pointer or the focus is on: with what it trains. Escape takes it away. */
function settingsTip(legend: HTMLElement) {
  const root = element("div", { id: TIP, class: "tip settings", role: "tooltip", hidden: true });
  const tip = { root, of: (_: string): Facts => [] };
  let described: HTMLElement | null = null;
  const show = ({ target }: Event) => {
    const on = (target as Element | null)?.closest<HTMLElement>("[data-arm]");
    if (!on) return;
    const name = on.dataset.arm ?? "";
    hide();
    described = on;
    on.setAttribute("aria-describedby", TIP);
    fill(root, element("b", {}, name), factList(tip.of(name)));
    const box = on.getBoundingClientRect();
    placeTip(root, box.left, box.bottom + 6);
  };
  const hide = () => {
    root.hidden = true;
    described?.removeAttribute("aria-describedby");
    described = null;
  };
  for (const begin of ["pointerover", "focusin"]) legend.addEventListener(begin, show);
  for (const end of ["pointerleave", "focusout"]) legend.addEventListener(end, hide);
  legend.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  return tip;
}

/** A colour of the palette as the control takes it. */
function plain(colour: string): string {
  const name = /var\(--lr-(\w+)\)/.exec(colour)?.[1];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return name === undefined ? colour : ((dark ? darkColours : lightColours)[name] ?? "#000000");
}
