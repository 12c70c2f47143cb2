/** @file The page: the answer, what it rests on, how it was run; each section left out where there is nothing for it. */

import { ranked } from "../analysis/index.ts";
import type {
  ArmConfusion,
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
} from "../record/index.ts";
import type { Answer } from "./answer.ts";
import { documentOf } from "./document.ts";
import type { ReportArm } from "./figures/arms.ts";
import { grouped } from "./format.ts";
import { type AddedSection, addedSection } from "./published-protocol.ts";
import {
  classesSection,
  curvesSection,
  dataSection,
  learningRatesSection,
  profileSection,
  rangeTestsSection,
  samplesSection,
} from "./sections/evidence.ts";
import type { CaptionedFigure } from "./sections/figures.ts";
import { protocolSection, reproduceSection } from "./sections/protocol.ts";
import { differencesSection, resultsSection, targetsSection } from "./sections/results.ts";
import type { ReportInput } from "./types.ts";

export interface PageParts {
  readonly input: ReportInput;
  readonly answer: Answer;
  readonly summary: SummaryRecord | null;
  readonly arms: readonly ReportArm[];
  /** With the points of a sensitivity analysis. */
  readonly everyArm: readonly ReportArm[];
  readonly finalAccuracy: CaptionedFigure | null;
  readonly differences: CaptionedFigure | null;
  readonly targets: readonly CaptionedFigure[];
  readonly curves: readonly CaptionedFigure[];
  readonly added: readonly {
    readonly section: AddedSection;
    readonly drawn: readonly CaptionedFigure[];
  }[];
  readonly profile: CaptionedFigure | null;
  readonly sensitivity: CaptionedFigure | null;
  readonly perClass: readonly CaptionedFigure[];
  readonly confusions: readonly {
    readonly confusion: ArmConfusion;
    readonly figure: CaptionedFigure | null;
  }[];
  readonly rangeTests: readonly {
    readonly record: RangeTestRecord;
    readonly figures: readonly CaptionedFigure[];
    readonly confirmation: CaptionedFigure | null;
    readonly tuning: CaptionedFigure | null;
  }[];
  readonly learningRate: CaptionedFigure | null;
  readonly classes: CaptionedFigure | null;
}

export function page(parts: PageParts): string {
  const { answer, summary, arms, input } = parts;
  const { experiment } = input;
  const title = `${experiment.dataset.name}, ${experiment.model.name}: ${experiment.kind}`;
  const said = (text: string) => withLabels(text, parts.everyArm);
  const sections = [
    resultsSection(summary, arms, parts.finalAccuracy),
    differencesSection(summary?.pairs ?? [], parts.differences, arms),
    targetsSection(summary?.optimizers ?? [], parts.targets, arms),
    curvesSection(parts.curves),
    ...parts.added.map(({ section, drawn }) => addedSection(section, drawn)),
    profileSection(parts.profile, parts.sensitivity),
    classesSection(parts.perClass, parts.confusions, {
      arms,
      leader: ranked(summary?.optimizers ?? [])[0]?.name,
    }),
    rangeTestsSection(parts.rangeTests),
    learningRatesSection(parts.learningRate, arms),
    dataSection(experiment, parts.classes),
    samplesSection(input.samples, experiment),
    protocolSection(input, parts.everyArm),
    reproduceSection(input),
  ];
  return documentOf({
    title,
    kicker: kicker(experiment),
    headline: said(answer.headline),
    conclusion: answer.conclusion && said(answer.conclusion),
    details: answer.details.map(said),
    sections,
    footer: `lrscope ${experiment.lrscope}, ${experiment.created}`,
  });
}

/** A sentence with the labels of arms whose names are long; whole names stand under Protocol. */
const withLabels = (text: string, arms: readonly ReportArm[]): string =>
  arms
    .filter(({ name, label }) => name !== label)
    .sort((a, b) => b.name.length - a.name.length)
    .reduce((sentence, { name, label }) => sentence.replaceAll(name, label), text);

const kicker = ({ kind, dataset, model }: ExperimentRecord) =>
  [
    `lrscope ${kind}`,
    dataset.name,
    `${grouped(dataset.images)} images at ${dataset.size}×${dataset.size}`,
    `${model.name}, ${grouped(model.parameters)} parameters`,
  ].join(" · ");
