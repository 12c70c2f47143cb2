/** @file A call whose SOURCE is the file of a study: what the file says, with the flags of the call over it. */

import { statSync } from "node:fs";
import { get } from "../../core/at.ts";
import { ArgumentError } from "../../core/errors.ts";
import { type Command, type Flag, flagName } from "./define-command.ts";
import type { ParsedCall } from "./parse.ts";
import type { AskedStudy } from "./study-of-flags.ts";

/** Flags that say nothing of a study: where it goes, what is shown of it, with what cores. */
const ASIDE = new Set([
  ...["out", "json", "threads", "saveAs", "dryRun", "quiet", "verbose", "events", "live"],
]);

/** Flags of which each says what the other does: that of the call takes the place of the file's. */
const EITHER = [
  ["updates", "epochs"],
  ["tune", "confirm"],
] as const;

/** Flags that say how `--prune RULE` prunes. */
const OF_PRUNE = ["reduction", "grace", "finalists"];

/** A call as its command takes it; `asked` is the file's study, where no flag was laid over it. */
export type StudyCallOfFile = ParsedCall & {
  readonly asked?: AskedStudy;
  /** "study.json, with --epochs over it" */
  readonly said: string;
};

/** Whether the call names a file of a study where others name a source. */
export const namesStudyFile = ({ command, args: [source = ""] }: ParsedCall): boolean =>
  command.study !== undefined &&
  command.args.length > 0 &&
  source.endsWith(".json") &&
  (statSync(source, { throwIfNoEntry: false })?.isFile() ?? false);

/**
 * Reads the file. Flags of the call win over what it says; the study that is recorded has them.
 * @throws ArgumentError where it is no study, is of another command, or has a field that no flag says, so that none
 *   can be laid over it
 */
export async function callOfStudyFile(call: ParsedCall): Promise<StudyCallOfFile> {
  const { command, flags, given } = call;
  const [path = ""] = call.args;
  const { readStudyFile } = await import("../../study/study-file.ts");
  const { plannedStudy } = await import("../../study/open-study.ts");
  const { commandOfStudy } = await import("../../arms/study-command.ts");
  const { study, places } = readStudyFile(path);
  if (study.kind !== command.name)
    throw new ArgumentError(
      `${command.name}: ${path} is a study of ${study.kind}; run it by lrscope ${study.kind} ${path}`,
    );
  if (given.has("resume"))
    throw new ArgumentError(
      `${command.name}: ${path} begins a study, and --resume goes on with one; leave one of them out`,
    );
  const args = [places.source];
  const placed = { model: places.model, pretrained: places.pretrained };
  const over = [...given].filter((key) => !ASIDE.has(key));
  const threads = flags.threads as number | undefined;
  const aside = { out: flags.out as string | undefined, threads };
  if (over.length === 0)
    return {
      ...{ ...call, args, flags: { ...flags, ...placed }, said: `the study of ${path}` },
      asked: { study, opening: { places, ...aside } },
    };
  const { spec } = await plannedStudy(study, { places });
  // Without cores of its own it has those of the call.
  const { threads: each, ...own } = spec;
  const { words, why } = commandOfStudy(study.threads === undefined ? own : spec, places);
  if (!words)
    throw new ArgumentError(
      `${command.name}: ${over.map((key) => nameOf(command, key)).join(", ")} cannot be laid over ${path}, as ${why}; change the file, or run it without`,
    );
  const said = flagsOfWords(command, words.slice(2 + command.args.length));
  for (const [one, other] of [...EITHER, ...EITHER.map(([a, b]) => [b, a] as const)])
    if (given.has(one)) delete said[other];
  // A rule of the call is asked for with what the call says of it.
  if (given.has("prune")) for (const key of OF_PRUNE) delete said[key];
  const names = over.map((key) => nameOf(command, key)).join(", ");
  return {
    ...call,
    args,
    said: `the study of ${path}, with ${names} over it`,
    flags: { ...flags, ...said, ...pick(flags, given) },
    given: new Set([...given, ...Object.keys(said)]),
  };
}

const nameOf = (command: Command, key: string): string =>
  flagName(key, get(command.flags as Record<string, Flag>, key, "flags"));

/** The values of words as `flagWords` writes them. */
function flagsOfWords(command: Command, words: readonly string[]): Record<string, unknown> {
  const byName = new Map(
    Object.entries(command.flags).map(([key, flag]) => [flagName(key, flag), { key, flag }]),
  );
  const said: Record<string, unknown> = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const { key, flag } = get(byName, word, "flags");
    said[key] =
      flag.kind === "switch"
        ? !flag.negated
        : flag.read(words[++i] ?? "", `${command.name}: ${word}`);
  }
  return said;
}

const pick = (flags: Readonly<Record<string, unknown>>, keys: ReadonlySet<string>) =>
  Object.fromEntries(Object.entries(flags).filter(([key]) => keys.has(key)));
