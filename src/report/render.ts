/** @file From records to a report. */

import { summarize } from "../analysis/index.ts";
import { answer } from "./answer.ts";
import { draw, type Figure } from "./draw.ts";
import { accuracyFigure } from "./figures/accuracy.ts";
import { armsOf } from "./figures/arms.ts";
import { classesFigure } from "./figures/classes.ts";
import { finalAccuracyFigure } from "./figures/final-accuracy.ts";
import { rangeTestFigures } from "./figures/range-test.ts";
import { scheduleFigures } from "./figures/schedule.ts";
import { formatRate } from "./format.ts";
import { type CaptionedFigure, page } from "./page.ts";
import { markdownTable } from "./table.ts";
import type { RenderedReport, ReportInput } from "./types.ts";

/**
 * Render a report from plain records: one self-contained HTML page, its figures as SVG files, and
 * the table of results in Markdown. The same input gives the same output, to the last byte.
 *
 * Sections for which the records hold nothing are absent: a range test alone, a single training
 * run, or a comparison that was interrupted all make a report. Values that are null are gaps.
 */
export async function renderReport(input: ReportInput): Promise<RenderedReport> {
  const { experiment, rangeTests, trials, samples } = input;
  const summary = input.summary ?? (trials.length > 0 ? summarize(experiment, trials) : null);
  const arms = armsOf(input);
  const drawn: Record<string, string> = {};
  const captioned = async (figure: Figure, caption: string): Promise<CaptionedFigure> => {
    // Records of several runs may name the same arm: their figures are numbered apart.
    let name = figure.name;
    for (let n = 2; `${name}.svg` in drawn; n++) name = `${figure.name}-${n}`;
    const result = await draw({ ...figure, name });
    drawn[`${name}.svg`] = result.standalone;
    return { drawn: result, caption };
  };

  const classes = classesFigure(experiment.dataset);
  const classesDrawn = classes ? await captioned(classes, "") : null;

  const rangeTestsDrawn = [];
  for (const record of rangeTests) {
    const slug = arms.find((arm) => arm.name === record.arm)?.slug ?? slugOf(record.arm);
    const figures: CaptionedFigure[] = [];
    for (const figure of rangeTestFigures(record, slug))
      figures.push(
        await captioned(
          figure,
          figure.half
            ? "The rate of each update."
            : "Thin lines are the loss of each batch, thick ones smoothed; a dot marks each seed’s smoothed minimum. " +
                `Shaded: from the lower bound (${formatRate(record.suggestion.baseLr)}) to the upper (${formatRate(record.suggestion.maxLr)}, rule ${record.suggestion.rule}).` +
                (record.runs.length > 1
                  ? " The bar on top spans the upper bounds of all seeds."
                  : "") +
                " Losses above the frame are cut off.",
        ),
      );
    rangeTestsDrawn.push({ record, figures });
  }

  const schedules: CaptionedFigure[] = [];
  for (const { figure, caption } of scheduleFigures(arms))
    schedules.push(await captioned(figure, caption));

  const accuracies: CaptionedFigure[] = [];
  for (const part of ["validation", "training"] as const) {
    const figure = accuracyFigure(arms, part, experiment.protocol.epochs);
    if (figure) accuracies.push(await captioned(figure, accuracyCaption(part, input)));
  }

  const final = finalAccuracyFigure(summary?.optimizers ?? [], arms);
  const finalDrawn = final
    ? await captioned(final, "A dot for each seed, a stroke at their mean.")
    : null;

  return {
    html: page({
      experiment,
      answer: answer(input, summary),
      summary,
      arms,
      samples,
      classes: classesDrawn,
      rangeTests: rangeTestsDrawn,
      schedules,
      accuracies,
      finalAccuracy: finalDrawn,
    }),
    figures: drawn,
    markdownTable: markdownTable(summary),
  };
}

function accuracyCaption(part: "training" | "validation", { trials }: ReportInput): string {
  const seeds = new Set(trials.map(({ trial }) => trial.seed)).size;
  const shown = seeds > 1 ? "Line: mean over seeds; band: least to greatest. " : "";
  const diverged = trials.some(({ trial }) => trial.status === "diverged")
    ? " A diverged seed counts as far as it came; × marks an arm of which none went on."
    : "";
  return part === "training"
    ? `${shown}On the augmented batches as they were trained on, during the epoch.${diverged}`
    : `${shown}On the validation images, after each epoch.${diverged}`;
}

/** A name safe as part of a file's. */
const slugOf = (name: string) => name.replace(/[^a-zA-Z0-9.-]+/g, "-");
