/** @file What may stand beside --resume, and which command resumes what. */

import { ArgumentError } from "../../core/errors.ts";
import type { ExperimentRecord } from "../../record/index.ts";

/** The rest is in the directory. */
const MAY_BE_SAID = new Set(["resume", "jobs", "model", "pretrained", "json"]);

type Command = "find" | "train" | "compare";

/** @throws ArgumentError for a flag that the directory answers already */
export function checkBesideResume(
  command: Command,
  path: string,
  given: ReadonlySet<string>,
): void {
  for (const key of given)
    if (!MAY_BE_SAID.has(key)) {
      const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new ArgumentError(
        `${command}: ${flag} has no effect beside --resume, which takes all but --jobs, --model FILE, --pretrained FILE and --json from ${path}; leave it out`,
      );
    }
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
