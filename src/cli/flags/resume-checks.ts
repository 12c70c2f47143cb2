/** @file What may stand beside --resume, what of it asks for more, and which command resumes what. */

import { ArgumentError } from "../../core/errors.ts";
import type { StudyExtension } from "../../index.ts";
import type { ExperimentRecord } from "../../record/index.ts";
import type { PruneRule } from "./values.ts";

type Command = "find" | "train" | "compare";

/** How it is gone on with. */
const SAID = [
  ...["jobs", "model", "pretrained", "json", "events", "quiet", "verbose", "live"],
  ...["executor", "slurmOptions", "slurmSetup", "lease", "address", "mixed"],
];

/** What a recorded study may be given more of, by the command that resumes it. */
const MORE: Readonly<Record<Command, readonly string[]>> = {
  find: ["seeds", "tune", "tuneEpochs", "confirm", "confirmEpochs"],
  train: ["epochs", "stretch", "continue"],
  compare: [
    ...["epochs", "stretch", "continue", "optimizers", "seeds"],
    ...["maxTrials", "maxHours", "prune"],
  ],
};

const flagOf = (key: string) =>
  `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @throws ArgumentError for a flag that the directory answers already */
export function checkBesideResume(
  command: Command,
  path: string,
  given: ReadonlySet<string>,
): void {
  const said = new Set(["resume", ...SAID, ...MORE[command]]);
  for (const key of given)
    if (!said.has(key))
      throw new ArgumentError(
        `${command}: ${flagOf(key)} has no effect beside --resume, which takes all from ${path} but for --jobs, --model FILE, --pretrained FILE, who runs it (--executor) and what is shown (--json, --quiet, --verbose, --events, --live), and may be given more by ${MORE[command].map(flagOf).join(", ")}; leave it out`,
      );
}

/** @throws ArgumentError where a new study is asked for with what only a recorded one can be given */
export function checkWithoutResume(command: Command, given: ReadonlySet<string>): void {
  for (const key of ["stretch", "continue"])
    if (given.has(key))
      throw new ArgumentError(
        `${command}: --${key} has no effect without --resume DIR and --epochs, which make a recorded run longer; leave it out`,
      );
}

/** Values of the flags that give a recorded study more. */
interface MoreFlags {
  readonly epochs?: number | undefined;
  readonly seeds?: number;
  readonly optimizers?: readonly string[];
  readonly stretch?: boolean;
  readonly continue?: boolean;
  readonly tune?: boolean;
  readonly tuneEpochs?: number | undefined;
  readonly confirm?: boolean;
  readonly confirmEpochs?: number | undefined;
  readonly maxTrials?: number | undefined;
  readonly maxHours?: number | undefined;
  readonly prune?: PruneRule | undefined;
}

/** Epochs of the runs after a range test, where nobody says it. */
const SHORT_RUNS = 2;

/**
 * What a call asks a recorded study to have more of; undefined: nothing.
 * @throws ArgumentError for flags that contradict each other
 */
export function extensionOf(
  command: Command,
  flags: MoreFlags,
  given: ReadonlySet<string>,
): StudyExtension | undefined {
  if (!MORE[command].some((key) => given.has(key))) return undefined;
  if (flags.stretch && flags.continue)
    throw new ArgumentError(
      `${command}: --stretch and --continue both say how a schedule goes on; leave one out`,
    );
  if (flags.tune && flags.confirm)
    throw new ArgumentError(
      "find: --tune makes the runs of --confirm, and more where they are needed; leave --confirm out",
    );
  if (flags.prune !== undefined && flags.prune !== "none")
    throw new ArgumentError(
      `${command}: --prune ${flags.prune} cannot be begun with --resume, as what was trained was not judged by it; --prune none lets all go on to their end, or begin a new comparison`,
    );
  const schedule = flags.stretch ? "stretch" : flags.continue ? "continue" : undefined;
  return {
    ...(given.has("epochs") ? { epochs: flags.epochs } : {}),
    ...(given.has("seeds") ? { seeds: flags.seeds } : {}),
    ...(given.has("optimizers") ? { optimizers: flags.optimizers } : {}),
    ...(schedule ? { schedule } : {}),
    ...(flags.tune ? { tuneEpochs: flags.tuneEpochs ?? SHORT_RUNS } : {}),
    ...(flags.prune === "none" ? { pruning: "none" as const } : {}),
    ...(given.has("maxTrials") ? { maxTrials: flags.maxTrials } : {}),
    ...(given.has("maxHours") ? { maxHours: flags.maxHours } : {}),
    ...(flags.confirm ? { confirm: flags.confirmEpochs ?? SHORT_RUNS } : {}),
  };
}

const HOLDS = {
  find: ["find", "range test"],
  train: ["train", "single run"],
  compare: ["compare", "comparison"],
  demo: ["compare", "comparison"],
} as const;

/** @throws ArgumentError where another command resumes it */
export function checkResumes(command: Command, path: string, kind: ExperimentRecord["kind"]): void {
  const [right, what] = HOLDS[kind];
  if (command !== right)
    throw new ArgumentError(
      `${command}: ${path} holds a ${what}; go on with it by lrscope ${right} --resume ${path}`,
    );
}
