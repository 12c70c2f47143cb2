/** @file Each trial: how far it is, and on demand what its log says and with what it trains. */

import { percent } from "../src/core/words.ts";
import { labelOf, type ReportArm } from "../src/report/figures/arms.ts";
import { describeSchedule, formatRate } from "../src/schedules/index.ts";
import { get, ofStudy } from "./api.ts";
import { element, fill } from "./element.ts";
import type { FollowedStudy } from "./followed-study.ts";

export interface TrialsTable {
  readonly root: HTMLElement;
  show(study: FollowedStudy, arms: readonly ReportArm[]): void;
}

type Trial = FollowedStudy["progress"]["trials"][string];

const HEADINGS = ["trial", "state", "epochs", "learning rate", "training loss", "accuracy", "best"];

export function trialsTable(id: string): TrialsTable {
  const body = element("tbody");
  const detail = element("div", { class: "detail", "aria-live": "polite" });
  let chosen: string | null = null;
  const open = async ({ trial, metrics }: Trial, label: string) => {
    chosen = `${trial.slug}-${trial.seed}`;
    const { log } = await get<{ log: string }>(ofStudy(id, `trials/${chosen}/log`)).catch(
      (error: Error) => ({ log: error.message }),
    );
    const facts = {
      optimizer: `${trial.optimizer.name} (${Object.entries(trial.optimizer.hyperparameters)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")})`,
      schedule: describeSchedule(trial.schedule),
      "learning rate from": trial.learningRateSource,
      "updates an epoch": String(trial.updatesPerEpoch),
      "ms a step": trial.msPerStep === null ? "–" : trial.msPerStep.toFixed(1),
      "ended by": trial.endedBy ?? (trial.status === "done" ? "its last epoch" : trial.status),
      ...(trial.failure === null ? {} : { failure: trial.failure }),
    };
    fill(
      detail,
      element(
        "h3",
        { tabindex: -1 },
        `${label}, seed ${trial.seed}: ${metrics.length} of ${trial.epochs} epochs`,
      ),
      element(
        "dl",
        { class: "facts" },
        Object.entries(facts).flatMap(([name, text]) => [
          element("dt", {}, name),
          element("dd", {}, text),
        ]),
      ),
      element(
        "pre",
        { tabindex: 0, role: "region", "aria-label": "Log" },
        log || "The log is empty.",
      ),
    );
    detail.querySelector("h3")?.focus();
  };
  let shown = "";
  return {
    root: element(
      "section",
      { id: "trials" },
      element("h2", {}, "Trials"),
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Trials" },
        element(
          "table",
          {},
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              HEADINGS.map((text, i) =>
                element("th", { scope: "col", class: i > 1 ? "num" : null }, text),
              ),
            ),
          ),
          body,
        ),
      ),
      detail,
    ),
    show({ progress }, arms) {
      const trials = Object.values(progress.trials);
      const now = trials
        .map(
          ({ trial, metrics, update }) =>
            `${trial.slug} ${trial.seed} ${trial.status} ${metrics.length} ${update?.update ?? ""}`,
        )
        .join("|");
      if (now === shown) return;
      shown = now;
      const focused = body.contains(document.activeElement)
        ? document.activeElement?.textContent
        : null;
      const order = new Map(arms.map(({ name }, i) => [name, i]));
      trials.sort(
        (a, b) =>
          (order.get(a.trial.arm) ?? 0) - (order.get(b.trial.arm) ?? 0) ||
          a.trial.seed - b.trial.seed,
      );
      fill(
        body,
        trials.map((entry) => {
          const label = labelOf(entry.trial.arm, arms);
          return row(entry, label, () => void open(entry, label));
        }),
      );
      if (focused)
        [...body.querySelectorAll("button")]
          .find(({ textContent }) => textContent === focused)
          ?.focus();
    },
  };
}

function row({ trial, metrics, update }: Trial, label: string, open: () => void): HTMLElement {
  const last = metrics.at(-1);
  const best = metrics.reduce<number | null>(
    (most, { validationAccuracy: value }) =>
      value !== null && value > (most ?? -1) ? value : most,
    null,
  );
  const share = (value: number | null | undefined) =>
    value === null || value === undefined ? "–" : percent(value);
  const part = update
    ? ` + ${Math.round(((update.update - metrics.length * trial.updatesPerEpoch) / trial.updatesPerEpoch) * 100)}%`
    : "";
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      element(
        "button",
        { type: "button", class: "link", onclick: open },
        `${label}, seed ${trial.seed}`,
      ),
    ),
    element("td", {}, element("span", { class: `state ${trial.status}` }, trial.status)),
    element("td", { class: "num" }, `${metrics.length}${part} of ${trial.epochs}`),
    element("td", { class: "num" }, last ? formatRate(update?.lr ?? last.lr) : "–"),
    element("td", { class: "num" }, last?.trainLoss?.toFixed(3) ?? "–"),
    element("td", { class: "num" }, share(last?.validationAccuracy)),
    element("td", { class: "num" }, share(best)),
  );
}
