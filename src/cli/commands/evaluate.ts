/** @file `lrscope evaluate CHECKPOINT SOURCE`: how a trained network answers on labelled images. */

import { defineCommand, optional, untoggle } from "../flags/define-command.ts";
import { jsonFlag, outFlag, threadsFlag, trialChoiceFlags } from "../flags/flags.ts";
import { sourceArgument } from "../flags/source.ts";
import { oneOf } from "../flags/values.ts";
import { describeBroken } from "../text/broken-files.ts";
import { evaluationLines } from "../text/evaluation-text.ts";

/** Files that could not be read, of which so many are named; the report has them all. */
const MOST_NAMED = 20;

export const evaluate = defineCommand({
  name: "evaluate",
  api: ["evaluate"],
  summary: "score the weights of a run on labelled images",
  details:
    "Accuracy with its interval, class by class, confusion and calibration, and a report of them. Classes are matched by name: one that the network does not know is refused. Of a source with parts the test part is scored, or the validation part where there is no other; images that the run itself split have the parts that it made of them, so that those are scored that it did not train on. Of a run's directory the weights of the leading arm and its best seed are taken.",
  args: [
    {
      name: "checkpoint",
      help: "best.safetensors or last.safetensors of a trial, or a run directory",
    },
    sourceArgument,
  ],
  flags: {
    part: optional({
      placeholder: "part",
      help: "of a source with parts, its own or those of the run: train, validation, test or all",
      read: oneOf(["train", "validation", "test", "all"]),
      shownFallback: "test, else validation",
    }),
    ...trialChoiceFlags,
    ...outFlag,
    samples: untoggle("leave the mistaken images out of the report"),
    ...threadsFlag,
    ...jsonFlag,
  },
  examples: [
    "lrscope evaluate lrscope-runs/RUN new-photos/",
    "lrscope evaluate best.safetensors photos/ --part test --json",
  ],
  async run({ args, flags, terminal, signal }) {
    const [checkpoint = "", source = ""] = args;
    const { DEFAULT_ENGINE, openBackend } = await import("../../engine/native/engines.ts");
    const { evaluate: score } = await import("../../study/stored/evaluate.ts");
    const { defaultOut } = await import("../../study/default-out.ts");
    const { openProgress } = await import("../text/progress.ts");
    const { out = defaultOut("evaluate", source), part, arm, seed, samples } = flags;
    const threads = flags.threads === undefined ? {} : { threads: flags.threads };
    const backend = await openBackend(DEFAULT_ENGINE, threads);
    const progress = openProgress(terminal);
    const { record, report } = await score({
      ...{ checkpoint, source, backend, out, part, arm, seed, samples, signal },
      ...threads,
      onEvent: progress.onEvent,
      onWeights: ({ why }) => why !== null && terminal.note(why),
    }).finally(() => progress.stop());
    const { colors } = terminal;
    for (const line of evaluationLines(record, terminal)) terminal.print(line);
    for (const line of describeBroken(record.leftOut, { limit: MOST_NAMED })) terminal.print(line);
    terminal.print("");
    terminal.print(`Report:  ${colors.bold(report ?? out)}`);
    // Pixels are for the page.
    const mistakes = record.mistakes.map((mistake) => ({ ...mistake, image: null }));
    terminal.result({ ...record, mistakes, report });
  },
});
