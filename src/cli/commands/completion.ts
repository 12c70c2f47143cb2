/** @file `lrscope completion SHELL`: what a shell completes of this command line. */

import { ArgumentError } from "../../core/errors.ts";
import { type CompletedValue, SHELLS, type Shell } from "../../core/shell-completion.ts";
import { type Argument, type Command, defineCommand, flagName } from "../flags/define-command.ts";

/** Placeholders of values that are paths, or may be. */
const PATHS = /\b(dir|file|place)\b/;

const NO_WORDS: CompletedValue = { name: "word", words: [], files: false };

function wordsOf([argument]: readonly Argument[]): CompletedValue {
  if (!argument) return NO_WORDS;
  const { name, choices, known = [] } = argument;
  return { name, words: choices ?? known, files: choices === undefined };
}

/** The commands as they are, in the words of a shell's completion. */
const completed = ({ name, summary, args, flags }: Command) => ({
  name,
  summary,
  words: wordsOf(args),
  flags: Object.entries(flags).map(([key, flag]) => ({
    name: flagName(key, flag),
    help: flag.help,
    ...(flag.kind === "switch"
      ? {}
      : {
          value: {
            name: flag.placeholder,
            words: flag.read.choices ?? [],
            files: PATHS.test(flag.placeholder),
          },
        }),
  })),
});

export const completion = defineCommand({
  name: "completion",
  api: ["completionScript"],
  summary: "print what a shell completes of lrscope's commands and flags",
  details:
    "For ~/.bashrc: source <(lrscope completion bash). For ~/.zshrc, after compinit: source <(lrscope completion zsh). For fish: lrscope completion fish > ~/.config/fish/completions/lrscope.fish.",
  args: [{ name: "shell", help: "the shell", choices: SHELLS }],
  flags: {},
  examples: ["lrscope completion bash", "lrscope completion fish"],
  async run({ args, terminal }) {
    const [shell = ""] = args;
    if (!SHELLS.some((known) => known === shell))
      throw new ArgumentError(
        `completion: SHELL must be one of ${SHELLS.join(", ")}; got "${shell}". For example: lrscope completion bash`,
      );
    const { completionScript } = await import("../../core/shell-completion.ts");
    const { commands } = await import("./index.ts");
    terminal.print(
      completionScript(shell as Shell, {
        program: "lrscope",
        commands: commands.map(completed),
      }).trimEnd(),
    );
  },
});
