/** @file `lrscope predict CHECKPOINT IMAGE...`: what a trained network sees in images. */

import { DataError } from "../../core/errors.ts";
import { percent } from "../../core/words.ts";
import { defineCommand, value } from "../flags/define-command.ts";
import { jsonFlag, threadsFlag } from "../flags/flags.ts";
import { positiveInteger } from "../flags/values.ts";
import { textTable } from "../text/format.ts";

export const predict = defineCommand({
  name: "predict",
  api: ["predict"],
  summary: "classify images with the weights of a run",
  details:
    "CHECKPOINT is best.safetensors or last.safetensors of a trial; it holds all that is needed. Images of any size are brought to the network's, as the training images were.",
  args: [
    { name: "checkpoint", help: "best.safetensors or last.safetensors of a trial" },
    {
      name: "image",
      help: "image files, or folders of them: JPEG, PNG, WebP, ...",
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
    ...threadsFlag,
    ...jsonFlag,
  },
  examples: [
    "lrscope predict lrscope-runs/RUN/trials/adam-0/best.safetensors tulip.jpg",
    "lrscope predict best.safetensors photos/ --top 1 --json",
  ],
  async run({ args, flags, terminal, signal }) {
    const [checkpoint = "", ...files] = args;
    const { DEFAULT_ENGINE, openBackend } = await import("../../engine/native/engines.ts");
    const { predict: classify } = await import("../../study/from-checkpoint.ts");
    const threads = flags.threads === undefined ? {} : { threads: flags.threads };
    const backend = await openBackend(DEFAULT_ENGINE, threads);
    const predictions = await classify({
      checkpoint,
      files,
      backend,
      top: flags.top,
      signal,
      ...threads,
    });
    terminal.print(
      textTable(
        ["image", "class", "probability", "then"],
        predictions.map(({ file, top: [first, ...others], reason }) => [
          file,
          first?.class ?? `(${reason})`,
          first ? percent(first.probability) : "-",
          others.map((other) => `${other.class} ${percent(other.probability)}`).join(", "),
        ]),
        ["left", "left", "right", "left"],
        terminal.colors,
      ),
    );
    terminal.result({
      predictions: predictions.map(({ file, top, reason }) =>
        reason === null ? { file, top } : { file, top, reason },
      ),
    });
    if (predictions.every(({ reason }) => reason !== null))
      throw new DataError("predict: none of the images can be decoded; the reasons stand above");
  },
});
