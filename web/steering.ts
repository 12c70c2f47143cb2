/** @file What a reader asks of a study: to pause, resume, stop, go on for longer, or to stop one of its arms. */

import { ofStudy, post } from "./api.ts";
import { element, fill, say } from "./element.ts";
import { type FollowedStudy, openRuns, stoppedArms } from "./followed-study.ts";

export interface Steering {
  readonly root: HTMLElement;
  show(study: FollowedStudy): void;
}

export function steering(id: string): Steering {
  const root = element("div", { class: "bar", role: "group", "aria-label": "Steer the study" });
  const problem = element("span", { class: "warn", role: "alert" });
  let shown = "";
  /** What is asked and not answered: the same is not asked twice, and another waits for its turn. */
  const asked = new Map<string, Promise<void>>();
  const ask = async (body: unknown, doing: string) => {
    const key = JSON.stringify(body);
    if (asked.has(key)) return;
    const before = [...asked.values()];
    const turn = (async () => {
      await Promise.all(before);
      problem.textContent = "";
      root.setAttribute("aria-busy", "true");
      say(doing);
      await post(ofStudy(id, "steer"), body).catch((error: Error) => {
        problem.textContent = error.message;
      });
    })();
    asked.set(key, turn);
    await turn;
    asked.delete(key);
    if (asked.size > 0) return;
    root.removeAttribute("aria-busy");
    say("");
  };
  const button = (text: string, what: string, doing: string) =>
    element("button", { type: "button", onclick: () => void ask({ what }, doing) }, text);
  /** Made anew where that has changed: what stands in it may be half written. */
  let prolonging: { readonly epochs: number; readonly root: HTMLElement } | null = null;
  const longer = (epochs: number) => {
    const number = element("input", {
      type: "number",
      min: epochs + 1,
      value: 2 * epochs,
      "aria-label": "Epochs of each run, in all",
    });
    const how = element(
      "select",
      { "aria-label": "How schedules that depend on the length go on" },
      element("option", { value: "" }, "no schedule depends on it"),
      element("option", { value: "stretch" }, "stretch schedules"),
      element("option", { value: "continue" }, "continue schedules past their end"),
    );
    const begin = () =>
      ask(
        {
          what: "prolong",
          epochs: Number(number.value),
          ...(how.value === "" ? {} : { schedule: how.value }),
        },
        "Prolonging…",
      );
    return element(
      "details",
      { class: "more" },
      element("summary", {}, "Prolong"),
      element(
        "span",
        { class: "bar" },
        element("label", {}, "to ", number, " epochs"),
        how,
        element("button", { type: "button", onclick: () => void begin() }, "Prolong"),
      ),
    );
  };
  const arm = (name: string, stopped: boolean) =>
    element(
      "button",
      {
        type: "button",
        onclick: () =>
          void ask({ what: stopped ? "resume-arm" : "stop-arm", arm: name }, "Asking…"),
      },
      stopped ? `Resume ${name}` : `Stop ${name}`,
    );
  return {
    root,
    show(study) {
      const { experiment, state } = study;
      if (!experiment || experiment.kind === "demo") return;
      const open = openRuns(study);
      const stopped = stoppedArms(study);
      const running = state === "running";
      const { epochs } = experiment.protocol;
      const now = JSON.stringify([running, open > 0, [...stopped], epochs]);
      if (now === shown) return;
      shown = now;
      const again = placesIn(root);
      const trains = experiment.kind === "train" || experiment.kind === "compare";
      if (prolonging?.epochs !== epochs) prolonging = { epochs, root: longer(epochs) };
      fill(
        root,
        running && button("Pause", "pause", "Pausing after the update under way…"),
        running && button("Stop", "stop", "Stopping after the update under way…"),
        !running && open > 0 && button("Resume", "resume", "Resuming…"),
        trains && prolonging.root,
        experiment.arms.length > 1 &&
          element(
            "details",
            { class: "more" },
            element("summary", {}, "Arms"),
            element(
              "span",
              { class: "bar" },
              experiment.arms.map(({ name }) => arm(name, stopped.has(name))),
            ),
          ),
        problem,
      );
      again();
    },
  };
}

/**
 * Returns what leaves unfolded what was, and the focus where it was: at the button of that name, or else, where what
 * was pressed is not offered any more, at the first.
 */
function placesIn(root: HTMLElement): () => void {
  const all = <E extends HTMLElement>(selector: string) => [...root.querySelectorAll<E>(selector)];
  const named = () => all("button, summary, input, select");
  const nameOf = (each: Element | null) => each?.getAttribute("aria-label") ?? each?.textContent;
  const focus = root.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const unfolded = all<HTMLDetailsElement>("details[open]").map((each) =>
    nameOf(each.firstElementChild),
  );
  return () => {
    for (const each of all<HTMLDetailsElement>("details"))
      each.open = unfolded.includes(nameOf(each.firstElementChild));
    if (focus === null) return;
    (named().find((each) => nameOf(each) === focus) ?? named()[0])?.focus();
  };
}
