/**
 * @file Where text goes. Results are printed on stdout; with --json, stdout carries one JSON line
 * and everything for people goes to stderr. Progress is always on stderr. Of control sequences, only the
 * colours that are put on here get through: names come from files, and files from anywhere.
 */

import { randomBytes } from "node:crypto";
import pc from "picocolors";
import { visible, visibleJson, visibleLine } from "../core/visible.ts";
import { fitted } from "./text/columns.ts";

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Streams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export type Colors = ReturnType<typeof pc.createColors>;

export interface Terminal {
  /** A result for people; lines wider than a terminal are broken at spaces. */
  print(text: string): void;
  /** Something by the way, without colours: stderr. One line, broken at spaces where a terminal is narrower. */
  note(text: string): void;
  /** A command to copy into a shell, on a line of its own and never broken: stderr. */
  command(line: string): void;
  /** A result for people that is, or ends with, a command to copy: never broken. */
  printCommand(line: string): void;
  /** The one JSON line, on stdout. Does nothing unless --json. */
  result(value: unknown): void;
  readonly json: boolean;
  /** For text of print(). */
  readonly colors: Colors;
  /** For text that has none. */
  readonly plain: Colors;
  /** Columns of text, as they are now; 80 where unknown. */
  readonly columns: number;
  /** The same for what must not be made narrower without need: infinite where it is no terminal that is written to. */
  readonly width: number;
  readonly stderr: OutputStream;
  readonly stdout: OutputStream;
  /** Whether lines of stderr can be written again: not on a dumb terminal, nor where NO_COLOR asks for plain lines. */
  readonly interactive: boolean;
  /** Called around each line, so that a bar below gets out of the way. */
  around: ((write: () => void) => void) | null;
}

export interface TerminalOptions extends Streams {
  readonly json: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * NO_COLOR, FORCE_COLOR and TERM=dumb are respected; without a terminal there are no colours. With NO_COLOR, on a
 * dumb terminal and in a pipe nothing is written but plain lines.
 */
export function openTerminal({ stdout, stderr, json, environment }: TerminalOptions): Terminal {
  const people = json ? stderr : stdout;
  const dumb = environment.TERM === "dumb";
  const wantsColor = environment.FORCE_COLOR
    ? environment.FORCE_COLOR !== "0"
    : people.isTTY === true && !dumb;
  const terminal: Terminal = {
    json,
    stderr,
    stdout,
    colors: signed(pc.createColors(wantsColor && !environment.NO_COLOR)),
    plain: pc.createColors(false),
    get columns() {
      return people.columns ?? 80;
    },
    get width() {
      return widthOf(people);
    },
    interactive: stderr.isTTY === true && !dumb && !environment.NO_COLOR,
    around: null,
    print: (text) => whole(people, text, widthOf(people)),
    note: (text) => whole(stderr, visibleLine(text), widthOf(stderr)),
    command: (line) => whole(stderr, `  ${visibleLine(line)}`),
    printCommand: (line) => whole(people, line),
    result(value) {
      if (json) stdout.write(`${visibleJson(JSON.stringify(value))}\n`);
    },
  };
  function whole(stream: OutputStream, text: string, width = Number.POSITIVE_INFINITY): void {
    const safe = fitted(onlySigned(text), width);
    const write = () => void stream.write(safe.endsWith("\n") ? safe : `${safe}\n`);
    if (terminal.around) terminal.around(write);
    else write();
  }
  return terminal;
}

/** Texts that go elsewhere than to a terminal stay as they are. */
export const widthOf = ({ isTTY, columns }: OutputStream): number =>
  isTTY === true && columns ? columns : Number.POSITIVE_INFINITY;

/** Follows the escape character of our own colours; nobody who named a file could have known it. */
const SIGNATURE = randomBytes(8).toString("hex");
const SIGNED = new RegExp(`\\\\x1b${SIGNATURE}(\\[[\\d;]*m)`, "g");

/** Colours that `onlySigned` tells from those that a text came with. */
const signed = (colors: Colors): Colors =>
  Object.fromEntries(
    Object.entries(colors).map(([name, color]) => [
      name,
      typeof color === "boolean" ? color : sign(color),
    ]),
  ) as unknown as Colors;

/** The text goes between the sequences as it is, so that its own do not get signed. */
function sign(color: (text: string) => string): (text: unknown) => string {
  const [open = "", close = ""] = color("|").split("|");
  const mark = (sequence: string) => sequence.replace("\x1b", `\x1b${SIGNATURE}`);
  return (text) => `${mark(open)}${text}${mark(close)}`;
}

/** Every control character written out, but for line feeds and signed colours. */
const onlySigned = (text: string): string => visible(text).replace(SIGNED, "\x1b$1");
