/** @file How the arms stand, in the report's own tables and figures, made anew as the records grow. */

import { ranked } from "../src/analysis/index.ts";
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
import { get, ofStudy } from "./api.ts";
import { element, say } from "./element.ts";
import type { FollowedStudy } from "./followed-study.ts";

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

/** @param headline takes the sentence that the report would begin with */
export function resultsOf(id: string, headline: HTMLElement): Results {
  const tables = element("div", { class: "results" });
  const classes = element("div", { class: "results" });
  /** Number of ended trials whose answers were asked for. */
  let asked = -1;
  const put = (place: HTMLElement, sections: readonly (Markup | null)[]) => {
    const text = sections.map((section) => section?.text ?? "").join("\n");
    if (place.dataset.shown === text) return;
    place.dataset.shown = text;
    place.innerHTML = text;
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
    root: element("div", {}, tables, classes),
    show(experiment, trials, arms, { progress, state }) {
      const summary = summarize(experiment, trials);
      const rangeTests = Object.values(progress.rangeTests);
      headline.textContent = answer(
        { experiment, summary, trials, rangeTests, samples: [] },
        summary,
      ).headline;
      put(tables, [
        resultsSection(
          summary,
          arms,
          captioned(finalAccuracyFigure(summary.optimizers, arms), captions.finalAccuracy),
        ),
        differencesSection(
          summary.pairs ?? [],
          captioned(pairedFigure(summary.pairs ?? []), captions.paired),
          arms,
        ),
      ]);
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
