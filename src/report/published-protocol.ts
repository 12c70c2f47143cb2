/**
 * @file What a study that repeats a published one brings with it: what the publication's runs were made
 * with, and what a report and a terminal show of them beside ours. Each lies in a folder of studies/ and is
 * written against the package's public API alone.
 */

import type { ExperimentRecord, TrialHistory } from "../record/index.ts";
import type { Figure } from "./draw.ts";
import type { ReportArm } from "./figures/arms.ts";
import { html, type Markup } from "./html.ts";
import { type CaptionedFigure, figures, scrolling } from "./sections/figures.ts";

/** What a comparison is asked for where its call leaves it open. */
export interface ProtocolDefaults {
  readonly model: string;
  /** Width and height of the images, in pixels. */
  readonly size: number;
  readonly optimizers: readonly string[];
  readonly epochs: number;
  /** How many. */
  readonly seeds: number;
  readonly batch: number;
  /** Part of each class. */
  readonly validation: number;
  /** Whether its range tests are read as published. */
  readonly published: boolean;
}

/** What a publication's own numbers are to ours, in a form of its own; `published` of summary.json. */
export type PublishedResults = Readonly<Record<string, unknown>>;

export interface PublishedProtocol {
  /** As `--protocol` has it, and its folder below studies/. */
  readonly name: string;
  /** Title and year, for a reader. */
  readonly publication: string;
  /** Of its experiment with such a model, by the model's name; of its first where none is named; null where it had none. */
  defaultsFor(model: string | null): ProtocolDefaults | null;
  /** Why an experiment cannot be said to follow it, as part of a sentence; null where it can. */
  refusal(experiment: Pick<ExperimentRecord, "dataset" | "model">): string | null;
  /** Ours beside the publication's; null where nothing of ours can be set beside it. */
  compare(experiment: ExperimentRecord, trials: readonly TrialHistory[]): PublishedResults | null;
  /** Of what `compare` gave, read back; null where it is not of that form. */
  section(published: unknown): AddedSection | null;
  table(published: unknown): TextTable | null;
}

/** A section of the report, after the curves. */
export interface AddedSection {
  /** Its anchor on the page. */
  readonly id: string;
  readonly heading: string;
  readonly lead: string;
  figures(
    arms: readonly ReportArm[],
  ): readonly { readonly figure: Figure; readonly caption: string }[];
  readonly table: { readonly label: string; readonly markup: Markup };
  readonly notes: readonly string[];
  /** What the numbers of the table are. */
  readonly legend: string;
}

/** A table on a terminal: the first column is of names, the others of numbers. */
export interface TextTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function addedSection(section: AddedSection, drawn: readonly CaptionedFigure[]): Markup {
  const { id, heading, lead, table, notes, legend } = section;
  return html`<section id="${id}"><h2>${heading}</h2>
<p>${lead}</p>
${figures(drawn)}
${scrolling(table.label, table.markup)}
${notes.length > 0 && html`<ul class="note">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<p class="note">${legend}</p></section>`;
}
