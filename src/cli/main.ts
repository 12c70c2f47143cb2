/**
 * @file The command line from argv to exit code. Loads the definitions of the commands and nothing
 * else; what a command needs, it imports when it runs.
 */

import { readFileSync } from "node:fs";
import { LrscopeError } from "../core/errors.ts";
import { shortened } from "../core/shown.ts";
import { visible } from "../core/visible.ts";
import { commands } from "./commands/index.ts";
import { type ParsedCall, parseArguments } from "./flags/parse.ts";
import { callOfStudyFile, namesStudyFile } from "./flags/study-file-flags.ts";
import { openTerminal, type Streams, type Terminal, widthOf } from "./terminal.ts";
import { fitted } from "./text/columns.ts";

export interface MainOptions extends Streams {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Aborts the work: Ctrl-C. */
  readonly signal?: AbortSignal;
  /** "Ctrl-C", "SIGTERM": what aborted it, to be said at once. */
  readonly interruptedBy?: () => string;
}

/**
 * Runs one call of the command line.
 * @param argv the words after `lrscope`
 * @returns the exit code: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted
 */
export async function main(argv: readonly string[], options: MainOptions): Promise<number> {
  const { stdout, stderr, environment = process.env } = options;
  const signal = options.signal ?? new AbortController().signal;
  try {
    const parsed = parseArguments(argv, { commands, version: version(), stdout });
    if (parsed === "printed") return 0;
    const json = parsed.flags.json === true;
    // A stream of events has stdout for itself, as JSON has.
    const events = parsed.flags.events === "-";
    const terminal = openTerminal({ stdout, stderr, environment, json: json || events });
    if (events && !json) Object.assign(terminal, { result: () => undefined });
    const { command, ...call } = await withStudyFile(parsed, terminal);
    // By the terminal, so that the bar below makes way.
    const say = () => {
      if (!options.interruptedBy) return;
      // Beside the "^C" that the terminal itself has written, unless that is taken away with the bar.
      if (stderr.isTTY && !terminal.around) stderr.write("\n");
      terminal.note(
        `${options.interruptedBy()}: ending after the step under way; once more ends at once`,
      );
    };
    signal.addEventListener("abort", say, { once: true });
    try {
      await command.run({ ...call, terminal, signal, environment } as never);
    } finally {
      signal.removeEventListener("abort", say);
    }
    return 0;
  } catch (error) {
    return report(await expected(error), stderr, environment);
  }
}

/** The call of a study's file as that of the study. */
async function withStudyFile(call: ParsedCall, terminal: Terminal): Promise<ParsedCall> {
  if (!namesStudyFile(call)) return call;
  const { said, ...ofFile } = await callOfStudyFile(call);
  terminal.note(said);
  return ofFile;
}

/** What a disk did is no fault of lrscope's, wherever it was met. */
async function expected(error: unknown): Promise<unknown> {
  if (error instanceof LrscopeError || !(error instanceof Error) || !("syscall" in error))
    return error;
  const { diskFailure } = await import("../store/durable-write.ts");
  return diskFailure(error) ?? error;
}

/** One line, and no stack unless it is asked for. */
function report(
  error: unknown,
  stderr: Streams["stderr"],
  environment: Readonly<Record<string, string | undefined>>,
): number {
  const debug = Boolean(environment.LRSCOPE_DEBUG);
  // A message may hold a foreign name: further lines are set in, so that none passes for one of ours.
  const said = (text: string) => visible(text).replaceAll("\n", "\n  ");
  const message = said(
    shortened(error instanceof Error ? error.message : String(error), MOST_PRINTED),
  );
  const width = widthOf(stderr);
  // A command to copy goes on behind the edge as one line: a line that was broken would be pasted in two.
  const write = (text: string) =>
    void stderr.write(`${/\blrscope [a-z]/.test(text) ? text : fitted(text, width)}\n`);
  if (error instanceof LrscopeError) {
    write(`${error.exitCode === 130 ? "" : "lrscope: "}${message}`);
    if (error.code === "INTERNAL" && !debug) write(HOW_TO_DEBUG);
  } else {
    write(`lrscope: unexpected: ${message.split("\n")[0]}`);
    if (!debug) write(HOW_TO_DEBUG);
  }
  if (debug && error instanceof Error) stderr.write(`${said(String(error.stack))}\n`);
  return error instanceof LrscopeError ? error.exitCode : 1;
}

/** Characters of a message: what a user gave may be longer than a terminal is patient. */
const MOST_PRINTED = 8_000;

const HOW_TO_DEBUG =
  "This is a fault of lrscope's; LRSCOPE_DEBUG=1 in the environment shows where it arose";

/** This package's version; its manifest lies two folders up, in src/ as in dist/. */
const version = (): string =>
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
