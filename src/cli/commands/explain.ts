/** @file `lrscope explain`: the compiled step, as it will run on this machine. */

import type { ExplainOptions } from "../../bench/explain.ts";
import type { ProfileOptions } from "../../bench/profile.ts";
import { ArgumentError } from "../../core/errors.ts";
import { MOST_CLASSES, MOST_PIXELS, MOST_REPETITIONS } from "../../core/limits.ts";
import { knownImplementations } from "../../engine/native/engines.ts";
import { defineCommand, optional, toggle, value } from "../flags/define-command.ts";
import {
  batchFlag,
  jsonFlag,
  modelFlag,
  optimizerFlag,
  precisionFlag,
  threadsFlag,
  tuningFlags,
} from "../flags/flags.ts";
import { oneOf, positiveInteger, text } from "../flags/values.ts";
import { convolutionTable } from "../text/bench/convolution-table.ts";

export const explain = defineCommand({
  name: "explain",
  api: ["explainStep", "printProgram", "profileStep", "stepTrace", "drawStepProfile", "layerCosts"],
  summary: "print the compiled step: instructions, buffers, FLOPs, peak memory",
  details:
    "Compiles a network for this machine and prints what a step is made of: each instruction with its operands and layouts, each buffer with its place in memory, the arithmetic, and the peak memory beside what no plan could do without. With --profile it is run on noise, and what each layer and instruction costs inside a step is shown beside what this machine would need at best: the bytes it moves at the bandwidth of memory, or its arithmetic at the speed of a great matrix product, or the beginning of an instruction.",
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
    profile: toggle("run it on noise, and time each instruction inside the steps"),
    steps: optional({
      placeholder: "n",
      help: "--profile: steps to time",
      read: positiveInteger("20", MOST_REPETITIONS),
      shownFallback: "20",
    }),
    figure: optional({
      placeholder: "file",
      help: "--profile: draw what each layer costs into this SVG file",
      read: text,
    }),
    trace: optional({
      placeholder: "file",
      help: "--profile: write the steps into this JSON file, for ui.perfetto.dev",
      read: text,
    }),
    ...jsonFlag,
  },
  examples: [
    "lrscope explain",
    "lrscope explain --profile --figure step.svg --trace step.json",
    "lrscope explain --size 32 --batch 8 --optimizer adam --json",
  ],
  async run({ flags, terminal, signal }) {
    const { instructionRows, printProgram, printSummary } = await import("../../compile/index.ts");
    const { model, size, classes, batch, precision, optimizer } = flags;
    const options = {
      ...{ model, size, classes, batch, precision, optimizer, signal },
      channels: Number(flags.channels),
      ...{ threads: flags.threads, tuneConvolutions: flags.tuneConvolutions, memory: flags.memory },
      convolutions: flags.convolutions,
      onNote: (text: string) => terminal.note(text),
    };
    const { compiled, engine, threads, convolutions, profile } = flags.profile
      ? await profiled({ ...options, program: flags.program, steps: flags.steps }, flags)
      : await explained(options, flags);
    const program = compiled.programs[flags.program];
    terminal.print(printSummary(compiled));
    terminal.print(`engine                ${engine}`);
    terminal.print("");
    if (profile) {
      const { profileText } = await import("../text/bench/profile-table.ts");
      terminal.print(profileText(profile, terminal));
    } else {
      terminal.print(convolutionTable(convolutions, terminal));
      terminal.print("");
      terminal.print(printProgram(program));
    }
    for (const [what, file] of [
      ["drawn into", flags.figure],
      ["traced into", flags.trace],
    ])
      if (file !== undefined) terminal.note(`${what} ${file}`);
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
      firstBlocks: compiled.firstBlocks,
      convolutions,
      ...(profile ? { profile } : {}),
      program: program.name,
      instructions: instructionRows(program),
      buffers: program.buffers,
    });
  },
});

type Files = Readonly<Record<"steps" | "figure" | "trace", unknown>>;

async function explained(options: ExplainOptions, flags: Files) {
  for (const name of ["steps", "figure", "trace"] as const)
    if (flags[name] !== undefined)
      throw new ArgumentError(`--${name} is of a profile; give --profile too`);
  const { explainStep } = await import("../../bench/explain.ts");
  return { ...(await explainStep(options)), profile: null };
}

/** Runs and times the step, and writes the files that are asked for. */
async function profiled(
  { steps, ...options }: Omit<ProfileOptions, "steps"> & { steps: number | undefined },
  { figure, trace }: { readonly figure: string | undefined; readonly trace: string | undefined },
) {
  const { profileStep } = await import("../../bench/profile.ts");
  const step = await profileStep({ ...options, ...(steps === undefined ? {} : { steps }) });
  const { profile, compiled, engine } = step;
  const { writeText } = await import("../text/write-text.ts");
  if (figure !== undefined) {
    const { layerCosts } = await import("../../bench/profile-costs.ts");
    const { drawStepProfile } = await import("../../report/index.ts");
    writeText(figure, drawStepProfile(layerCosts(profile)));
  }
  if (trace !== undefined) {
    const { stepTrace } = await import("../../bench/step-trace.ts");
    const about = { network: compiled.network.name, engine };
    writeText(trace, `${JSON.stringify(stepTrace(profile, about))}\n`);
  }
  return step;
}
