/** @file `lrscope bench step`: what one training step costs on this machine, beside PyTorch's. */

import { ArgumentError } from "../../core/errors.ts";
import { defineCommand, untoggle, value } from "../define-command.ts";
import { batchFlag, jsonFlag, modelFlag, threadsFlag, trainingFlags } from "../flags.ts";
import { count, textTable } from "../format.ts";
import { nearest } from "../../lab/nearest.ts";
import { positiveInteger } from "../values.ts";

const KINDS = ["step", "epoch", "optimizer", "data"];

export const bench = defineCommand({
  name: "bench",
  summary: "measure a training step, beside PyTorch where a Python has it",
  details:
    "bench step times training steps of the compiled network on random images, in alternation with PyTorch's where python3 can import it. (bench epoch, optimizer and data come in a later version.)",
  args: [{ name: "what", help: "what to measure", choices: ["step"] }],
  flags: {
    ...modelFlag,
    size: value({
      placeholder: "pixels",
      help: "size of the images",
      read: positiveInteger("128"),
      fallback: 128,
    }),
    ...batchFlag,
    ...threadsFlag,
    precision: trainingFlags.precision,
    repetitions: value({
      placeholder: "n",
      help: "steps to measure",
      read: positiveInteger("25"),
      fallback: 25,
    }),
    peers: untoggle("measure lrscope alone"),
    ...jsonFlag,
  },
  examples: [
    "lrscope bench step",
    "lrscope bench step --model vanilla --size 128 --batch 64 --json",
  ],
  async run({ args, flags, terminal, signal }) {
    const what = args[0]!;
    if (!KINDS.includes(what)) {
      const meant = nearest(what, KINDS);
      throw new ArgumentError(
        `bench: unknown benchmark "${what}"${meant ? `; did you mean "${meant}"?` : ""} There is: step`,
      );
    }
    if (what !== "step")
      throw new ArgumentError(
        `bench: "${what}" is not available in this version of lrscope; there is bench step`,
      );
    const { benchStep } = await import("../../lab/bench-step.ts");
    if (flags.precision !== "fp32")
      throw new ArgumentError(
        `bench: --precision ${flags.precision} is not available in this version of lrscope; leave it out for fp32`,
      );
    terminal.note(`timing ${flags.model}, batch ${flags.batch}, ${flags.size}x${flags.size} ...`);
    const record = await benchStep({
      model: flags.model,
      size: flags.size,
      batch: flags.batch,
      repetitions: flags.repetitions,
      peers: flags.peers,
      signal,
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
    });
    const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 1);
    terminal.print(
      `A training step of ${record.model}, batch ${record.batch}, 3x${record.size}x${record.size}, ${record.precision}`,
    );
    terminal.print(`${record.machine.processor}; ${record.engine}`);
    terminal.print("");
    terminal.print(
      textTable(
        ["", "median ms", "min", "max", "times lrscope"],
        [{ name: "lrscope", ...record, ratio: 1 }, ...record.peers].map((side) => [
          side.name,
          milliseconds(side.medianMs),
          milliseconds(side.minMs),
          milliseconds(side.maxMs),
          side.ratio.toFixed(2),
        ]),
        ["left", "right", "right", "right", "right"],
        terminal.colors,
      ),
    );
    terminal.print("");
    terminal.print(
      `${count(record.imagesPerSecond)} images/s; ${record.peakMemoryMiB.toFixed(1)} MiB of tensors`,
    );
    for (const note of record.notes) terminal.print(note);
    terminal.result(record);
  },
});
