/** @file One study: its curves as they grow, how the arms stand, what they mistake, and each trial. */

import { duration } from "../../src/core/words.ts";
import type { ExperimentRecord, TrialHistory } from "../../src/record/index.ts";
import type { Measure, ReportArm } from "../../src/report/figures/arms.ts";
import { MEASURES } from "../../src/report/figures/curves.ts";
import { hashOf } from "../address.ts";
import { armFacts } from "../arm-facts.ts";
import { type Chart, chart } from "../chart.ts";
import { element, fill } from "../element.ts";
import {
  type FollowedStudy,
  heard,
  openRuns,
  timeLeft,
  trialsOf,
  unheard,
} from "../followed-study.ts";
import { type LiveOptions, liveArms, livePlot } from "../live-plot.ts";
import { othersOf, outsideOf, outsideText } from "../outside.ts";
import type { Results } from "../results.ts";
import { slices } from "../slices.ts";
import { FORMULA } from "../smoothing.ts";
import { stateText } from "../state-text.ts";
import { steering } from "../steering.ts";
import { studyControls } from "../study-controls.ts";
import { lostArms, viewOf } from "../study-view.ts";
import { trialsTable } from "../trials-table.ts";
import { workersTable } from "../workers-table.ts";
import type { OpenPage } from "./page.ts";

/** Milliseconds between two drawings, at least; drawing takes at most this part of the time. */
const DRAW = 100;
const SHARE = 1 / 2;
/** Statistics of many arms take longer than curves, and come less often. */
const STATISTICS = 1500;

const LOSSES = MEASURES.map(({ measure }) => measure).filter((each) => each.endsWith("Loss"));

