/** @file `lrscope export CHECKPOINT FILE`: a trained network for other programs to run. */

import { existsSync } from "node:fs";
import { extname } from "node:path";
import { ArgumentError } from "../../core/errors.ts";
import { mebibytes } from "../../core/words.ts";
import { defineCommand, toggle } from "../flags/define-command.ts";
import { jsonFlag, trialChoiceFlags } from "../flags/flags.ts";

export const exportModel = defineCommand({
  name: "export",
  api: ["exportOnnx"],
  summary: "write a trained network as an ONNX model",
  details:
    "The model takes images (batch, channels, size, size) of (pixel / 255 - mean) / std, of any batch size, and gives probabilities. Classes, mean, std and size stand in its metadata. Of a run's directory the weights of the leading arm and its best seed are taken.",
  args: [
    {
      name: "checkpoint",
      help: "best.safetensors or last.safetensors of a trial, or a run directory",
    },
    { name: "file", help: "the ONNX file to write, as in flowers.onnx" },
  ],
  flags: {
    logits: toggle("give logits, the scores before the softmax"),
    force: toggle("write over the file, where there is one"),
    ...trialChoiceFlags,
    ...jsonFlag,
  },
  examples: [
    "lrscope export lrscope-runs/RUN flowers.onnx",
    "lrscope export lrscope-runs/RUN/trials/adam-0/best.safetensors flowers.onnx",
    "lrscope export best.safetensors flowers.onnx --logits",
  ],
  async run({ args, flags, terminal }) {
    const [checkpoint = "", file = ""] = args;
    checkTarget(file, { force: flags.force });
    const { exportOnnx } = await import("../../study/stored/from-checkpoint.ts");
    const { writeWeightsFile } = await import("../../files/weight-files.ts");
    let weights = checkpoint;
    const bytes = await exportOnnx({
      ...{ checkpoint, softmax: !flags.logits, arm: flags.arm, seed: flags.seed },
      onWeights: ({ checkpoint: chosen, why }) => {
        weights = chosen;
        if (why !== null) terminal.note(why);
      },
    });
    await writeWeightsFile(file, bytes);
    const output = flags.logits ? "logits" : "probabilities";
    terminal.print(`${file}: ${mebibytes(bytes.length)}, images -> ${output}`);
    terminal.result({ weights, file, bytes: bytes.length, input: "images", output });
  },
});

/** @throws ArgumentError for an ending of another format, or a file that is there */
function checkTarget(file: string, { force }: { readonly force: boolean }): void {
  const ending = extname(file);
  if (ending.toLowerCase() !== ".onnx")
    throw new ArgumentError(
      `export: writes ONNX models, whose names end in .onnx; got "${file}". Give such a name, as in "${file.slice(0, file.length - ending.length) || "model"}.onnx"`,
    );
  if (existsSync(file) && !force)
    throw new ArgumentError(
      `export: "${file}" is there already; give another name, or --force to write over it`,
    );
}
