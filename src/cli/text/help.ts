/** @file Help texts, made from the definitions: what it does, what it takes, lines that work. */

import type { Command as Commander } from "commander";
import { type Command, flagName } from "../flags/define-command.ts";

const WIDTH = 80;

const EXIT_CODES = [
  "Exit codes: 0 done, 1 the work failed, 2 the call was wrong, and nothing was",
  "begun, 130 interrupted.",
];

/** @param command null: the list of commands */
export function addHelp(commander: Commander, command: Command | null): void {
  commander.helpInformation = () => (command ? commandHelp(command) : programHelp(commander));
}

function programHelp(program: Commander): string {
  const rows = program.commands.map((sub) => [sub.name(), sub.summary()] as const);
  return [
    "lrscope: a learning-rate laboratory. Which optimizer, at which learning rate, on",
    "which schedule, should this network be trained with?",
    "",
    "Usage: lrscope <command> [flags]",
    "",
    ...table(rows),
    "",
    ...EXIT_CODES,
    "",
    "Begin with:  lrscope demo",
    "More:        lrscope <command> --help",
    "",
  ].join("\n");
}

function commandHelp(command: Command): string {
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
    ...wrap(command.details ?? command.summary, WIDTH),
    "",
    ...(command.args.length > 0
      ? [...table(command.args.map(({ name, help }) => [name.toUpperCase(), help] as const)), ""]
      : []),
    ...table([...flags, ["--help", "print this"]]),
    "",
    ...(command.examples.length > 1 ? ["Examples:"] : ["Example:"]),
    ...command.examples.map((line) => `  ${line}`),
    "",
    ...EXIT_CODES,
    "",
  ].join("\n");
}

/** Two columns, the second wrapped under itself. */
function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(24, Math.max(...rows.map(([left]) => left.length)));
  const indent = " ".repeat(width + 4);
  return rows.flatMap(([left, right]) => {
    const [first = "", ...rest] = wrap(right, WIDTH - indent.length);
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
