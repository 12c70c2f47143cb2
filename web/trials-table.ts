/** @file Each trial: how far it is, and on demand what its log says and with what it trains. */

import { mebibytes, percent } from "../src/core/words.ts";
import { labelOf, type ReportArm } from "../src/report/figures/arms.ts";
import { formatRate } from "../src/schedules/index.ts";
import { setState } from "./address.ts";
import { get, ofStudy } from "./api.ts";
import { type Facts, factList, trainingFacts } from "./arm-facts.ts";
import { element, fill, scrollingTable } from "./element.ts";
import type { FollowedStudy } from "./followed-study.ts";
import { keptRows } from "./kept-rows.ts";
import { isLost, type StudyView } from "./study-view.ts";

export interface TrialsTable {
  readonly root: HTMLElement;
  show(study: FollowedStudy, arms: readonly ReportArm[]): void;
}

interface Log {
  /** Its end. */
  readonly log: string;
  /** Bytes before it. */
  readonly earlier: number;
}

type Trial = FollowedStudy["progress"]["trials"][string];

const HEADINGS = [
  "shown",
  "trial",
  "state",
  "epochs",
  "learning rate",
  "training loss",
  "accuracy",
  "best",
];

export interface TrialsTableOptions {
  readonly id: string;
  readonly view: StudyView;
  /** The trial whose detail is open, by its folder's name; null: none. */
  readonly chosen: string | null;
  /** Hears that a run is hidden, or shown again. */
  changed(): void;
}

export function trialsTable({ id, view, chosen: first, changed }: TrialsTableOptions): TrialsTable {
  const body = element("tbody");
  const left = element("p", { class: "note", hidden: true });
  // What is opened is said by the focus that goes to its heading, and not the whole of its log.
  const detail = element("div", { class: "detail" });
  /** Of the address, until its trial is there. */
  let wanted = first;
  const open = async ({ trial, metrics }: Trial, label: string) => {
    const chosen = nameOf(trial);
    wanted = null;
    setState({ trial: chosen });
    const { log, earlier } = await get<Log>(ofStudy(id, `trials/${chosen}/log`)).catch(
      (error: Error): Log => ({ log: error.message, earlier: 0 }),
    );
    const facts: Facts = [
      ...trainingFacts(trial),
      ["updates an epoch", String(trial.updatesPerEpoch)],
      ["ms a step", trial.msPerStep === null ? "–" : trial.msPerStep.toFixed(1)],
      ["ended by", trial.endedBy ?? (trial.status === "done" ? "its last epoch" : trial.status)],
      ...(trial.failure === null ? [] : [["failure", trial.failure] as const]),
    ];
    fill(
      detail,
      element(
        "h3",
        { tabindex: -1 },
        `${label}, seed ${trial.seed}: ${metrics.length} of ${trial.epochs} epochs`,
      ),
      factList(facts),
      earlier > 0 &&
        element(
          "p",
          { class: "note" },
          `The end of the log; ${mebibytes(earlier)} come before it: `,
          element(
            "a",
            { href: ofStudy(id, `trials/${chosen}/log.txt`), download: `${chosen}.txt` },
            "the whole log",
          ),
        ),
      element(
        "pre",
        { tabindex: 0, role: "region", "aria-label": "Log" },
        log || "The log is empty.",
      ),
    );
    detail.querySelector("h3")?.focus();
  };
  const rowOf = (entry: Trial, label: string) => {
    const name = nameOf(entry.trial);
    const begin = () => void open(entry, label);
    if (name === wanted) begin();
    const shownBox = element("input", {
      type: "checkbox",
      checked: !view.hiddenRuns.has(name),
      "aria-label": `Line of ${label}, seed ${entry.trial.seed}`,
      onchange: () => {
        view.hideRun(name, !shownBox.checked);
        changed();
      },
    });
    return row(entry, label, { begin, box: shownBox });
  };
  const rows = keptRows(body);
  return {
    root: element(
      "section",
      { id: "trials" },
      element("h2", {}, "Trials"),
      left,
      scrollingTable(
        { label: "Trials" },
        HEADINGS.map((text, i) =>
          element("th", { scope: "col", class: i > 2 ? "num" : null }, text),
        ),
        body,
      ),
      detail,
    ),
    show({ progress }, arms) {
      const all = Object.values(progress.trials);
      const trials = view.failed ? all : all.filter((each) => !isLost(each));
      left.hidden = trials.length === all.length;
      left.textContent = `${all.length - trials.length} that failed or diverged are not shown; every mean counts them as before.`;
      const order = new Map(arms.map(({ name }, i) => [name, i]));
      const sorted = trials.toSorted(
        (a, b) =>
          (order.get(a.trial.arm) ?? 0) - (order.get(b.trial.arm) ?? 0) ||
          a.trial.seed - b.trial.seed,
      );
      rows.show(
        sorted.map((entry) => {
          const label = labelOf(entry.trial.arm, arms);
          return {
            ...{ key: nameOf(entry.trial), is: stateOf(entry, label) },
            make: () => rowOf(entry, label),
          };
        }),
      );
    },
  };
}

/** What of a trial its row shows. */
const stateOf = ({ trial, metrics, update }: Trial, label: string) =>
  `${label} ${trial.status} ${trial.rung} ${trial.epochs} ${metrics.length} ${update?.update ?? ""}`;

const nameOf = ({ slug, seed }: Trial["trial"]) => `${slug}-${seed}`;

function row(
  { trial, metrics, update }: Trial,
  label: string,
  { begin, box }: { begin: () => void; box: HTMLElement },
): HTMLElement {
  const last = metrics.at(-1);
  const best = metrics.reduce<number | null>(
    (most, { validationAccuracy: value }) =>
      value !== null && value > (most ?? -1) ? value : most,
    null,
  );
  const share = (value: number | null | undefined) =>
    value === null || value === undefined ? "–" : percent(value);
  // The latest update may have been told before the epoch that it ended.
  const begun = update ? update.update / trial.updatesPerEpoch - metrics.length : 0;
  const part = begun > 0 && trial.status === "running" ? ` + ${Math.round(begun * 100)}%` : "";
  return element(
    "tr",
    {},
    element("td", {}, box),
    element(
      "th",
      { scope: "row" },
      element(
        "button",
        { type: "button", class: "link", onclick: begin },
        `${label}, seed ${trial.seed}`,
      ),
    ),
    element(
      "td",
      {},
      element(
        "span",
        { class: `state ${trial.status}` },
        trial.rung === undefined ? trial.status : `${trial.status} at rung ${trial.rung}`,
      ),
    ),
    element("td", { class: "num" }, `${metrics.length}${part} of ${trial.epochs}`),
    element("td", { class: "num" }, last ? formatRate(update?.lr ?? last.lr) : "–"),
    element("td", { class: "num" }, last?.trainLoss?.toFixed(3) ?? "–"),
    element("td", { class: "num" }, share(last?.validationAccuracy)),
    element("td", { class: "num" }, share(best)),
  );
}
