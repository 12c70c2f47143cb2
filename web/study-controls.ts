/** @file What a reader chooses about the curves: axes, band, smoothing, seeds; and of each arm whether it is shown, and in which colour. */

import type { ReportArm } from "../src/report/figures/arms.ts";
import { darkColours, lightColours } from "../src/report/palette.ts";
import type { LinePlot } from "../src/report/plot/line-plot.ts";
import { element, fill } from "./element.ts";
import { ACROSS } from "./live-plot.ts";
import { BANDS, type StudyView, VERTICALS } from "./study-view.ts";

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
  show(arms: readonly ReportArm[], loss: LinePlot | null): void;
}

export function studyControls(view: StudyView, changed: () => void): StudyControls {
  const choice = <T extends string>(
    label: string,
    all: readonly T[],
    chosen: () => T,
    set: (to: T) => void,
  ) => {
    const row = element("div", { class: "choice", role: "group", "aria-label": label });
    for (const each of all)
      row.append(
        element(
          "button",
          {
            type: "button",
            "data-choice": each,
            "aria-pressed": String(each === chosen()),
            onclick: () => {
              set(each);
              for (const other of row.children)
                other.setAttribute(
                  "aria-pressed",
                  String(other.getAttribute("data-choice") === each),
                );
              changed();
            },
          },
          SAID[each] ?? each,
        ),
      );
    return row;
  };
  const check = (text: string, checked: boolean, set: (to: boolean) => void) => {
    const box = element("input", {
      type: "checkbox",
      checked,
      onchange: () => {
        set(box.checked);
        changed();
      },
    });
    return element("label", { class: "check" }, box, " ", text);
  };
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
  const weight = element("output", {}, String(view.smoothing));
  const legend = element("div", { class: "legend", role: "group", "aria-label": "Arms" });
  const vertical = choice(
    "Vertical axis of losses",
    VERTICALS,
    () => view.chosen.loss,
    (loss) => view.set({ loss }),
  );
  const bands = choice(
    "Band over the seeds",
    BANDS,
    () => view.chosen.band,
    (band) => view.set({ band }),
  );
  const root = element(
    "div",
    { class: "controls", role: "group", "aria-label": "What the curves show" },
    legend,
    choice(
      "Horizontal axis",
      ACROSS,
      () => view.chosen.across,
      (across) => view.set({ across }),
    ),
    check("log", view.logAcross, (logAcross) => view.set({ logAcross })),
    ...[vertical, bands],
    element("label", { class: "check" }, "smoothing ", range, weight),
    check("seeds", view.seeds, (seeds) => view.set({ seeds })),
    check("failed and diverged", view.failed, (failed) => view.set({ failed })),
  );
  let shown = "";
  return {
    root,
    show(arms, loss) {
      for (const button of vertical.children) {
        const name = button.getAttribute("data-choice");
        (button as HTMLElement).hidden = !loss?.y.some(({ choice: each }) => each === name);
      }
      vertical.hidden = (loss?.y.length ?? 0) < 2;
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
  const sample = element("i", {
    class: "swatch",
    style: `background:${look.colour}`,
    "aria-hidden": "true",
  });
  const toggle = element(
    "button",
    {
      type: "button",
      "aria-pressed": String(!isHidden),
      "data-focus": `hide ${name}`,
      title: `show or hide ${name}`,
      onclick: () => {
        view.hide(name, !isHidden);
        changed();
      },
    },
    sample,
    label,
  );
  const colour = element("input", {
    type: "color",
    value: plain(look.colour),
    "data-focus": `colour ${name}`,
    "aria-label": `Colour of ${name}`,
    title: `colour of ${name}`,
    onchange: () => {
      view.colour(name, colour.value);
      changed();
    },
  });
  return element("span", { class: "entry" }, toggle, colour);
}

/** A colour of the palette as the control takes it. */
function plain(colour: string): string {
  const name = /var\(--lr-(\w+)\)/.exec(colour)?.[1];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return name === undefined ? colour : ((dark ? darkColours : lightColours)[name] ?? "#000000");
}
