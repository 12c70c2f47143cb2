/** @file Help texts, made from the definitions: what it does, what it takes, lines that work. */

import type { Command as Commander } from "commander";
import { type Command, flagName } from "../flags/define-command.ts";

/** Of a line, at most; a narrower terminal's own is less. */
const WIDTH = 80;

const EXIT_CODES =
  "Exit codes: 0 done, 1 the work failed, 2 the call was wrong, and nothing was begun, 130 interrupted.";

/**
 * @param command null: the list of commands
 * @param columns of the terminal, where it is one
 */
export function addHelp(commander: Commander, command: Command | null, columns = WIDTH): void {
  const width = Math.min(WIDTH, columns);
  commander.helpInformation = () =>
    command ? commandHelp(command, width) : programHelp(commander, width);
}

function programHelp(program: Commander, width: number): string {
  const rows = program.commands.map((sub) => [sub.name(), sub.summary()] as const);
  return [
    ...wrap(
      "lrscope: a learning-rate laboratory. Which optimizer, at which learning rate, on which schedule, should this network be trained with?",
      width,
    ),
    "",
    "Usage: lrscope <command> [flags]",
    "",
    ...table(rows, width),
    "",
    ...wrap(EXIT_CODES, width),
    "",
    "Begin with:  lrscope demo",
    "More:        lrscope <command> --help",
    "",
  ].join("\n");
}

function commandHelp(command: Command, width: number): string {
  const words = command.args.map(({ name, variadic, optional }) => {
    const word = `${name.toUpperCase()}${variadic ? "..." : ""}`;
    return optional ? `[${word}]` : word;
  });
  const flags = Object.entries(command.flags).flatMap(([key, flag]) => {
    const name = flagName(key, flag);
    if (flag.kind === "switch") return [[name, flag.help] as const];
    const shown =
      flag.shownFallback ?? (flag.fallback === undefined ? undefined : String(flag.fallback));
    return [
      [`${name} <${flag.placeholder}>`, shown ? `${flag.help} [${shown}]` : flag.help] as const,
    ];
  });
  return [
    `Usage: ${["lrscope", command.name, ...words, "[flags]"].join(" ")}`,
    "",
    ...wrap(command.details ?? command.summary, width),
    "",
    ...(command.args.length > 0
      ? [
          ...table(
            command.args.map(({ name, help }) => [name.toUpperCase(), help] as const),
            width,
          ),
          "",
        ]
      : []),
    ...table([...flags, ["--help", "print this"]], width),
    "",
    ...(command.examples.length > 1 ? ["Examples:"] : ["Example:"]),
    ...command.examples.map((line) => `  ${line}`),
    "",
    ...wrap(EXIT_CODES, width),
    "",
  ].join("\n");
}

/** Two columns, the second wrapped under itself. */
function table(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const most = columns < 60 ? 10 : 24;
  const width = Math.min(most, Math.max(...rows.map(([left]) => left.length)));
  const indent = " ".repeat(width + 4);
  return rows.flatMap(([left, right]) => {
    const [first = "", ...rest] = wrap(right, columns - indent.length);
    const head =
      left.length > width
        ? [`  ${left}`, `${indent}${first}`]
        : [`  ${left.padEnd(width)}  ${first}`];
    return [...head, ...rest.map((line) => `${indent}${line}`)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines;
}
