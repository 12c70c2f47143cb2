/** @file What a report is made from, and what comes out. Plain records and strings only. */

import type {
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
  TrialRecord,
} from "../record/index.ts";

/** One image of the data set beside augmented copies of it. Images are `data:image/...` URIs. */
export interface SampleImages {
  readonly className: string;
  readonly original: string;
  readonly augmented: readonly string[];
}

export interface ReportTrial {
  readonly trial: TrialRecord;
  /** One an epoch, in order; empty where the first epoch is not done. */
  readonly metrics: readonly EpochMetrics[];
}

/** What a report is rendered from: the records of a run. */
export interface ReportInput {
  readonly experiment: ExperimentRecord;
  /** null: computed from the trials, where there are any. */
  readonly summary: SummaryRecord | null;
  readonly rangeTests: readonly RangeTestRecord[];
  readonly trials: readonly ReportTrial[];
  /** Empty: the report has no photos in it. */
  readonly samples: readonly SampleImages[];
}

export interface RenderedReport {
  /** One self-contained page: it asks for nothing outside itself. */
  readonly html: string;
  /** Standalone SVG files by name, "accuracy-validation.svg". */
  readonly figures: Record<string, string>;
  /** The table of results in Markdown; "" where nothing was trained. */
  readonly markdownTable: string;
}
