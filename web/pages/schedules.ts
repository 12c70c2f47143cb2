/** @file The schedule explorer: every family, its parameters as sliders, and code and JSON to copy. */

import type { ScheduleSpec } from "../../src/record/index.ts";
import { scheduleFigure } from "../../src/report/draw-schedule.ts";
import { describeSchedule, scheduleFromJSON, scheduleTypes } from "../../src/schedules/index.ts";
import type { ScheduleType } from "../../src/schedules/text/from-json.ts";
import { setState } from "../address.ts";
import { chart } from "../chart.ts";
import { element, fill, say } from "../element.ts";
import { codeOf, EXAMPLES } from "../schedule-examples.ts";
import type { OpenPage } from "./page.ts";

export const openSchedules: OpenPage = ({ state }) => {
  let spec: ScheduleSpec = readSpec(state.get("spec")) ?? {
    type: "oneCycle",
    ...EXAMPLES.oneCycle,
  };
  let updates = Number(state.get("updates")) || 1000;
  const picture = chart("Learning rate against update", () => undefined);
  const words = element("p", { class: "headline" });
  const problem = element("p", { class: "warn", role: "alert", hidden: true });
  const code = element("pre", { tabindex: 0, role: "region", "aria-label": "Code" });
  const json = element("textarea", {
    class: "json",
    rows: 8,
    spellcheck: "false",
  });
  const sliders = element("div", {
    class: "sliders",
    role: "group",
    "aria-label": "Parameters",
  });
  const family = element(
    "select",
    {
      "aria-label": "Family",
      onchange: () => {
        spec = { type: family.value, ...EXAMPLES[family.value as ScheduleType] };
        show(true);
      },
    },
    scheduleTypes.map((type) => element("option", { value: type }, type)),
  );
  const length = element("input", {
    type: "number",
    min: 1,
    max: 10_000_000,
    value: updates,
    oninput: () => {
      updates = Math.max(1, Math.round(Number(length.value)) || 1);
      show(false);
    },
  });
  json.addEventListener("change", () => {
    const read = readSpec(json.value);
    if (read) spec = read;
    else refused(new Error("This is no JSON."));
    if (read) show(true);
  });
  const refused = (error: Error | null) => {
    problem.hidden = error === null;
    problem.textContent = error?.message ?? "";
  };
  const copy = (of: () => string, what: string) =>
    element(
      "button",
      {
        type: "button",
        onclick: () =>
          void navigator.clipboard.writeText(of()).then(() => say(`${what} is copied`)),
      },
      `Copy ${what}`,
    );
  const show = (anew: boolean) => {
    try {
      const schedule = scheduleFromJSON(spec);
      const figure = scheduleFigure(schedule, { updates });
      if (figure.plot) picture.show(figure.plot, { x: 0, y: 0, band: "", hidden: [] }, []);
      picture.label(figure.label);
      words.textContent = describeSchedule(schedule.toJSON());
      refused(null);
      setState({ spec: JSON.stringify(spec), updates: String(updates) });
    } catch (error) {
      refused(error as Error);
    }
    code.textContent = codeOf(spec);
    if (document.activeElement !== json) json.value = JSON.stringify(spec, null, 2);
    family.value = spec.type;
    if (anew)
      fill(
        sliders,
        numbersOf(spec).map(({ path, value }) =>
          slider(path, value, (to) => {
            spec = withNumber(spec, path, to) as ScheduleSpec;
            show(false);
          }),
        ),
      );
  };
  const exporting = element("span");
  void import("../export.ts").then(({ pictureBar }) =>
    exporting.append(pictureBar(["schedule", picture])),
  );
  show(true);
  return {
    title: "Schedules",
    root: element(
      "div",
      {},
      element("h1", {}, "Schedules"),
      element(
        "div",
        { class: "bar" },
        element("label", {}, "Family ", family),
        element("label", {}, "over ", length, " updates"),
      ),
      words,
      problem,
      element("div", { class: "explorer" }, picture.figure, sliders),
      element("h2", {}, "Code"),
      code,
      element(
        "div",
        { class: "bar" },
        copy(() => codeOf(spec), "code"),
        copy(() => JSON.stringify(spec), "JSON"),
        exporting,
      ),
      element("label", {}, "JSON, which can be edited", json),
    ),
    close: () => undefined,
  };
};

function readSpec(text: string | null): ScheduleSpec | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && "type" in value
      ? (value as ScheduleSpec)
      : null;
  } catch {
    return null;
  }
}

type Path = readonly (string | number)[];

/** Every number of a specification, with where it stands. */
function numbersOf(value: unknown, path: Path = []): { path: Path; value: number }[] {
  if (typeof value === "number") return [{ path, value }];
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, each]) => numbersOf(each, [...path, key]));
}

function withNumber(value: unknown, [key, ...rest]: Path, to: number): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((each, i) => (i === key ? withNumber(each, rest, to) : each));
  const object = value as Record<string, unknown>;
  return { ...object, [key]: withNumber(object[key], rest, to) };
}

/** From a hundredth of what it began with to three times that; the number beside it takes any. */
function slider(path: Path, value: number, set: (to: number) => void): HTMLElement {
  const name = path.join(".");
  const isCount = Number.isInteger(value) && value > 1;
  const most = value === 0 ? 0.1 : isCount ? 3 * value : value < 1 && value > 0.5 ? 1 : 3 * value;
  const step = isCount ? 1 : most / 300;
  const range = element("input", {
    type: "range",
    ...{ min: isCount ? 1 : 0, max: most, step, value },
    "aria-label": name,
    oninput: () => {
      number.value = String(Number(Number(range.value).toPrecision(4)));
      set(Number(number.value));
    },
  });
  const number = element("input", {
    type: "number",
    step: "any",
    value,
    "aria-label": `${name}, as a number`,
    oninput: () => {
      if (number.value === "") return;
      range.value = number.value;
      set(Number(number.value));
    },
  });
  return element("div", { class: "slider" }, element("span", {}, name), range, number);
}
