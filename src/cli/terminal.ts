/**
 * @file Where text goes. Results are printed on stdout; with --json, stdout carries one JSON line
 * and everything for people goes to stderr. Progress is always on stderr.
 */

import pc from "picocolors";

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Streams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export type Colors = ReturnType<typeof pc.createColors>;

export interface Terminal {
  /** A result for people. */
  print(text: string): void;
  /** Something by the way: stderr. */
  note(text: string): void;
  /** The one JSON line, on stdout. Does nothing unless --json. */
  result(value: unknown): void;
  readonly json: boolean;
  /** For text of print(). */
  readonly colors: Colors;
  /** Columns of text; 80 where unknown. */
  readonly columns: number;
  readonly stderr: OutputStream;
  /** Whether a bar can be drawn on stderr. */
  readonly interactive: boolean;
  /** Called around each line, so that a bar below gets out of the way. */
  around: ((write: () => void) => void) | null;
}

export interface TerminalOptions extends Streams {
  readonly json: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** NO_COLOR, FORCE_COLOR and TERM=dumb are respected; without a terminal there are no colours. */
export function openTerminal({ stdout, stderr, json, environment }: TerminalOptions): Terminal {
  const people = json ? stderr : stdout;
  const dumb = environment.TERM === "dumb";
  const wantsColor = environment.FORCE_COLOR
    ? environment.FORCE_COLOR !== "0"
    : people.isTTY === true && !dumb;
  const terminal: Terminal = {
    json,
    stderr,
    colors: pc.createColors(wantsColor && !environment.NO_COLOR),
    columns: people.columns ?? 80,
    interactive: stderr.isTTY === true && !dumb,
    around: null,
    print: (text) => whole(people, text),
    note: (text) => whole(stderr, text),
    result(value) {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
  function whole(stream: OutputStream, text: string): void {
    const write = () => void stream.write(text.endsWith("\n") ? text : `${text}\n`);
    if (terminal.around) terminal.around(write);
    else write();
  }
  return terminal;
}
