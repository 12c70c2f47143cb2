/** @file Asking before what cannot be undone. */

import { createInterface } from "node:readline/promises";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Asks a question that yes answers; anything else is no.
 * @param unasked how the call says yes beforehand, for where nobody can be asked: "runs: ... with --yes"
 * @throws ArgumentError where there is no terminal to ask at, or its output is for a program
 */
export async function confirmed(
  question: string,
  { terminal, signal, unasked }: { terminal: Terminal; signal: AbortSignal; unasked: string },
): Promise<boolean> {
  if (!process.stdin.isTTY || !terminal.interactive || terminal.json)
    throw new ArgumentError(unasked);
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asked.question(`${question} [y/N] `, { signal })).trim());
  } catch (error) {
    if (signal.aborted) throw new InterruptedError();
    throw error;
  } finally {
    asked.close();
  }
}
