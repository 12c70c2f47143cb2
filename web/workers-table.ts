/** @file Who works at which run of a study that runs elsewhere: since when, heard of when, and what waits. */

import { counted, duration, listed } from "../src/core/words.ts";
import type { WorkersRecord } from "../src/record/index.ts";
import { element, fill, scrollingTable } from "./element.ts";

export interface WorkersTable {
  readonly root: HTMLElement;
  /** @param workers null: nobody says who works at it */
  show(workers: WorkersRecord | null): void;
}

type Running = WorkersRecord["running"][number];

const HEADINGS = ["run", "worker", "since", "heard of", "lease ends in", "attempt"];

export function workersTable(): WorkersTable {
  const summary = element("p", {});
  const refused = element("p", { class: "warn", hidden: true });
  const body = element("tbody");
  const table = scrollingTable(
    { label: "Workers" },
    HEADINGS.map((text, i) => element("th", { scope: "col", class: i > 1 ? "num" : null }, text)),
    body,
  );
  const root = element(
    "section",
    { id: "workers", hidden: true },
    element("h2", {}, "Workers"),
    ...[summary, refused, table],
  );
  let shown: WorkersRecord | null = null;
  return {
    root,
    show(workers) {
      if (workers === shown) return;
      shown = workers;
      root.hidden = workers === null;
      if (!workers) return;
      summary.textContent = summaryOf(workers);
      refused.hidden = workers.refused === 0;
      refused.textContent = `${counted(workers.refused, "request")} of workers that had lost their run ${workers.refused === 1 ? "was" : "were"} refused, and changed nothing. The last: ${workers.lastRefused ?? ""}.`;
      table.hidden = workers.running.length === 0;
      const now = Date.parse(workers.at);
      fill(
        body,
        workers.running.map((run) => row(run, now)),
      );
    },
  };
}

/** "3 workers, one of them idle; 4 runs under way, 12 wait: adam-3, adam-4, ..." */
export function summaryOf({
  executor,
  lease,
  workers,
  running,
  waiting,
  next,
}: WorkersRecord): string {
  const idle = workers.filter(({ busy }) => busy === 0);
  const named = next.slice(0, 5);
  return [
    lease !== null &&
      `${counted(workers.length, "worker")}${idle.length === 0 ? "" : `, idle: ${listed(namesOf(idle))}`}.`,
    `${counted(running.length, "run")} under way${lease === null ? ` by ${executor}` : ""}, ${waiting === 0 ? "none waits" : `${waiting} ${waiting === 1 ? "waits" : "wait"}: ${listed(waiting > named.length ? [...named, `${waiting - named.length} more`] : named)}`}.`,
    lease !== null &&
      running.length > 0 &&
      `A run whose worker is not heard of for ${duration(lease)} goes on with another.`,
  ]
    .filter(Boolean)
    .join(" ");
}

const namesOf = (workers: WorkersRecord["workers"]) =>
  workers.length > 5
    ? [...workers.slice(0, 5).map(({ name }) => name), `${workers.length - 5} more`]
    : workers.map(({ name }) => name);

function row({ key, worker, since, heard, leaseLeft, attempt, turn }: Running, now: number) {
  const ago = (then: string) => duration(Math.max(0, (now - Date.parse(then)) / 1000));
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, key),
    element("td", {}, worker),
    element("td", { class: "num" }, ago(since)),
    element("td", { class: "num" }, heard === null ? "–" : `${ago(heard)} ago`),
    element(
      "td",
      { class: "num" },
      leaseLeft === null ? "–" : leaseLeft === 0 ? "it has ended" : duration(leaseLeft),
    ),
    element("td", { class: "num" }, turn === null ? String(attempt) : `${attempt}, turn ${turn}`),
  );
}
