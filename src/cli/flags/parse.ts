/**
 * @file From argv to a command's values. Commander splits the words; the rules, the messages and the
 * exit code 2 are ours.
 */

import {
  Command as Commander,
  Argument as CommanderArgument,
  CommanderError,
  Option,
} from "commander";
import { ArgumentError, InternalError } from "../../core/errors.ts";
import { didYouMean, nearest } from "../../core/nearest-name.ts";
import type { OutputStream } from "../terminal.ts";
import { addHelp } from "../text/help.ts";
import { type Command, type Flag, flagName } from "./define-command.ts";

export interface ParsedCall {
  readonly command: Command;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
}

/** The words of a call that asks for nothing but text, already printed. */
export type ParseResult = ParsedCall | "printed";

export interface ParseOptions {
  readonly commands: readonly Command[];
  readonly version: string;
  readonly stdout: OutputStream;
}

/** @throws ArgumentError naming the command, the flag, the rule, and the nearest known word */
export function parseArguments(argv: readonly string[], options: ParseOptions): ParseResult {
  let parsed: ParsedCall | undefined;
  const program = new Commander("lrscope");
  const prepare = (commander: Commander) =>
    commander
      .exitOverride()
      .configureOutput({
        writeOut: (text) => void options.stdout.write(text),
        writeErr: () => undefined,
      })
      .showSuggestionAfterError(false);
  const { isTTY, columns: width } = options.stdout;
  const columns = isTTY ? width : undefined;
  prepare(program).version(options.version, "-v, --version", "print the version");
  for (const command of options.commands) {
    const sub = prepare(program.command(command.name).summary(command.summary));
    for (const { name, variadic, help, unless, optional } of command.args)
      sub.addArgument(
        new CommanderArgument(
          unless || optional ? `[${name}]` : variadic ? `<${name}...>` : `<${name}>`,
          help,
        ),
      );
    for (const [key, flag] of Object.entries(command.flags))
      sub.addOption(optionOf(key, flag, command));
    addHelp(sub, command, columns);
    sub.action(() => {
      const args = sub.processedArgs.flat().filter((word) => word !== undefined) as string[];
      const { flags, given } = readFlags(command, sub.opts());
      const absent = command.args[args.length];
      if (absent?.unless && !given.has(absent.unless)) throw missing(absent.name, command);
      parsed = { command, flags, given, args };
    });
  }
  addHelp(program, null, columns);
  try {
    program.parse(argv as string[], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return "printed";
    throw explained(error, argv, options.commands);
  }
  if (!parsed) throw new InternalError("no command was chosen");
  return parsed;
}

function optionOf(key: string, flag: Flag, command: Command): Option {
  const name = flagName(key, flag);
  if (flag.kind === "switch") return new Option(name, flag.help);
  const option = new Option(`${name} <${flag.placeholder}>`, flag.help);
  return option.argParser((text: string, previous: unknown) => {
    if (previous !== undefined)
      throw new ArgumentError(
        `${command.name}: ${name} is given twice ("${previous}" and "${text}"); give it once`,
      );
    if (/^--[a-z]/.test(text) && !flag.read.takesFlags)
      throw new ArgumentError(`${command.name}: ${name} needs a value before ${text}`);
    return text;
  });
}

function readFlags(command: Command, texts: Readonly<Record<string, unknown>>) {
  const flags: Record<string, unknown> = {};
  const given = new Set<string>();
  for (const [key, flag] of Object.entries(command.flags)) {
    const found = texts[key];
    const name = flagName(key, flag);
    const negated = flag.kind === "switch" && flag.negated;
    if (found !== undefined && found !== negated) given.add(key);
    switch (flag.kind) {
      case "switch":
        flags[key] = negated ? found !== false : found === true;
        break;
      case "value":
        flags[key] =
          found === undefined
            ? flag.fallback
            : flag.read(String(found), `${command.name}: ${name}`);
        break;
    }
  }
  return { flags, given };
}

/** Commander's refusals in our words. */
function explained(
  error: CommanderError,
  argv: readonly string[],
  commands: readonly Command[],
): ArgumentError {
  const command = commands.find(({ name }) => name === argv.find((word) => !word.startsWith("-")));
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  const subject = command ? `${command.name}: ` : "";
  const help = command ? `lrscope ${command.name} --help` : "lrscope --help";
  switch (error.code) {
    case "commander.unknownCommand":
      return new ArgumentError(unknownCommand(quoted, commands));
    case "commander.help":
      return new ArgumentError(
        `a command is missing: ${commands.map(({ name }) => name).join(", ")}. Begin with lrscope demo, or see lrscope --help`,
      );
    case "commander.unknownOption":
      return new ArgumentError(`${subject}${unknownFlag(quoted, command, commands)} ${help}`);
    case "commander.optionMissingArgument":
      return new ArgumentError(`${subject}${quoted.split(" ")[0]} needs a value; see ${help}`);
    case "commander.missingArgument":
      return missing(quoted, command);
    case "commander.excessArguments":
      return new ArgumentError(
        `${subject}takes ${command?.args.length ? `only ${command.args.map(({ name }) => name.toUpperCase()).join(", ")}` : "no arguments"}, and more words were given; put names with spaces in quotes, or see ${help}`,
      );
    default:
      return new ArgumentError(`${subject}${error.message.replace(/^error: /, "")}; see ${help}`);
  }
}

function missing(name: string, command: Command | undefined): ArgumentError {
  const argument = command?.args.find((argument) => argument.name === name);
  const choices = argument?.choices ? `: ${argument.choices.join(", ")}` : "";
  return new ArgumentError(
    `${command ? `${command.name}: ` : ""}${name.toUpperCase()} is missing (${argument?.help ?? "an argument"}${choices}); for example: ${command?.examples[0] ?? "lrscope --help"}`,
  );
}

function unknownCommand(word: string, commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  return `unknown command "${word}"${didYouMean(word, names)} Commands: ${names.join(", ")}`;
}

/** Flags that had another name, in commands where the old one means nothing else. */
const RENAMED: Readonly<Record<string, string>> = { "--tune": "--tune-convolutions" };

/** A sentence that the name of the help ends. */
function unknownFlag(
  word: string,
  command: Command | undefined,
  commands: readonly Command[],
): string {
  const name = word.replace(/=.*$/s, "");
  const known = command ? namesOf(command) : ["--help", "--version"];
  const renamed = RENAMED[name];
  if (renamed !== undefined && known.includes(renamed)) return `${name} is ${renamed} here; see`;
  const elsewhere = commands.filter((other) => namesOf(other).includes(name));
  if (command && elsewhere.length > 0) {
    return `does not take ${name} (${elsewhere.map((other) => other.name).join(", ")} ${elsewhere.length === 1 ? "does" : "do"}); see`;
  }
  const meant = nearest(name, known);
  return `unknown flag ${name}; ${meant ? `did you mean ${meant}? See` : "see"}`;
}

const namesOf = (command: Command): string[] => [
  ...Object.entries(command.flags).map(([key, flag]) => flagName(key, flag)),
  "--help",
];
