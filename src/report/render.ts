/** @file From records to a report. */

import { summarize } from "../analysis/index.ts";
import { shortName } from "../core/short-name.ts";
import type { ArmConfusion, SummaryRecord } from "../record/index.ts";
import { answer } from "./answer.ts";
import { draw, type Figure } from "./draw.ts";
import { armsOf, labelOf, type ReportArm } from "./figures/arms.ts";
import { captions } from "./figures/captions.ts";
import { classesFigure } from "./figures/classes.ts";
import { confirmationFigure, tuningFigure } from "./figures/confirmation.ts";
import { curvesFigure, MEASURES } from "./figures/curves.ts";
import { finalAccuracyFigure } from "./figures/final-accuracy.ts";
import { learningRateFigure } from "./figures/learning-rate.ts";
import { pairedFigure } from "./figures/paired.ts";
import { confusionFigure, perClassFigure } from "./figures/per-class.ts";
import { profileFigure, sensitivityFigure } from "./figures/profile.ts";
import { rangeTestFigures } from "./figures/range-test.ts";
import { targetFigures } from "./figures/targets.ts";
import { page } from "./page.ts";
import type { AddedSection } from "./published-protocol.ts";
import type { CaptionedFigure } from "./sections/figures.ts";
import { markdownTable } from "./table.ts";
import type { RenderedReport, ReportInput } from "./types.ts";

export interface RenderOptions {
  /** What the study of a published protocol adds to the page. */
  readonly sections?: readonly AddedSection[];
}

/**
 * Render a report from plain records: one self-contained HTML page, its figures as SVG files, and
 * the table of results in Markdown. The same input gives the same output, to the last byte.
 *
 * Sections for which the records hold nothing are absent: a range test alone, a single training
 * run, or a comparison that was interrupted all make a report. Values that are null are gaps.
 * @param options sections to add after the curves, each with its figures; default none
 */
export async function renderReport(
  input: ReportInput,
  { sections = [] }: RenderOptions = {},
): Promise<RenderedReport> {
  const { experiment, rangeTests, trials } = input;
  // A summary of lrscope 0.1 has no conclusion, and can be made again.
  const given = input.summary?.conclusion === undefined && trials.length > 0 ? null : input.summary;
  const whole = given ?? (trials.length > 0 ? summarize(experiment, trials) : null);
  const everyArm = armsOf(input);
  // Points of a sensitivity analysis have a figure of their own, and are no contestants.
  const aside = new Set(
    experiment.arms.flatMap(({ name, sensitivity }) =>
      sensitivity && sensitivity.factor !== 1 ? [name] : [],
    ),
  );
  const arms = everyArm.filter(({ name }) => !aside.has(name));
  const summary = whole && {
    ...whole,
    optimizers: whole.optimizers.filter(({ name }) => !aside.has(name)),
  };
  const album = new Album();
  const { epochs } = experiment.protocol;
  const optimizers = summary?.optimizers ?? [];
  const several = optimizers.some((o) => o.seeds.length > 1);

  const curves = MEASURES.flatMap(({ measure }) => {
    const figure = curvesFigure(arms, measure, { epochs });
    if (!figure) return [];
    if (several) album.keep(curvesFigure(arms, measure, { epochs, band: "interval" }));
    return [album.add(figure, captions.curves(measure, input))];
  });
  const rate = learningRateFigure(arms);
  const added = () =>
    sections.map((section) => ({
      section,
      drawn: section.figures(arms).map(({ figure, caption }) => album.add(figure, caption)),
    }));
  const html = page({
    input,
    answer: answer(input, summary),
    summary,
    arms,
    everyArm,
    finalAccuracy: album.maybe(finalAccuracyFigure(optimizers, arms), captions.finalAccuracy),
    differences: album.maybe(pairedFigure(summary?.pairs ?? []), captions.paired),
    targets: targetFigures(optimizers, arms).map((figure) => album.add(figure, "")),
    curves,
    added: added(),
    profile: summary?.profile
      ? album.maybe(profileFigure(summary.profile, arms), captions.profile)
      : null,
    sensitivity: album.maybe(
      sensitivityFigure(summary?.sensitivity ?? [], arms),
      captions.sensitivity,
    ),
    perClass: (["test", "validation"] as const).flatMap((part) => {
      const figure = perClassFigure(optimizers, arms, part);
      return figure ? [album.add(figure, captions.perClass(part))] : [];
    }),
    confusions: confusionsOf(input, summary).map((confusion) => ({
      confusion,
      figure: album.maybe(
        confusionFigure({
          ...confusion,
          title: labelOf(confusion.arm, arms),
          slug: slugFor(confusion.arm, arms),
        }),
        captions.confusion(confusion),
      ),
    })),
    rangeTests: rangeTests.map((record) => ({
      record,
      figures: rangeTestFigures(record, slugFor(record.arm, arms)).map((figure) =>
        album.add(figure, figure.half ? "The rate of each update." : captions.rangeTest(record)),
      ),
      confirmation: album.maybe(
        confirmationFigure(record, slugFor(record.arm, arms)),
        captions.confirmation,
      ),
      tuning: album.maybe(tuningFigure(record, slugFor(record.arm, arms)), captions.confirmation),
    })),
    learningRate: rate ? album.add(rate.figure, rate.caption) : null,
    classes: album.maybe(classesFigure(experiment.dataset), ""),
  });
  return { html, figures: album.files, markdownTable: markdownTable(summary) };
}

/** The figures drawn so far; names are told apart, as records of several runs may name one arm. */
class Album {
  readonly files: Record<string, string> = {};

  add(figure: Figure, caption: string): CaptionedFigure {
    let name = figure.name;
    for (let n = 2; `${name}.svg` in this.files; n++) name = `${figure.name}-${n}`;
    const { plot } = figure;
    const drawn = draw({ ...figure, name, ...(plot ? { plot: { ...plot, name } } : {}) });
    this.files[`${name}.svg`] = drawn.standalone;
    return { drawn, caption };
  }

  maybe(figure: Figure | null, caption: string): CaptionedFigure | null {
    return figure ? this.add(figure, caption) : null;
  }

  /** As a file beside, and not in the page. */
  keep(figure: Figure | null): void {
    if (figure) this.add(figure, "");
  }
}

/** Those that were handed in; without any, the test parts that the trials scored. */
function confusionsOf(
  { confusions, trials, experiment }: ReportInput,
  summary: SummaryRecord | null,
): ArmConfusion[] {
  if (confusions && confusions.length > 0) return [...confusions];
  const classes = experiment.dataset.classes.map(({ name }) => name);
  return (summary?.optimizers ?? []).flatMap(({ name }) => {
    const matrices = trials.flatMap(({ trial }) =>
      trial.arm === name && trial.test?.confusion ? [trial.test.confusion] : [],
    );
    if (matrices.length === 0) return [];
    const counts = classes.map((_, i) =>
      classes.map((__, j) => matrices.reduce((sum, matrix) => sum + (matrix[i]?.[j] ?? 0), 0)),
    );
    return [{ arm: name, part: "test", classes, counts }];
  });
}

/** A name safe as part of a file's, beside which temporaries are written. */
const slugFor = (name: string, arms: readonly ReportArm[]) =>
  shortName(
    arms.find((arm) => arm.name === name)?.slug ?? name.replace(/[^a-zA-Z0-9.-]+/g, "-"),
    MOST_SLUG,
  );

const MOST_SLUG = 160;
