/** @file What a report is made from, and what comes out. Plain records and strings only. */

import type {
  ArmConfusion,
  ExperimentRecord,
  RangeTestRecord,
  SampleImages,
  SummaryRecord,
  TrialHistory,
} from "../record/index.ts";

/** What a report is rendered from: the records of a run. */
export interface ReportInput {
  readonly experiment: ExperimentRecord;
  /** null: computed from the trials, where there are any. */
  readonly summary: SummaryRecord | null;
  readonly rangeTests: readonly RangeTestRecord[];
  readonly trials: readonly TrialHistory[];
  /** Empty: the report has no photos in it. */
  readonly samples: readonly SampleImages[];
  readonly confusions?: readonly ArmConfusion[];
  /** Of a report on several: each by the name that its arms have in front ("run-a: adam"). */
  readonly experiments?: readonly {
    readonly name: string;
    readonly experiment: ExperimentRecord;
  }[];
}

export interface RenderedReport {
  /** One self-contained page: it asks for nothing outside itself. */
  readonly html: string;
  /** Standalone SVG files by name, "accuracy-validation.svg". */
  readonly figures: Record<string, string>;
  /** The table of results in Markdown; "" where nothing was trained. */
  readonly markdownTable: string;
}
