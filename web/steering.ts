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
      const trains = experiment.kind === "train" || experiment.kind === "compare";
      fill(
        root,
        running && button("Pause", "pause", "Pausing after the update under way…"),
        running && button("Stop", "stop", "Stopping after the update under way…"),
        !running && open > 0 && button("Resume", "resume", "Resuming…"),
        trains && longer(epochs),
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
    },
  };
}
