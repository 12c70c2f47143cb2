/** @file Reports: records to charts, HTML, Markdown and plain text. Browser-safe. */

export { drawSchedule } from "./draw-schedule.ts";
export { formatRate, percentSpread } from "./format.ts";
export { renderReport } from "./render.ts";
export { formatSummaryTable, markdownTable } from "./table.ts";
export { formatRangeTestChart, type TerminalChartOptions } from "./terminal.ts";
export type {
  RenderedReport,
  ReportConfusion,
  ReportInput,
  ReportMistake,
  SampleImages,
} from "./types.ts";
