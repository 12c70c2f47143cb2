/** @file `lrscope report DIR...`: render records again, of one run or of several together. */

import { defineCommand, optional } from "../flags/define-command.ts";
import { answerFlags, jsonFlag, samplesFlag, tensorboardFlag } from "../flags/flags.ts";
import { publishedFlag } from "../flags/protocol-flags.ts";
import { text } from "../flags/values.ts";
import { resultsText } from "../text/results-text.ts";

export const report = defineCommand({
  name: "report",
  api: ["reportRuns"],
  summary: "render run directories again, or several together",
  details:
    "Of one directory: its report.html and figures anew, from its records. Of several on the same data: one report, in a folder of its own, that puts together what are parts of one study, and sets others side by side.",
  args: [{ name: "dir", help: "run directories of find, train, compare or demo", variadic: true }],
  flags: {
    out: optional({
      placeholder: "dir",
      help: "folder for the report",
      read: text,
      shownFallback: "the directory itself; of several, ./lrscope-runs/report-<time>",
    }),
    ...publishedFlag(
      "the published study that the runs repeat, whose results are set beside theirs: flowers-2019",
    ),
    ...answerFlags,
    ...tensorboardFlag,
    ...samplesFlag,
    ...jsonFlag,
  },
  examples: [
    "lrscope report lrscope-runs/compare-photos-20260131-101500",
    "lrscope report run-a run-b --out side-by-side",
  ],
  async run({ args, flags, terminal }) {
    const { reportRuns } = await import("../../study/report-runs.ts");
    const { targets, profile, tensorboard, png, samples, protocol, out } = flags;
    const asked = { targets, profile, tensorboard, png, samples, protocol, out };
    const {
      report: path,
      directory,
      summary,
      events,
      experiment,
    } = await reportRuns(args, {
      ...asked,
      onNote: (note) => terminal.note(`Note: ${note}`),
    });
    if (summary) {
      const { publishedTableOf } = await import("../../study/protocols.ts");
      const { columns, colors } = terminal;
      const published = await publishedTableOf(experiment, summary);
      terminal.print(await resultsText(summary, { columns, colors, published }));
      terminal.print("");
    }
    if (events) terminal.print(`Events:  ${events}`);
    terminal.print(`Report:  ${terminal.colors.bold(path)}`);
    terminal.result({ report: path, directory, summary });
  },
});
