/** @file Reports: records to charts, HTML, Markdown and plain text. Browser-safe. */

export type { Figure } from "./draw.ts";
export { drawSchedule } from "./draw-schedule.ts";
export { type RenderedEvaluation, renderEvaluation } from "./evaluation.ts";
export type { ReportArm } from "./figures/arms.ts";
export { type AccuracyCurves, accuracyFigure, curvesOfArm } from "./figures/over-epochs.ts";
export { type CostRow, costliest, drawStepProfile } from "./figures/step-profile.ts";
export { formatRate, percent, percentSpread, signedPoints } from "./format.ts";
export { html, Markup } from "./html.ts";
export type {
  AddedSection,
  ProtocolDefaults,
  PublishedProtocol,
  PublishedResults,
  TextTable,
} from "./published-protocol.ts";
export { type RenderOptions, renderReport } from "./render.ts";
export { formatSummaryTable, markdownTable } from "./table.ts";
export { formatRangeTestChart, type TerminalChartOptions } from "./terminal.ts";
export type { RenderedReport, ReportInput } from "./types.ts";
