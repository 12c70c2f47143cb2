/** @file What a report is made from, and what comes out. Plain records and strings only. */

import type {
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
  TrialHistory,
} from "../record/index.ts";

/** One image of the data set beside augmented copies of it. Images are `data:image/...` URIs. */
export interface SampleImages {
  readonly className: string;
  readonly original: string;
  readonly augmented: readonly string[];
}

/** Which classes an arm's weights took for which, summed over its seeds. */
export interface ReportConfusion {
  readonly arm: string;
  /** Of what images: "validation", "test". */
  readonly part: string;
  readonly classes: readonly string[];
  /** Rows are true classes, columns answers. */
  readonly counts: readonly (readonly number[])[];
  /** The surest mistakes, most probable first. */
  readonly mistakes?: readonly ReportMistake[];
}

/** One image that was taken for another class. */
export interface ReportMistake {
  readonly seed: number;
  readonly truth: string;
  readonly answer: string;
  /** Of the answer, 0 .. 1. */
  readonly probability: number;
  /** File name relative to the source; null where the source has none. */
  readonly file: string | null;
  /** `data:image/...`; null where the run keeps no photos. */
  readonly image: string | null;
}

/** What a report is rendered from: the records of a run. */
export interface ReportInput {
  readonly experiment: ExperimentRecord;
  /** null: computed from the trials, where there are any. */
  readonly summary: SummaryRecord | null;
  readonly rangeTests: readonly RangeTestRecord[];
  readonly trials: readonly TrialHistory[];
  /** Empty: the report has no photos in it. */
  readonly samples: readonly SampleImages[];
  readonly confusions?: readonly ReportConfusion[];
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
