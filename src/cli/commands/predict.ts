/** @file `lrscope predict CHECKPOINT IMAGE...`: what a trained network sees in images. */

import { DataError } from "../../core/errors.ts";
import { percent } from "../../core/words.ts";
import { defineCommand, value } from "../flags/define-command.ts";
import { jsonFlag, threadsFlag, trialChoiceFlags } from "../flags/flags.ts";
import { positiveInteger } from "../flags/values.ts";
import { describeBroken } from "../text/broken-files.ts";
import { textTable } from "../text/format.ts";

export const predict = defineCommand({
  name: "predict",
  api: ["predict"],
  summary: "classify images with the weights of a run",
  details:
    "CHECKPOINT is best.safetensors or last.safetensors of a trial; it holds all that is needed. Of a run's directory the weights of the leading arm and its best seed are taken. Images of any size are brought to the network's, as the training images were, and read by their content, whatever their names end in; files that are no images are named, with the reason.",
  args: [
    {
      name: "checkpoint",
      help: "best.safetensors or last.safetensors of a trial, or a run directory",
    },
    {
      name: "image",
      help: "image files, folders of them, or other sources that training takes",
      variadic: true,
    },
  ],
  flags: {
    top: value({
      placeholder: "n",
      help: "classes to name for each image",
      read: positiveInteger("3"),
      fallback: 3,
    }),
    ...trialChoiceFlags,
    ...threadsFlag,
    ...jsonFlag,
  },
  examples: [
    "lrscope predict lrscope-runs/RUN tulip.jpg",
    "lrscope predict lrscope-runs/RUN/trials/adam-0/best.safetensors tulip.jpg",
    "lrscope predict best.safetensors photos/ --top 1 --json",
  ],
  async run({ args, flags, terminal, signal }) {
    const [checkpoint = "", ...files] = args;
    const { DEFAULT_ENGINE, openBackend } = await import("../../engine/native/engines.ts");
    const { predict: classify } = await import("../../study/stored/from-checkpoint.ts");
    const threads = flags.threads === undefined ? {} : { threads: flags.threads };
    const backend = await openBackend(DEFAULT_ENGINE, threads);
    let weights = checkpoint;
    const predictions = await classify({
      checkpoint,
      files,
      backend,
      top: flags.top,
      arm: flags.arm,
      seed: flags.seed,
      signal,
      onWeights: ({ checkpoint: chosen, why }) => {
        weights = chosen;
        if (why !== null) terminal.note(why);
      },
      ...threads,
    });
    const seen = predictions.filter(({ reason }) => reason === null);
    if (seen.length > 0)
      terminal.print(
        textTable(
          ["image", "class", "probability", "then"],
          seen.map(({ file, top: [first, ...others] }) => [
            file,
            first?.class ?? "-",
            first ? percent(first.probability) : "-",
            others.map((other) => `${other.class} ${percent(other.probability)}`).join(", "),
          ]),
          ["left", "left", "right", "left"],
          terminal.colors,
          terminal.width,
        ),
      );
    const left = predictions.flatMap(({ file, reason }) =>
      reason === null ? [] : [{ file, reason }],
    );
    for (const line of describeBroken(left, { limit: Number.POSITIVE_INFINITY }))
      terminal.print(line);
    terminal.result({
      weights,
      predictions: predictions.map(({ file, top, reason }) =>
        reason === null ? { file, top } : { file, top, reason },
      ),
    });
    if (seen.length === 0)
      throw new DataError("predict: none of the images can be decoded; the reasons stand above");
  },
});
