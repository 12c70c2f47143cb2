/** @file `lrscope data SOURCE`: what the source holds, and what of it cannot be used. */

import { at } from "../../core/at.ts";
import { visibleLine } from "../../core/visible.ts";
import { defineCommand } from "../flags/define-command.ts";
import { dataFlags, jsonFlag, threadsFlag } from "../flags/flags.ts";
import { sourceArgument } from "../flags/source.ts";
import { describeBroken, describeCopies, describeSeveral } from "../text/broken-files.ts";
import { count, textTable } from "../text/format.ts";

const figures = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(", ");

export const data = defineCommand({
  name: "data",
  api: ["openImages"],
  summary: "show a source's classes, counts, sizes, mean and deviation, copies and broken files",
  details:
    "Decodes the source once into the cache and says what it holds. Files that cannot be decoded are listed by name, with the reason; experiments leave them out.",
  args: [sourceArgument],
  flags: { ...dataFlags, ...threadsFlag, ...jsonFlag },
  examples: ["lrscope data photos/", "lrscope data mnist --json"],
  async run({ args, flags, terminal, signal }) {
    const { openDataset } = await import("../../datasets/open.ts");
    const { openProgress } = await import("../text/progress.ts");
    const progress = openProgress(terminal);
    const { size, limit, threads } = flags;
    const dataset = await openDataset(at(args, 0, "args"), {
      validation: flags.validation,
      splitSeed: flags.splitSeed,
      signal,
      onEvent: progress.onEvent,
      ...(size === undefined ? {} : { size }),
      ...(limit === undefined ? {} : { limit }),
      ...(threads === undefined ? {} : { threads }),
      copies: flags.copies,
    }).finally(() => progress.stop());
    try {
      const { record } = dataset;
      const { colors } = terminal;
      terminal.print(
        `${colors.bold(visibleLine(record.name))}: ${count(record.images)} images in ${record.classes.length} classes, ${record.channels === 1 ? "grayscale" : "colour"}, at ${record.size}x${record.size}`,
      );
      terminal.print("");
      const tested = record.classes.some(({ test }) => test !== undefined);
      const total = (key: "count" | "train" | "validation" | "test") =>
        count(record.classes.reduce((sum, entry) => sum + (entry[key] ?? 0), 0));
      terminal.print(
        textTable(
          ["class", "images", "training", "validation", ...(tested ? ["test"] : [])],
          [
            ...record.classes.map((entry) => [
              entry.name,
              count(entry.count),
              count(entry.train),
              count(entry.validation),
              ...(tested ? [count(entry.test ?? 0)] : []),
            ]),
            [
              ...["total", total("count"), total("train"), total("validation")],
              ...(tested ? [total("test")] : []),
            ],
          ],
          ["left", "right", "right", "right", ...(tested ? ["right" as const] : [])],
          colors,
          terminal.width,
        ),
      );
      terminal.print("");
      terminal.print(
        `mean ${figures(record.mean)}; standard deviation ${figures(record.std)} (of the training part, in 0 .. 1)`,
      );
      for (const line of describeCopies(record)) terminal.print(line);
      for (const line of describeSeveral(record)) terminal.print(line);
      for (const line of describeBroken(record.broken, { limit: Number.POSITIVE_INFINITY }))
        terminal.print(line);
      terminal.result(record);
    } finally {
      dataset.close();
    }
  },
});