export const openStudy: OpenPage = ({ parts: [id = ""], state, events }) => {
  let study: FollowedStudy = unheard(id);
  const view = viewOf(state);
  const title = element("h1", {}, "Study");
  const headline = element("p", { class: "headline" });
  const status = element("p", { class: "note" });
  // Its speed and what is left change with each update, and are seen; said is what seldom changes.
  const spoken = element("p", { class: "unseen", role: "status" });
  const steer = steering(id);
  const note = element("p", { class: "note" });
  const problem = element("p", { class: "warn", role: "alert", hidden: true });
  const marked = (from: Chart) => (x: number | null) => {
    for (const other of charts.values()) if (other !== from) other.mark(x);
  };
  const charts = new Map<string, Chart>();
  /** Takes what is said beneath a chart. */
  const said = new Map<string, (text: string) => void>();
  for (const { measure, title: name } of MEASURES) {
    const made: Chart = chart(`${name} against epoch`, (x) => marked(made)(x));
    charts.set(measure, made);
    const line = element("figcaption", { class: "note", hidden: true });
    made.figure.append(line);
    said.set(measure, (text) => {
      line.hidden = text === "";
      line.textContent = text;
    });
  }
  const grid = element(
    "div",
    { class: "charts" },
    [...charts.values()].map(({ figure }) => figure),
  );
  const controls = studyControls(view, () => draw());
  const results = element("div");
  let statistics: Results | null = null;
  void import("../results.ts").then(({ resultsOf }) => {
    statistics = resultsOf({ id, view, headline });
    results.append(statistics.root);
    change();
  });
  const trials = trialsTable({ id, view, chosen: state.get("trial"), changed: () => draw() });
  const workers = workersTable();
  const exporting = element("div", { class: "bar" });
  const fileNames = new Map(
    MEASURES.flatMap(({ measure, name }): [string, Chart][] => {
      const made = charts.get(measure);
      return made ? [[name, made]] : [];
    }),
  );
  void import("../export.ts").then(({ exportBar }) =>
    exporting.append(
      exportBar({
        ...{ id, charts: fileNames },
        standings: () => view.standings(),
        records: () =>
          study.experiment && { experiment: study.experiment, trials: trialsOf(study) },
      }),
    ),
  );
  const tests = element("p", { hidden: true });

  let due: ReturnType<typeof setTimeout> | null = null;
  const drawing = slices();
  /** Whether something is new that the drawing under way does not have. */
  let again = false;
  let next = 0;
  let counted = Number.NEGATIVE_INFINITY;
  /** Draws all, what is in view before the rest of it. */
  const draw = () => {
    if (due !== null) clearTimeout(due);
    due = null;
    again = false;
    const { experiment } = study;
    if (!experiment) return;
    // What a range test shows has a page of its own.
    if (experiment.kind === "find") return location.replace(hashOf(["range-test", id]));
    const histories = trialsOf(study);
    const options = { experiment, trials: histories, ...view.drawn() };
    const arms = liveArms(options);
    const lost = lostArms(arms);
    const inView = MEASURES.filter(({ measure }) => charts.get(measure)?.isInView());
    const order = new Set([...inView, ...MEASURES]);
    let took = 0;
    const timed = (work: () => void) => () => {
      const began = performance.now();
      work();
      took += performance.now() - began;
    };
    drawing.run([
      ...[
        () => drawHead(experiment, arms),
        ...[...order].map(
          ({ measure }) =>
            () =>
              drawChart(measure, options, lost),
        ),
        () => controls.axesOf(LOSSES.flatMap((loss) => charts.get(loss)?.drawn().plot ?? [])),
        () => drawTables(experiment, histories, arms),
      ].map(timed),
      () => {
        next = performance.now() + Math.max(DRAW, took * (1 / SHARE - 1));
        if (again) change();
      },
    ]);
  };
  const drawHead = (experiment: ExperimentRecord, arms: readonly ReportArm[]) => {
    title.textContent = `${experiment.dataset.name}, ${experiment.model.name}`;
    document.title = `${title.textContent} · lrscope`;
    note.textContent =
      view.smoothing > 0
        ? `Smoothed by ${FORMULA}${view.smoothing}; what was measured stands faintly behind.`
        : "";
    controls.show(arms, (name) =>
      armFacts(experiment, name, arms.find((arm) => arm.name === name)?.trials[0]?.trial),
    );
    fill(status, progressText(study));
    const state = stateOfRuns(study);
    if (spoken.textContent !== state) spoken.textContent = state;
    steer.show(study);
    workers.show(study.workers);
  };
  const drawChart = (measure: Measure, options: LiveOptions, lost: ReturnType<typeof lostArms>) => {
    const made = charts.get(measure);
    const live = livePlot(measure, options);
    if (!made) return;
    made.figure.hidden = !live;
    if (!live) return;
    made.label(live.label.replace(" epoch.", ` ${view.chosen.across}.`));
    const shown = view.of(live.plot, lost);
    const seeds =
      view.hiddenRuns.size === 0
        ? live.seeds
        : live.seeds.filter(
            ({ key, seed }) => !view.hiddenRuns.has(runName(options.experiment, key, seed)),
          );
    made.show(live.plot, shown, view.seeds ? seeds : []);
    said.get(measure)?.(
      outsideText(outsideOf(live.plot, shown, seeds), othersOf(live.plot, shown.y)),
    );
  };
  const drawTables = (
    experiment: ExperimentRecord,
    histories: readonly TrialHistory[],
    arms: readonly ReportArm[],
  ) => {
    const now = performance.now();
    trials.show(study, arms);
    if (
      statistics &&
      histories.length > 0 &&
      (now - counted > STATISTICS || study.state !== "running")
    ) {
      statistics.show(experiment, histories, arms, study);
      // What takes long is done less often, so that the page is never busy with it alone.
      counted = performance.now() + 10 * (performance.now() - now);
    }
    const { rangeTests, rangeTestRuns } = study.progress;
    if (tests.hidden && Object.keys({ ...rangeTests, ...rangeTestRuns }).length > 0) {
      tests.hidden = false;
      tests.append(element("a", { href: hashOf(["range-test", id]) }, "Range tests of its arms"));
    }
  };
  function change(): void {
    again = drawing.busy;
    if (!again) due ??= setTimeout(draw, Math.max(0, next - performance.now()));
  }
  const stop = events.follow(id, (message) => {
    study = heard(study, message);
    problem.hidden = study.problem === null;
    problem.textContent = study.problem ?? "";
    if (study.problem === null) change();
  });
  addEventListener("resize", change);
  const root = element(
    "div",
    {},
    ...[
      title,
      headline,
      status,
      spoken,
      steer.root,
      exporting,
      tests,
      problem,
      controls.root,
      note,
      grid,
      results,
      workers.root,
      trials.root,
    ],
  );
  return {
    title: "Study",
    root,
    close() {
      stop();
      drawing.stop();
      if (due !== null) clearTimeout(due);
      removeEventListener("resize", change);
    },
  };
};

/** The name of a run's folder. */
const runName = ({ arms }: ExperimentRecord, arm: string, seed: number) =>
  `${arms.find(({ name }) => name === arm)?.slug ?? arm}-${seed}`;

/** "running, 3 of 6 runs at their end" */
function stateOfRuns(study: FollowedStudy): string {
  const { arms = [], protocol } = study.experiment ?? {};
  const planned = arms.length * (protocol?.seeds.length ?? 0);
  return `${stateText(study)}, ${planned - openRuns(study)} of ${planned} runs at their end`;
}

/** "running, 3 of 6 runs at their end, 120 images/s, about 2 min left". */
function progressText(study: FollowedStudy): string {
  const { state, progress } = study;
  const all = Object.values(progress.trials);
  const speed = all.reduce((sum, { update }) => sum + (update?.imagesPerSecond ?? 0), 0);
  const seconds = timeLeft(study);
  return [
    stateOfRuns(study),
    state === "running" && speed > 0 && `${Math.round(speed)} images/s`,
    state === "running" && seconds !== null && `about ${duration(seconds)} left`,
  ]
    .filter(Boolean)
    .join(", ");
}
