/** @file `lrscope report DIR...`: render records again, of one run or of several together. */

import { timeStamp } from "../../study/default-out.ts";
import { defineCommand, optional } from "../flags/define-command.ts";
import { answerFlags, jsonFlag, samplesFlag, tensorboardFlag } from "../flags/flags.ts";
import { publishedFlag } from "../flags/protocol-flags.ts";
import { text } from "../flags/values.ts";
import { resultsText } from "../text/results-text.ts";

export const report = defineCommand({
  name: "report",
  summary: "render run directories again, or several together",
  details:
    "Of one directory: its report.html and figures anew, from its records. Of several on the same data: one report that sets their optimizers side by side, in a folder of its own.",
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
    const { checkRunDirectory, openRunDirectory, readRun } = await import("../../store/index.ts");
    const { summarize } = await import("../../analysis/index.ts");
    const { mergeRuns } = await import("../../study/merge-runs.ts");
    const { readSamples } = await import("../../study/artefacts/samples.ts");
    const { confusionsFrom, readConfusions } = await import("../../study/artefacts/confusions.ts");
    const { checkProtocol, following, publishedOf, publishedTableOf } = await import(
      "../../study/protocols.ts"
    );
    const { recordedOptions, renderRun, wantedOptions } = await import("../../study/derive.ts");
    const { renderInto, withLogs } = await import("../../study/artefacts/write-report.ts");
    const runs = args.map((path) => {
      const run = readRun(path);
      return { path, run: { ...run, trials: withLogs(path, run.trials) }, recorded: run };
    });
    const single = runs.length === 1 ? runs[0]! : null;
    const {
      run: recordedRun,
      notes,
      experiments,
    } = single ? { run: single.run, notes: [], experiments: [] } : mergeRuns(runs);
    const run = following(recordedRun, flags.protocol);
    await checkProtocol("report", run.experiment);
    const out = flags.out ?? single?.path ?? `lrscope-runs/report-${timeStamp()}`;
    const inPlace = single !== null && flags.out === undefined;
    if (!inPlace) checkRunDirectory(out);
    const samples = flags.samples ? readSamples(args[0]!) : [];
    const confusions = runs.flatMap(({ path, recorded }, i) =>
      readConfusions(path, recorded, flags.samples).map((entry) => ({
        ...entry,
        arm: experiments[i] ? `${experiments[i].name}: ${entry.arm}` : entry.arm,
      })),
    );
    const directory = openRunDirectory(out);
    for (const note of notes) terminal.note(`Note: ${note}`);
    for (const { path, recorded } of runs)
      if (confusionsFrom(path, recorded) === "other")
        terminal.note(
          `Note: ${path}/confusions.json is of earlier records, and left out; --resume makes it again`,
        );
    const measured = run.trials.some(({ metrics }) => metrics.length > 0);
    // What a run was asked for when it began, its report answers too.
    const begun = single ? recordedOptions(run.experiment) : {};
    const asked = {
      targets: flags.targets ?? begun.targets,
      profile: flags.profile || begun.profile,
      png: flags.png || begun.png,
      tensorboard: flags.tensorboard || begun.tensorboard,
    };
    const {
      targets,
      profile = false,
      png,
      tensorboard,
    } = inPlace ? wantedOptions(out, asked) : { ...asked, tensorboard: flags.tensorboard };
    const summarized = measured
      ? summarize(run.experiment, run.trials, {
          profile,
          oneProtocol: notes.length === 0,
          ...(await publishedOf(run.experiment, run.trials)),
          ...(targets ? { targets } : {}),
        })
      : null;
    const summary =
      summarized && notes.length > 0
        ? { ...summarized, notes: [...notes, ...(summarized.notes ?? [])] }
        : summarized;
    const input = { ...run, summary, samples, experiments, confusions };
    const path = inPlace
      ? await renderRun(directory, input, { png })
      : (await renderInto(directory, input, { png: png ?? false })).report;
    if (summary) {
      directory.writeSummary(summary);
      const { columns, colors } = terminal;
      const published = await publishedTableOf(run.experiment, summary);
      terminal.print(await resultsText(summary, { columns, colors, published }));
      terminal.print("");
    }
    if (tensorboard) {
      const { writeTensorboard } = await import("../../study/artefacts/write-tensorboard.ts");
      terminal.print(`Events:  ${writeTensorboard(directory, run)}`);
    }
    terminal.print(`Report:  ${terminal.colors.bold(path)}`);
    terminal.result({ report: path, directory: out, summary });
  },
});
