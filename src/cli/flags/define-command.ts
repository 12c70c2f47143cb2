/**
 * @file What a command is: a name, arguments and typed flags, and what to do. Definitions are plain
 * data, so that `lrscope --help` loads nothing but them; `run` imports the heavy rooms itself.
 */

import type { Terminal } from "../terminal.ts";
import type { AskedStudy } from "./study-of-flags.ts";
import type { ReadValue } from "./values.ts";

/** A flag that takes a value: `--lr <rate>`. */
export interface ValueFlag<T> {
  readonly kind: "value";
  /** Shown in the help: "rate". */
  readonly placeholder: string;
  readonly help: string;
  readonly read: ReadValue<unknown>;
  readonly fallback: T;
  /** Shown in the help where it is not the fallback itself. */
  readonly shownFallback?: string;
}

/** A flag that stands alone: `--json`; `negated`: `--no-samples`, true unless given. */
export interface SwitchFlag {
  readonly kind: "switch";
  readonly negated: boolean;
  readonly help: string;
}

export type Flag<T = unknown> = ValueFlag<T> | SwitchFlag;
/** By camel-case name: `maxLr` is `--max-lr`. */
export type Flags = Readonly<Record<string, Flag>>;

export type FlagValue<F> =
  F extends ValueFlag<infer T> ? T : F extends SwitchFlag ? boolean : never;
export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: FlagValue<F[K]>;
};

/** A flag with a default. */
export function value<T>(options: {
  placeholder: string;
  help: string;
  read: ReadValue<T>;
  fallback: T;
  shownFallback?: string;
}): ValueFlag<T> {
  return { kind: "value", ...options };
}

/** A flag without a default: undefined unless given. */
export function optional<T>(options: {
  placeholder: string;
  help: string;
  read: ReadValue<T>;
  /** What happens without it, for the help. */
  shownFallback?: string;
}): ValueFlag<T | undefined> {
  return { kind: "value", fallback: undefined, ...options };
}

export const toggle = (help: string): SwitchFlag => ({ kind: "switch", negated: false, help });
export const untoggle = (help: string): SwitchFlag => ({ kind: "switch", negated: true, help });
export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly variadic?: boolean;
  /** The words it may be, where it is one of a few. */
  readonly choices?: readonly string[];
  /** Some words that it may be; others are paths. */
  readonly known?: readonly string[];
  /** Key of a flag beside which it may be left out. */
  readonly unless?: string;
  /** Whether it may be left out always. */
  readonly optional?: boolean;
}

export interface CommandContext<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** Camel-case names of the flags that the user wrote. */
  readonly given: ReadonlySet<string>;
  /** In the order of the definition; a variadic one takes the rest. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The study that a file asks for, where no flag was laid over it; else it is the flags'. */
  readonly asked?: AskedStudy;
}

export interface Command<F extends Flags = Flags> {
  readonly name: string;
  /** Functions of the public API that do its work: a program can have done what a terminal can. */
  readonly api: readonly string[];
  /** One line, for the list of commands. */
  readonly summary: string;
  /** More, for the command's own help. */
  readonly details?: string;
  readonly args: readonly Argument[];
  readonly flags: F;
  /** Whole command lines that work. */
  readonly examples: readonly string[];
  /**
   * Of a command that runs a study: the study that a call asks for. Reads nothing but flags.
   * @throws ArgumentError for flags that do not go together, or have no effect
   */
  study?(call: Pick<CommandContext<F>, "flags" | "given" | "args">): Promise<AskedStudy>;
  /** Resolves when done; throws LrscopeError where not. */
  run(context: CommandContext<F>): Promise<void>;
}

/** Fixes the types of the flags to what `run` is given. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command {
  // `run` is only ever called with the values of its own flags.
  return command as unknown as Command;
}

/** `maxLr` -> `--max-lr`. */
export const flagName = (key: string, flag: Flag): string =>
  `--${flag.kind === "switch" && flag.negated ? "no-" : ""}${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
