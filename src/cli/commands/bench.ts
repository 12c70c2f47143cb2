/** @file `lrscope bench`: what the engine costs on this machine, beside PyTorch and the machine's limit. */

import { ArgumentError } from "../../core/errors.ts";
import { MOST_IMAGES, MOST_PIXELS, MOST_REPETITIONS } from "../../core/limits.ts";
import { didYouMean } from "../../core/nearest-name.ts";
import { defineCommand, optional, toggle, untoggle, value } from "../flags/define-command.ts";
import { jsonFlag, modelFlag, threadsFlag, trainingFlags } from "../flags/flags.ts";
import { list, positiveInteger, text } from "../flags/values.ts";
import {
  dataText,
  epochText,
  growthText,
  optimizerText,
  stepText,
  studyText,
  transferText,
} from "../text/bench/bench-text.ts";

const widthOf = positiveInteger("64", MOST_PIXELS);

const KINDS = ["step", "transfer", "epoch", "study", "optimizer", "data"];

export const bench = defineCommand({
  name: "bench",
  api: [
    "benchStep",
    "benchGrowth",
    "benchTransfer",
    "benchEpoch",
    "benchStudy",
    "benchOptimizer",
    "benchData",
  ],
  summary: "measure step, transfer, epoch, study, optimizer or data, beside PyTorch and the limit",
  details:
    "step: training steps on random images. transfer: fine-tuning steps, also from a feature cache and of the head alone; of resnet34 say --model resnet34 --size 224 --batch 32. epoch: whole epochs of the vanilla CNN from a folder of JPEGs. study: six arms with two seeds, one run with all cores at a time beside several that share them. optimizer: updates of 51 million parameters. data: decoding and augmenting. Where python3 can import PyTorch, it is measured in turns with lrscope, set up as its tuning guide says and as installed. step --grow measures how a step's cost grows with batch, size and threads.",
  args: [{ name: "what", help: "what to measure", choices: KINDS }],
  flags: {
    ...modelFlag,
    widths: optional({
      placeholder: "list",
      help: "step: channels of vanilla's blocks, as in 32,64,128",
      read: (value, flag) => list("32,64,128")(value, flag).map((width) => widthOf(width, flag)),
      shownFallback: "its own four",
    }),
    size: value({
      placeholder: "pixels",
      help: "size of the images",
      read: positiveInteger("128", MOST_PIXELS),
      fallback: 128,
    }),
    batch: trainingFlags.batch,
    images: value({
      placeholder: "n",
      help: "images of the folder (epoch, study, data)",
      read: positiveInteger("1280", MOST_IMAGES),
      fallback: 1280,
    }),
    ...threadsFlag,
    precision: trainingFlags.precision,
    repetitions: optional({
      placeholder: "n",
      help: "steps, epochs, studies or updates to measure",
      read: positiveInteger("25", MOST_REPETITIONS),
      shownFallback: "25 steps, 7 of transfer, 5 epochs, 3 studies, 15 updates",
    }),
    epochs: optional({
      placeholder: "n",
      help: "study: epochs of each run",
      read: positiveInteger("4", MOST_REPETITIONS),
      shownFallback: "4",
    }),
    tuneConvolutions: trainingFlags.tuneConvolutions,
    grow: toggle("step: measure batch 1 to 256, size 32 to 224, 1 and 2 threads"),
    into: optional({
      placeholder: "file",
      help: "step --grow: keep the points here, and go on from those that are there",
      read: text,
    }),
    peers: untoggle("measure lrscope alone"),
    limit: untoggle("step: leave out what the hardware must charge"),
    ...jsonFlag,
  },
  examples: [
    "lrscope bench step",
    "lrscope bench step --model resnet34 --size 64 --batch 128 --json",
    "lrscope bench optimizer --threads 2",
  ],
  async run({ args, flags, terminal, signal }) {
    const [what = ""] = args;
    if (!KINDS.includes(what))
      throw new ArgumentError(
        `bench: unknown benchmark "${what}"${didYouMean(what, KINDS)} There is: ${KINDS.join(", ")}`,
      );
    const { checkPrecision } = await import("../../engine/native/engines.ts");
    if (flags.precision !== "fp32" && (what !== "step" || flags.grow))
      throw new ArgumentError(
        `bench: --precision ${flags.precision} belongs to bench step without --grow; leave it out`,
      );
    checkPrecision("bench", flags.precision);
    if ((flags.grow || flags.into !== undefined) && what !== "step")
      throw new ArgumentError("bench: --grow and --into belong to bench step; leave them out");
    if (flags.widths && (what !== "step" || flags.grow || flags.model !== "vanilla"))
      throw new ArgumentError(
        "bench: --widths belongs to bench step of vanilla without --grow; leave it out",
      );
    if (flags.epochs !== undefined && what !== "study")
      throw new ArgumentError("bench: --epochs belongs to bench study; leave it out");
    const { model, size, batch, images, epochs, peers, threads, repetitions } = flags;
    const shared = {
      peers,
      signal,
      ...(threads === undefined ? {} : { threads }),
      ...(repetitions === undefined ? {} : { repetitions }),
    };
    const show = (lines: readonly string[], record: unknown) => {
      for (const line of lines) terminal.print(line);
      terminal.result(record);
    };
    if (flags.grow) {
      terminal.note(`timing ${model} as it grows ...`);
      const { benchGrowth } = await import("../../bench/grow.ts");
      const record = await benchGrowth({ model, into: flags.into, signal });
      return show(growthText(record, terminal), record);
    }
    switch (what) {
      case "step": {
        terminal.note(`timing ${model}, batch ${batch}, ${size}x${size} ...`);
        const { benchStep } = await import("../../bench/step.ts");
        const { tuneConvolutions: tune, limit, precision } = flags;
        const { widths } = flags;
        const about = {
          ...{ model, size, batch, tune, limit, precision },
          ...(widths ? { widths } : {}),
        };
        const record = await benchStep({ ...shared, ...about });
        return show(stepText(record, terminal), record);
      }
      case "transfer": {
        terminal.note(`timing fine-tuning of ${model}, batch ${batch}, ${size}x${size} ...`);
        const { benchTransfer } = await import("../../bench/transfer.ts");
        const record = await benchTransfer({ ...shared, model, size, batch });
        return show(transferText(record, terminal), record);
      }
      case "epoch": {
        terminal.note(`timing epochs of ${images} images, batch ${batch}, ${size}x${size} ...`);
        const { benchEpoch } = await import("../../bench/epoch.ts");
        const record = await benchEpoch({ ...shared, size, batch, images });
        return show(epochText(record, terminal), record);
      }
      case "study": {
        terminal.note(`timing studies of ${model}, batch ${batch}, ${size}x${size} ...`);
        const { benchStudy } = await import("../../bench/study.ts");
        const about = { model, size, batch, images, ...(epochs === undefined ? {} : { epochs }) };
        const record = await benchStudy({ ...shared, ...about });
        return show(studyText(record, terminal), record);
      }
      case "optimizer": {
        terminal.note("timing updates of 51 million parameters ...");
        const { benchOptimizer } = await import("../../bench/optimizer.ts");
        const record = await benchOptimizer(shared);
        return show(optimizerText(record, terminal), record);
      }
      default: {
        terminal.note(`timing decoding and augmentation of ${images} images ...`);
        const { benchData } = await import("../../bench/data.ts");
        const record = await benchData({ ...shared, size, batch, images });
        return show(dataText(record), record);
      }
    }
  },
});
