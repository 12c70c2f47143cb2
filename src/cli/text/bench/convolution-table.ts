/** @file The convolutions of an explained step as a table. */

import type { ConvolutionRow } from "../../../bench/explain.ts";
import { mebibyteDigits } from "../../../core/words.ts";
import type { Terminal } from "../../terminal.ts";
import { textTable } from "../format.ts";

export const convolutionTable = (
  rows: readonly ConvolutionRow[],
  { colors, width }: Pick<Terminal, "colors" | "width">,
): string =>
  textTable(
    ["convolution", "pass", "implementation", "why", "ms", "GFLOP", "MiB", "scratch", "tried, ms"],
    rows.map((row) => [
      row.layer,
      row.pass,
      row.implementation,
      row.reason,
      row.ms === null ? "-" : row.ms.toFixed(2),
      (row.flops / 1e9).toFixed(2),
      mebibyteDigits(row.bytes),
      mebibyteDigits(row.scratchBytes),
      Object.entries(row.others)
        .map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
        .join(", "),
    ]),
    ["left", "left", "left", "left", "right", "right", "right", "right", "left"],
    colors,
    width,
  );
