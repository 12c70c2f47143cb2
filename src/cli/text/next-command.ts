/** @file What to do after a range test, as a command line to copy. */

import type { RangeTestRecord } from "../../record/index.ts";
import { type Flag, flagName } from "../flags/define-command.ts";
import { readingFlags, trainingFlags } from "../flags/flags.ts";
import { rate } from "./format.ts";

export interface FindCall {
  readonly source: string;
  readonly optimizer: string;
  readonly epochs: number;
  readonly to: number;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
}

/** `train` with the bounds found, where they can be trusted; else `find` again, further or longer. */
export function nextCommand(record: RangeTestRecord, call: FindCall): string {
  const { suggestion, warnings } = record;
  const start = (command: string) => [
    "lrscope",
    command,
    quoted(call.source),
    "--optimizer",
    call.optimizer,
  ];
  const common = repeated(call, trainingFlags);
  const again = [...repeated(call, readingFlags), ...common];
  if (!suggestion.bracketed)
    return [...start("find"), "--to", rate(call.to * 10), ...again].join(" ");
  if (warnings.some((warning) => warning.startsWith("too flat")))
    return [...start("find"), "--epochs", String(call.epochs * 3), ...again].join(" ");
  const bounds = ["--max-lr", rate(suggestion.maxLr), "--base-lr", rate(suggestion.baseLr)];
  return [...start("train"), "--schedule", "clr", ...bounds, ...common].join(" ");
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
