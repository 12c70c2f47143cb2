/** @file Several studies side by side: their arms in the same charts, and of what was asked for only what differs. */

import type { ExperimentRecord, TrialHistory } from "../../src/record/index.ts";
import { MEASURES } from "../../src/report/figures/curves.ts";
import { listStudies } from "../api.ts";
import { armFacts, type Facts } from "../arm-facts.ts";
import { type Chart, chart } from "../chart.ts";
import { element, fill, scrollingTable } from "../element.ts";
import { type FollowedStudy, heard, trialsOf, unheard } from "../followed-study.ts";
import { liveArms, livePlot } from "../live-plot.ts";
import { othersOf, outsideOf, outsideText } from "../outside.ts";
import { studyControls } from "../study-controls.ts";
import { lostArms, viewOf } from "../study-view.ts";
import type { OpenPage } from "./page.ts";

const DRAW = 250;

export const openTogether: OpenPage = async ({ parts, state, events }) => {
  const known = new Map((await listStudies()).map(({ id, name }) => [id, name]));
  const studies = new Map(parts.map((id) => [id, unheard(id)]));
  const view = viewOf(state);
  const note = element("p", { class: "warn", hidden: true });
  const problem = element("p", { class: "warn", role: "alert", hidden: true });
  const table = element("div");
  const charts = MEASURES.map(({ measure, name, title }) => {
    const made: Chart = chart(`${title} against epoch`, (x) => {
      for (const other of charts) if (other.made !== made) other.made.mark(x);
    });
    const line = element("figcaption", { class: "note" });
    made.figure.append(line);
    return { measure, name, made, line };
  });
  const exporting = element("div", { class: "bar" });
  void import("../export.ts").then(({ pictureBar }) =>
    exporting.append(pictureBar(...charts.map(({ name, made }) => [name, made] as const))),
  );
  const controls = studyControls(view, () => draw());
  let due: ReturnType<typeof setTimeout> | null = null;
  const draw = () => {
    due = null;
    const problems = [...studies.values()].flatMap(
      (study) => study.problem && `${known.get(study.id) ?? study.id}: ${study.problem}`,
    );
    problem.textContent = problems.filter(Boolean).join(" ");
    problem.hidden = problem.textContent === "";
    const heardOf = [...studies.values()].flatMap((study) =>
      study.experiment
        ? [{ name: known.get(study.id) ?? study.id, study, experiment: study.experiment }]
        : [],
    );
    const joined = together(heardOf);
    if (!joined) return;
    const options = { ...joined, ...view.drawn() };
    const arms = liveArms(options);
    const lost = lostArms(arms);
    for (const { measure, made, line } of charts) {
      const live = livePlot(measure, options);
      made.figure.hidden = !live;
      if (!live) continue;
      made.label(live.label.replace(" epoch.", ` ${view.chosen.across}.`));
      const shown = view.of(live.plot, lost);
      made.show(live.plot, shown, view.seeds ? live.seeds : []);
      line.textContent = outsideText(
        outsideOf(live.plot, shown, live.seeds),
        othersOf(live.plot, shown.y),
      );
    }
    controls.show(arms, (name) => factsIn(heardOf, name));
    const losses = charts.filter(({ measure }) => measure.endsWith("Loss"));
    controls.axesOf(losses.map(({ made }) => made.drawn().plot));
    const data = new Set(heardOf.map(({ experiment }) => experiment.dataset.fingerprint));
    note.hidden = data.size < 2;
    note.textContent =
      "These studies are of different data, or of another split of them: their accuracies are not comparable.";
    fill(table, differing(heardOf));
  };
  const stops = parts.map((id) =>
    events.follow(id, (message) => {
      studies.set(id, heard(studies.get(id) ?? unheard(id), message));
      due ??= setTimeout(draw, DRAW);
    }),
  );
  return {
    title: "Side by side",
    root: element(
      "div",
      {},
      element("h1", {}, "Side by side"),
      ...[note, problem],
      exporting,
      controls.root,
      element(
        "div",
        { class: "charts" },
        charts.map(({ made }) => made.figure),
      ),
      element("h2", {}, "What differs"),
      table,
    ),
    close() {
      for (const stop of stops) stop();
      if (due !== null) clearTimeout(due);
    },
  };
};

interface Named {
  readonly name: string;
  readonly study: FollowedStudy;
  readonly experiment: ExperimentRecord;
}

/** Of an arm by its name in the charts. */
function factsIn(studies: readonly Named[], name: string): Facts {
  for (const each of studies) {
    const arm = each.experiment.arms.find((own) => renamed(each, own.name) === name);
    if (!arm) continue;
    const trial = trialsOf(each.study).find((history) => history.trial.arm === arm.name)?.trial;
    return armFacts(each.experiment, arm.name, trial);
  }
  return [];
}

const renamed = ({ name }: Named, arm: string) => `${name}: ${arm}`;

/** All arms of all studies, each by its study's name, as a report of several has them. */
function together(studies: readonly Named[]) {
  const [first] = studies;
  if (!first) return null;
  const experiment: ExperimentRecord = {
    ...first.experiment,
    protocol: {
      ...first.experiment.protocol,
      epochs: Math.max(...studies.map(({ experiment: { protocol } }) => protocol.epochs)),
    },
    arms: studies.flatMap((each) =>
      each.experiment.arms.map(({ sensitivity, ...arm }) => ({
        ...arm,
        name: renamed(each, arm.name),
      })),
    ),
  };
  const trials = studies.flatMap((each) =>
    trialsOf(each.study).map(
      ({ trial, metrics }): TrialHistory => ({
        trial: { ...trial, arm: renamed(each, trial.arm) },
        metrics,
      }),
    ),
  );
  return {
    experiment,
    trials,
    experiments: studies.map(({ name, experiment: own }) => ({ name, experiment: own })),
  };
}

/** Every field in which two of them differ, with what each has; objects are gone into. */
function differing(studies: readonly Named[]): HTMLElement {
  // Records of version 0.1 have no specification: what they have of it is in the protocol.
  const isSpecified = studies.every(({ experiment }) => experiment.specification);
  const fields = studies.map(({ experiment }) => {
    const { specification, protocol, arms, dataset, model, engine, lrscope, machine } = experiment;
    return flat({
      ...(isSpecified
        ? specification
        : { ...protocol, optimizers: arms.map(({ name }) => name).join(", ") }),
      data: { ...specification?.data, name: dataset.name, images: dataset.images },
      network: model.name,
      parameters: model.parameters,
      engine,
      lrscope,
      processor: machine.processor,
    });
  });
  const names = [...new Set(fields.flatMap((field) => [...field.keys()]))];
  const rows = names.filter((name) => new Set(fields.map((field) => field.get(name))).size > 1);
  if (rows.length === 0) return element("p", {}, "Nothing but their names.");
  return scrollingTable(
    { label: "What differs" },
    ["field", ...studies.map(({ name }) => name)].map((text) =>
      element("th", { scope: "col" }, text),
    ),
    element(
      "tbody",
      {},
      rows.map((row) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, row),
          fields.map((field) => element("td", {}, field.get(row) ?? "–")),
        ),
      ),
    ),
  );
}

function flat(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return new Map(
      value === undefined
        ? []
        : [[path, typeof value === "string" ? value : JSON.stringify(value)]],
    );
  return new Map(
    Object.entries(value).flatMap(([key, each]) => [
      ...flat(each, path === "" ? key : `${path}.${key}`),
    ]),
  );
}
