/** @file The studies that there are: how far each is, what came out, what was said of it. */

import { duration, mebibytes, percent } from "../../src/core/words.ts";
import type { ServedStudy } from "../../src/record/index.ts";
import { formatRate } from "../../src/schedules/index.ts";
import { hashOf, setState } from "../address.ts";
import { listStudies, ofStudy, post, remove } from "../api.ts";
import { choice } from "../choice.ts";
import { RANKS } from "../choices.ts";
import { element, say, scrollingTable } from "../element.ts";
import { keptRows } from "../kept-rows.ts";
import type { OpenPage } from "./page.ts";

/** Milliseconds between two looks at the list. */
const LOOK = 2000;

const HEADINGS = ["study", "state", "progress", "best", "tags and note", "on disk", ""];

export const openStudies: OpenPage = ({ state }) => {
  let filter = state.get("filter") ?? "";
  let studies: readonly ServedStudy[] = [];
  const body = element("tbody");
  const rows = keptRows(body);
  const chosen = new Set(state.getAll("choose"));
  const together = element("a", { class: "button", href: "#/", hidden: true }, "Set side by side");
  const choose = () => {
    const there = [...chosen].filter((id) => studies.some((study) => study.id === id));
    together.hidden = there.length < 2;
    together.setAttribute("href", hashOf(["together", ...there]));
  };
  const count = element("p", { class: "note", role: "status" });
  let rank = RANKS.find((each) => each === state.get("rank")) ?? "last";
  const ranks = choice({
    label: "Accuracy that is called best",
    all: RANKS,
    said: (each) => (each === "last" ? "best after the last epoch" : "best epoch"),
    chosen: () => rank,
    set(to) {
      rank = to;
      setState({ rank: to === "last" ? null : to });
      draw();
    },
  });
  const search = element("input", {
    type: "search",
    value: filter,
    placeholder: "name, data, network, arm, tag or note",
    oninput: () => {
      filter = search.value;
      setState({ filter });
      draw();
    },
  });
  const draw = () => {
    const left = studies.filter((study) => textOf(study).includes(filter.toLowerCase()));
    const said =
      studies.length === 0
        ? "No study is here yet. Begin one, or run lrscope demo in this folder."
        : `${left.length} of ${studies.length} studies`;
    if (count.textContent !== said) count.textContent = said;
    // Somebody may be writing a note in it.
    if (body.querySelector("dialog[open]")) return;
    const tools = { chosen, again: () => void load(), choose, rank };
    rows.show(
      left.map((study) => ({
        ...{ key: study.id, is: JSON.stringify([study, rank]) },
        make: () => row(study, tools),
      })),
    );
  };
  const load = async () => {
    try {
      studies = await listStudies();
      choose();
      draw();
    } catch (error) {
      say(`The list cannot be read: ${(error as Error).message}`);
    }
  };
  const timer = setInterval(() => !document.hidden && void load(), LOOK);
  void load();
  const root = element(
    "div",
    {},
    element("h1", {}, "Studies"),
    element("div", { class: "bar" }, element("label", {}, "Filter ", search), ranks, together),
    count,
    scrollingTable(
      { label: "Studies", class: "studies" },
      HEADINGS.map((text) =>
        element(
          "th",
          { scope: "col", class: text === "on disk" ? "num" : null },
          text || element("span", { class: "unseen" }, "actions"),
        ),
      ),
      body,
    ),
  );
  return { title: "Studies", root, close: () => clearInterval(timer) };
};

const textOf = ({ name, about, note, tags }: ServedStudy) =>
  [name, note, ...tags, about?.dataset, about?.model, ...(about?.arms ?? [])]
    .join("\n")
    .toLowerCase();

interface RowTools {
  readonly chosen: Set<string>;
  readonly rank: (typeof RANKS)[number];
  again(): void;
  choose(): void;
}

function row(study: ServedStudy, { chosen, again, choose, rank }: RowTools): HTMLElement {
  const { id, name, status, reason, about, note, tags, bytes } = study;
  const best = rank === "best" ? about?.bestEpoch : about?.best;
  const box = element("input", {
    type: "checkbox",
    checked: chosen.has(id),
    "aria-label": `Choose ${name}`,
    onchange: () => {
      if (box.checked) chosen.add(id);
      else chosen.delete(id);
      setState({ choose: [...chosen] });
      choose();
    },
  });
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      box,
      " ",
      element("a", { href: hashOf([about?.kind === "find" ? "range-test" : "study", id]) }, name),
      about && element("small", {}, `${about.dataset}, ${about.model}, ${about.arms.join(", ")}`),
    ),
    element(
      "td",
      {},
      element("span", { class: `state ${status}` }, status),
      reason && element("small", {}, reason),
    ),
    element(
      "td",
      {},
      about && [
        `${about.done} of ${about.runs} runs`,
        element("progress", {
          max: about.runs,
          value: about.done,
          "aria-label": `${name}: runs at their end`,
        }),
        about.secondsLeft !== null &&
          element("small", {}, `about ${duration(about.secondsLeft)} left`),
      ],
    ),
    element(
      "td",
      {},
      best
        ? [percent(best.accuracy), element("small", {}, best.arm)]
        : about?.rate
          ? `rate ${formatRate(about.rate)}`
          : "–",
    ),
    element(
      "td",
      { class: "said" },
      tags.map((tag) => element("span", { class: "tag" }, tag)),
      note && element("small", {}, note),
    ),
    element("td", { class: "num" }, mebibytes(bytes)),
    element("td", {}, actions(study, again)),
  );
}

function actions({ id, name, note, tags, status }: ServedStudy, again: () => void): HTMLElement {
  const text = element("textarea", { rows: 3, maxlength: 4000 });
  text.value = note;
  const tagged = element("input", { value: tags.join(" ") });
  const problem = element("p", { class: "warn", hidden: true });
  const refused = (error: unknown) => {
    problem.hidden = false;
    problem.textContent = (error as Error).message;
  };
  const dialog = element(
    "dialog",
    { "aria-label": `Note and tags of ${name}` },
    element("h2", {}, name),
    element("label", {}, "Note", text),
    element("label", {}, "Tags, apart by spaces", tagged),
    problem,
    element(
      "div",
      { class: "bar" },
      element("button", { type: "button", onclick: () => void save() }, "Save"),
      element("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      status !== "running" &&
        element(
          "button",
          { type: "button", class: "danger", onclick: () => void deleteIt() },
          "Delete the study…",
        ),
    ),
  );
  const save = async () => {
    const now = tagged.value.split(/\s+/).filter(Boolean);
    const change = {
      note: text.value,
      addTags: now.filter((tag) => !tags.includes(tag)),
      removeTags: tags.filter((tag) => !now.includes(tag)),
    };
    try {
      await post(ofStudy(id, "notes"), change);
      dialog.close();
      again();
    } catch (error) {
      refused(error);
    }
  };
  const deleteIt = async () => {
    if (!confirm(`Delete ${name} for good? Its records, weights and report go.`)) return;
    try {
      await remove(`/api/studies/${id}`);
      dialog.close();
      again();
    } catch (error) {
      refused(error);
    }
  };
  return element(
    "div",
    {},
    element(
      "button",
      {
        type: "button",
        "aria-label": `Edit note and tags of ${name}, or delete it`,
        onclick: () => dialog.showModal(),
      },
      "Edit",
    ),
    dialog,
  );
}
