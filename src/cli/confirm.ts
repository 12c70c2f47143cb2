/** @file Asking before what cannot be undone. */

import { createInterface } from "node:readline/promises";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Asks a question that yes answers; anything else is no, and so is the end of the input (ctrl-D).
 * @param unasked how the call says yes beforehand, for where nobody can be asked: "runs: ... with --yes"
 * @throws ArgumentError where there is no terminal to ask at, or its output is for a program
 * @throws InterruptedError for ctrl-C
 */
export async function confirmed(
  question: string,
  { terminal, signal, unasked }: { terminal: Terminal; signal: AbortSignal; unasked: string },
): Promise<boolean> {
  if (!process.stdin.isTTY || terminal.stderr.isTTY !== true || terminal.json)
    throw new ArgumentError(unasked);
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = () => new InterruptedError("interrupted; nothing was done");
  try {
    const answer = await new Promise<string | null>((resolve, reject) => {
      // A terminal that waits for a line sends ctrl-C as a key; and where the input ends no answer comes.
      asked.once("SIGINT", () => reject(interrupted()));
      asked.once("close", () => resolve(null));
      asked.question(`${question} [y/N] `, { signal }).then(resolve, reject);
    });
    // What is said of it stands on a line of its own.
    if (answer === null) process.stderr.write("\n");
    return /^y(es)?$/i.test(answer?.trim() ?? "");
  } catch (error) {
    process.stderr.write("\n");
    throw signal.aborted ? interrupted() : error;
  } finally {
    asked.close();
  }
}
