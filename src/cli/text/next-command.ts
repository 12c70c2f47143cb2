/** @file What to do after a range test, as a command line to copy. */

import type { RangeTestRecord } from "../../record/index.ts";
import { type Flag, flagName } from "../flags/define-command.ts";
import { readingFlags, trainingFlags } from "../flags/flags.ts";
import { rate } from "./format.ts";

export interface FindCall {
  readonly source: string;
  readonly optimizer: string;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
}

/** `train` at the constant rate and on a cycle about the peak; of a test that cannot say, the `find` that could. */
export function nextCommands(record: RangeTestRecord, call: FindCall): string[] {
  const { suggestion, verdict } = record;
  const start = (command: string) => [
    "lrscope",
    command,
    quoted(call.source),
    "--optimizer",
    call.optimizer,
  ];
  const common = repeated(call, trainingFlags);
  const again = [...repeated(call, readingFlags), ...common];
  if (!suggestion) {
    const { updates, from, to } = verdict.remedy ?? {};
    const other = Object.entries({ "--updates": updates, "--from": from, "--to": to });
    const flags = other.flatMap(([flag, value]) =>
      value === undefined ? [] : [flag, flag === "--updates" ? String(value) : rate(value)],
    );
    return [[...start("find"), ...flags, ...again].join(" ")];
  }
  const { constant, peak } = suggestion;
  const bounds = ["--max-lr", rate(peak.rate), "--base-lr", rate(peak.baseLr)];
  return [
    [...start("train"), "--lr", rate(constant.rate), ...common].join(" "),
    [...start("train"), "--schedule", "clr", ...bounds, ...common].join(" "),
  ];
}

/** The flags of the call that bear on what was found. */
function repeated({ flags, given }: FindCall, known: Readonly<Record<string, Flag>>): string[] {
  return Object.entries(known).flatMap(([key, flag]) => {
    if (!given.has(key) || key === "seed") return [];
    const name = flagName(key, flag);
    return flag.kind === "switch" ? [name] : [name, quoted(written(flags[key]))];
  });
}

/** A flag's value as it is typed: lists by commas, scales as name=number. */
function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(",");
  if (typeof value !== "object" || value === null) return String(value);
  const { name, scale } = value as { name: string; scale: number };
  return `${name}=${scale}`;
}

/** Safe to paste into a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
