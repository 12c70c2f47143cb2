/** @file A profile of a step as people read it: what costs most first. */

import type { ProfiledInstruction, StepProfile } from "../../../bench/profile.ts";
import { boundShares, layerCosts } from "../../../bench/profile-costs.ts";
import { percent } from "../../../core/words.ts";
import type { Terminal } from "../../terminal.ts";
import { plural, textTable } from "../format.ts";

type Layout = Pick<Terminal, "colors" | "width">;

/** Rows of each table; the others are summed. */
const MOST = 12;

/** Below so many milliseconds an instruction is small: a larger batch costs it little more. */
const SMALL_MS = 0.02;

const ms = (value: number) => value.toFixed(value >= 100 ? 1 : value >= 1 ? 2 : 4);
const rate = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

/** What the step costs and waits for, then its costliest layers and instructions. */
export function profileText(profile: StepProfile, layout: Layout): string {
  const { machine, plain, instructionsTotal, leastMs, steps, timed } = profile;
  const { gflops } = machine;
  const outside = Math.max(0, timed.medianMs - instructionsTotal.medianMs);
  const bf16 = gflops.bf16 > 0 ? `, ${rate(gflops.bf16)} GFLOP/s bf16` : "";
  return [
    `${profile.program} step of ${ms(plain.medianMs)} ms (${ms(plain.minMs)} to ${ms(plain.maxMs)}, ${steps} of them); with a clock at each instruction ${ms(timed.medianMs)} ms, ${ms(outside)} of it outside the instructions`,
    `this machine          ${rate(machine.gbPerSecond)} GB/s, ${rate(gflops.f32)} GFLOP/s fp32${bf16}, an instruction begins in ${(machine.startMs * 1000).toFixed(1)} us`,
    `at best               ${ms(leastMs)} ms: the step takes ${(plain.medianMs / leastMs).toFixed(2)} times that`,
    `waits for             ${boundShares(profile)
      .map(
        ({ bound, share, instructions }) =>
          `${bound} ${percent(share)} (${plural(instructions, "instruction")})`,
      )
      .join(", ")}`,
    ...smallLine(profile),
    "",
    kindTable(profile, layout),
    "",
    layerTable(profile, layout),
    "",
    instructionTable(profile, layout),
  ].join("\n");
}

/** Where instructions that take next to no time make up a step together. */
function smallLine({ instructions }: StepProfile): string[] {
  const small = instructions.filter(({ medianMs }) => medianMs < SMALL_MS);
  const share = small.reduce((sum, one) => sum + one.share, 0);
  return share < 0.1
    ? []
    : [
        `small                 ${plural(small.length, "instruction")} of less than ${SMALL_MS} ms make ${percent(share)} of it: a larger batch costs them little more`,
      ];
}

/** What computes, however many layers have it. */
function kindTable({ instructions }: StepProfile, layout: Layout): string {
  const kinds = new Map<string, { count: number; ms: number; share: number; leastMs: number }>();
  for (const { kind, medianMs, share, leastMs } of instructions) {
    const sum = kinds.get(kind) ?? { count: 0, ms: 0, share: 0, leastMs: 0 };
    kinds.set(kind, {
      count: sum.count + 1,
      ms: sum.ms + medianMs,
      share: sum.share + share,
      leastMs: sum.leastMs + leastMs,
    });
  }
  return textTable(
    ["kind", "instructions", "ms", "share", "at best"],
    [...kinds]
      .sort(([, a], [, b]) => b.ms - a.ms)
      .map(([kind, sum]) => [
        ...[kind, String(sum.count), ms(sum.ms), percent(sum.share), ms(sum.leastMs)],
      ]),
    ["left", "right", "right", "right", "right"],
    layout.colors,
    layout.width,
  );
}

function layerTable(profile: StepProfile, layout: Layout): string {
  const all = layerCosts(profile).map((row) => ({
    ...row,
    total: row.forwardMs + row.backwardMs + row.updateMs,
  }));
  const sum = all.reduce((total, row) => total + row.total, 0) || 1;
  const sorted = all.sort((a, b) => b.total - a.total);
  const cell = (value: number) => (value > 0 ? ms(value) : "-");
  const rows = sorted
    .slice(0, MOST)
    .map((row) => [
      row.name,
      ms(row.total),
      percent(row.total / sum),
      cell(row.forwardMs),
      cell(row.backwardMs),
      cell(row.updateMs),
      ms(row.leastMs),
    ]);
  const rest = sorted.slice(MOST);
  if (rest.length > 0) {
    const add = (of: (row: (typeof sorted)[number]) => number) =>
      rest.reduce((total, row) => total + of(row), 0);
    const total = add((row) => row.total);
    rows.push([
      ...[`${plural(rest.length, "layer")} more`, ms(total), percent(total / sum)],
      ...[
        add((row) => row.forwardMs),
        add((row) => row.backwardMs),
        add((row) => row.updateMs),
      ].map(cell),
      ms(add((row) => row.leastMs)),
    ]);
  }
  return textTable(
    ["layer", "ms", "share", "forward", "backward", "update", "at best"],
    rows,
    ["left", "right", "right", "right", "right", "right", "right"],
    layout.colors,
    layout.width,
  );
}

function instructionTable({ instructions }: StepProfile, layout: Layout): string {
  const sorted = [...instructions].sort((a, b) => b.medianMs - a.medianMs);
  const row = (one: ProfiledInstruction) => [
    String(one.index),
    one.kind,
    one.layer,
    one.implementation,
    ms(one.medianMs),
    percent(one.share),
    (one.bytes / 1e6).toFixed(one.bytes >= 1e7 ? 0 : 2),
    rate(one.gbPerSecond),
    one.flops > 0 ? rate(one.gflops) : "-",
    ms(one.leastMs),
    one.leastMs > 0 ? (one.medianMs / one.leastMs).toFixed(1) : "-",
    one.bound,
  ];
  const rest = sorted.slice(MOST);
  const share = rest.reduce((sum, one) => sum + one.share, 0);
  const table = textTable(
    [
      ...["#", "instruction", "layer", "implementation", "ms", "share", "MB", "GB/s", "GFLOP/s"],
      ...["at best", "times", "waits for"],
    ],
    sorted.slice(0, MOST).map(row),
    [
      ...(["right", "left", "left", "left"] as const),
      ...(["right", "right", "right", "right", "right", "right", "right", "left"] as const),
    ],
    layout.colors,
    layout.width,
  );
  return rest.length === 0
    ? table
    : `${table}\n${plural(rest.length, "instruction")} more: ${percent(share)}; --json has each`;
}
