/** @file `lrscope explain`: the compiled step, as it will run on this machine. */

import { MOST_CLASSES, MOST_PIXELS } from "../../core/limits.ts";
import { knownImplementations } from "../../engine/native/engines.ts";
import { defineCommand, optional, value } from "../flags/define-command.ts";
import {
  batchFlag,
  jsonFlag,
  modelFlag,
  optimizerFlag,
  precisionFlag,
  threadsFlag,
  tuningFlags,
} from "../flags/flags.ts";
import { oneOf, positiveInteger } from "../flags/values.ts";
import { convolutionTable } from "../text/convolution-table.ts";

export const explain = defineCommand({
  name: "explain",
  api: ["explainStep", "printProgram"],
  summary: "print the compiled step: instructions, buffers, FLOPs, peak memory",
  details:
    "Compiles a network for this machine and prints what a step is made of: each instruction with its operands and layouts, each buffer with its place in memory, the arithmetic, and the peak memory beside what no plan could do without.",
  args: [],
  flags: {
    ...modelFlag,
    size: value({
      placeholder: "pixels",
      help: "size of the images",
      read: positiveInteger("128", MOST_PIXELS),
      fallback: 128,
    }),
    channels: value({
      placeholder: "n",
      help: "of the images: 3, or 1 for grayscale",
      read: oneOf(["1", "3"]),
      fallback: "3" as const,
    }),
    classes: value({
      placeholder: "n",
      help: "outputs of the network",
      read: positiveInteger("5", MOST_CLASSES),
      fallback: 5,
    }),
    ...batchFlag,
    ...optimizerFlag,
    program: value({
      placeholder: "name",
      help: "train, evaluate or predict",
      read: oneOf(["train", "evaluate", "predict"]),
      fallback: "train" as const,
    }),
    ...precisionFlag,
    ...threadsFlag,
    ...tuningFlags,
    convolutions: optional({
      placeholder: "name",
      help: `force ${knownImplementations.join(", ")} wherever there is such a one`,
      read: oneOf(knownImplementations),
      shownFallback: "the engine's rule",
    }),
    ...jsonFlag,
  },
  examples: ["lrscope explain", "lrscope explain --size 32 --batch 8 --optimizer adam --json"],
  async run({ flags, terminal, signal }) {
    const { explainStep } = await import("../../bench/explain.ts");
    const { instructionRows, printProgram, printSummary } = await import("../../compile/index.ts");
    const { model, size, classes, batch, precision, optimizer } = flags;
    const { compiled, engine, threads, convolutions } = await explainStep({
      ...{ model, size, classes, batch, precision, optimizer, signal },
      channels: Number(flags.channels),
      ...{ threads: flags.threads, tuneConvolutions: flags.tuneConvolutions, memory: flags.memory },
      convolutions: flags.convolutions,
      onNote: (text) => terminal.note(text),
    });
    const program = compiled.programs[flags.program];
    terminal.print(printSummary(compiled));
    terminal.print(`engine                ${engine}`);
    terminal.print("");
    terminal.print(convolutionTable(convolutions, terminal));
    terminal.print("");
    terminal.print(printProgram(program));
    terminal.result({
      model,
      size,
      batch,
      threads,
      precision,
      classes,
      optimizer,
      engine,
      parameters: compiled.parameterCount,
      memory: compiled.memory,
      flops: compiled.flops,
      convolutions,
      program: program.name,
      instructions: instructionRows(program),
      buffers: program.buffers,
    });
  },
});
