/** @file How the arms stand, in the report's own tables and figures, made anew as the records grow. */

import { pairedDifferences, ranked } from "../src/analysis/index.ts";
import { summarize } from "../src/analysis/summarize.ts";
import type { ArmConfusion, ExperimentRecord, TrialHistory } from "../src/record/index.ts";
import { answer } from "../src/report/answer.ts";
import { draw, type Figure } from "../src/report/draw.ts";
import { labelOf, type ReportArm } from "../src/report/figures/arms.ts";
import { captions } from "../src/report/figures/captions.ts";
import { finalAccuracyFigure } from "../src/report/figures/final-accuracy.ts";
import { pairedFigure } from "../src/report/figures/paired.ts";
import { confusionFigure } from "../src/report/figures/per-class.ts";
import type { Markup } from "../src/report/html.ts";
import { classesSection } from "../src/report/sections/evidence.ts";
import { differencesSection, resultsSection } from "../src/report/sections/results.ts";
import { type JudgedBy, REPORTED, type ShownSpread } from "../src/report/standings.ts";
import { get, ofStudy } from "./api.ts";
import { choice } from "./choice.ts";
import { RANKS, SPREADS } from "./choices.ts";
import { element, say } from "./element.ts";
import type { FollowedStudy } from "./followed-study.ts";
import type { StudyView } from "./study-view.ts";

type Summary = ReturnType<typeof summarize>;

export interface Results {
  readonly root: HTMLElement;
  show(
    experiment: ExperimentRecord,
    trials: readonly TrialHistory[],
    arms: readonly ReportArm[],
    study: FollowedStudy,
  ): void;
}

const captioned = (figure: Figure | null, caption: string) =>
  figure && { drawn: draw(figure), caption };

const JUDGED: Readonly<Record<(typeof RANKS)[number], string>> = {
  last: "after the last epoch",
  best: "after each seed’s best epoch",
};
const BEHIND: Readonly<Record<ShownSpread, string>> = {
  ...{ interval: "[95% interval]", sd: "± deviation", range: "least and greatest" },
};

/** By which accuracy the tables set arms against each other, and what stands behind a mean. */
const tableControls = (view: StudyView, changed: () => void) =>
  element(
    "div",
    { class: "controls", role: "group", "aria-label": "What the tables show" },
    choice({
      label: "Accuracy that arms are compared by",
      all: RANKS,
      said: (each) => JUDGED[each],
      chosen: () => view.chosen.rank,
      set(rank) {
        view.set({ rank });
        changed();
      },
    }),
    choice({
      label: "Spread behind a mean",
      all: SPREADS,
      said: (each) => BEHIND[each],
      chosen: () => view.chosen.spread,
      set(spread) {
        view.set({ spread });
        changed();
      },
    }),
  );

/** Returns what puts a reader to where they are: the focus, how far each table is scrolled, what is unfolded. */
function placesWithin(root: HTMLElement): () => void {
  const all = <E extends HTMLElement>(selector: string) => [...root.querySelectorAll<E>(selector)];
  const focusable = () => all("[tabindex], summary");
  const focus = focusable().indexOf(document.activeElement as HTMLElement);
  const scrolled = all(".scroll").map(({ scrollLeft }) => scrollLeft);
  const unfolded = all<HTMLDetailsElement>("details").map(({ open }) => open);
  return () => {
    for (const [i, each] of all<HTMLDetailsElement>("details").entries())
      each.open = unfolded[i] ?? each.open;
    for (const [i, each] of all(".scroll").entries()) each.scrollLeft = scrolled[i] ?? 0;
    if (focus >= 0) focusable()[focus]?.focus({ preventScroll: true });
  };
}

/** As the records have them; or of the best epochs, which the page works out. */
function pairsBy(summary: Summary, experiment: ExperimentRecord, by: JudgedBy) {
  const pairs = summary.pairs ?? [];
  if (by === REPORTED.by) return pairs;
  const contestants = new Set(pairs.flatMap(({ a, b }) => [a, b]));
  const images = experiment.dataset.classes.reduce((sum, { validation }) => sum + validation, 0);
  return pairedDifferences(
    summary.optimizers.filter(({ name }) => contestants.has(name)),
    { measure: by, ...(images > 0 ? { images } : {}) },
  );
}

export interface ResultsOptions {
  readonly id: string;
  readonly view: StudyView;
  /** Takes the sentence that the report would begin with. */
  readonly headline: HTMLElement;
}

export function resultsOf({ id, view, headline }: ResultsOptions): Results {
  let again: () => void = () => undefined;
  const controls = tableControls(view, () => again());
  controls.hidden = true;
  const tables = element("div", { class: "results" });
  const classes = element("div", { class: "results" });
  /** Number of ended trials whose answers were asked for. */
  let asked = -1;
  const put = (place: HTMLElement, sections: readonly (Markup | null)[]) => {
    const text = sections.map((section) => section?.text ?? "").join("\n");
    if (place.dataset.shown === text) return;
    place.dataset.shown = text;
    const again = placesWithin(place);
    place.innerHTML = text;
    again();
  };
  const showClasses = async (arms: readonly ReportArm[], summary: Summary) => {
    const { confusions } = await get<{ confusions: readonly ArmConfusion[] }>(
      ofStudy(id, "answers"),
    );
    const slugOf = (name: string) => arms.find((arm) => arm.name === name)?.slug ?? name;
    put(classes, [
      classesSection(
        [],
        confusions.map((confusion) => ({
          confusion,
          figure: captioned(
            confusionFigure({
              ...confusion,
              title: labelOf(confusion.arm, arms),
              slug: slugOf(confusion.arm),
            }),
            captions.confusion(confusion),
          ),
        })),
        { arms, leader: ranked(summary.optimizers)[0]?.name },
      ),
    ]);
  };
  return {
    root: element("div", {}, controls, tables, classes),
    show(experiment, trials, arms, { progress, state }) {
      const summary = summarize(experiment, trials);
      controls.hidden = summary.optimizers.length === 0;
      const rangeTests = Object.values(progress.rangeTests);
      headline.textContent = answer(
        { experiment, summary, trials, rangeTests, samples: [] },
        summary,
      ).headline;
      again = () => {
        const standings = view.standings();
        const { by, spread } = standings;
        const pairs = pairsBy(summary, experiment, by);
        put(tables, [
          resultsSection(
            summary,
            arms,
            captioned(finalAccuracyFigure(summary.optimizers, arms, by), captions.finalAccuracy),
            standings,
          ),
          differencesSection(pairs, captioned(pairedFigure(pairs), captions.paired), arms, spread),
        ]);
      };
      again();
      const ended = Object.values(progress.trials).filter(
        ({ trial }) => trial.status !== "running",
      ).length;
      if (state === "running" || ended === asked) return;
      asked = ended;
      void showClasses(arms, summary).catch((error: Error) =>
        say(`The confusions cannot be read: ${error.message}`),
      );
    },
  };
}
