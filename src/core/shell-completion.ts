/**
 * @file What a shell completes on a command line, as a script for that shell: made of the commands and flags that a
 * program has, so that there is no second list of them.
 */

/** A place where a value stands. */
export interface CompletedValue {
  /** Shown where the shell shows such things: "rate". */
  readonly name: string;
  /** The words it may be. */
  readonly words: readonly string[];
  /** Whether it may also be a path. */
  readonly files: boolean;
}

export interface CompletedFlag {
  /** "--lr" */
  readonly name: string;
  readonly help: string;
  /** Absent: it takes none. */
  readonly value?: CompletedValue;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What its words are that belong to no flag. */
  readonly words: CompletedValue;
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that the shell reads once, to complete the calls of `program`. */
export function completionScript(
  shell: Shell,
  { program, commands }: { program: string; commands: readonly CompletedCommand[] },
): string {
  const lines = { bash, zsh, fish }[shell](program, commands);
  return `${lines.join("\n")}\n`;
}

/** A word that every shell of the three takes as it is. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
/** fish knows backslashes within its quotes. */
const fishQuoted = (text: string) => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
const spaced = (words: readonly string[]) => words.join(" ");
const listed = (words: readonly string[]) => words.join("\n");

function bash(program: string, commands: readonly CompletedCommand[]): string[] {
  const values = commands.flatMap((command) =>
    command.flags.flatMap(({ name, value }) =>
      value ? [`    ${quoted(`${command.name} ${name}`)}) ${bashValue(value)} ;;`] : [],
    ),
  );
  return [
    `# bash completion of ${program}: source <(${program} completion bash)`,
    `_${program}() {`,
    `  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"`,
    `  local command="\${COMP_WORDS[1]}"`,
    "  # One candidate a line: names of files have spaces in them.",
    "  local IFS=$'\\n'",
    "  COMPREPLY=()",
    "  # bash takes --flag=value apart at the sign.",
    `  if [[ "$cur" == "=" ]]; then cur=""; elif [[ "$prev" == "=" ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi`,
    "  if (( COMP_CWORD == 1 )); then",
    `    COMPREPLY=($(compgen -W ${quoted(listed(["--help", "--version", ...commands.map(({ name }) => name)]))} -- "$cur"))`,
    "    return",
    "  fi",
    '  case "$command $prev" in',
    ...values,
    "  esac",
    '  case "$command" in',
    ...commands.map(
      ({ name, flags, words }) =>
        `    ${quoted(name)}) if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W ${quoted(listed(["--help", ...flags.map((flag) => flag.name)]))} -- "$cur")); else ${bashWords(words)}; fi ;;`,
    ),
    "  esac",
    "}",
    // Where nothing is offered, files are: a number is offered none, but its place is left alone.
    `complete -o bashdefault -o default -F _${program} ${program}`,
  ];
}

const bashWords = ({ words, files }: CompletedValue): string =>
  words.length === 0
    ? `COMPREPLY=()${files ? "" : "; compopt +o default +o bashdefault 2>/dev/null"}`
    : `COMPREPLY=($(compgen ${files ? "-f " : ""}-W ${quoted(listed(words))} -- "$cur"))${files ? "; compopt -o filenames 2>/dev/null" : ""}`;

const bashValue = (value: CompletedValue): string => `${bashWords(value)}; return`;

function zsh(program: string, commands: readonly CompletedCommand[]): string[] {
  return [
    `#compdef ${program}`,
    `# zsh completion of ${program}: source <(${program} completion zsh), after compinit`,
    `_${program}() {`,
    "  if (( CURRENT == 2 )); then",
    "    local -a commands=(",
    ...commands.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}`),
    "    )",
    "    _describe command commands",
    "    return",
    "  fi",
    `  local command="\${words[2]}"`,
    "  shift words",
    "  (( CURRENT-- ))",
    '  case "$command" in',
    ...commands.flatMap(({ name, flags, words }) => [
      `    ${name})`,
      "      _arguments \\",
      ...flags.map((flag) => `        ${quoted(zshFlag(flag))} \\`),
      "        '--help[print the help of the command]' \\",
      `        ${quoted(`*:${zshEscaped(words.name)}:${zshAction(words)}`)}`,
      "      ;;",
    ]),
    "  esac",
    "}",
    `if [[ "$funcstack[1]" == "_${program}" ]]; then _${program} "$@"; else compdef _${program} ${program}; fi`,
  ];
}

/** Colons and brackets part the specifications of _arguments. */
const zshEscaped = (text: string) => text.replaceAll(/[\\:[\]]/g, "\\$&");

const zshFlag = ({ name, help, value }: CompletedFlag): string =>
  `${name}[${zshEscaped(help)}]${value ? `:${zshEscaped(value.name)}:${zshAction(value)}` : ""}`;

function zshAction({ words, files }: CompletedValue): string {
  if (words.length === 0) return files ? "_files" : " ";
  const listed = words.map(zshEscaped).join(" ");
  return files ? `_alternative "words:word:(${listed})" "files:file:_files"` : `(${listed})`;
}

function fish(program: string, commands: readonly CompletedCommand[]): string[] {
  const of = `__fish_${program}_command`;
  return [
    `# fish completion of ${program}: ${program} completion fish | source`,
    // The first word alone is the command: a folder may be named as one is.
    `function ${of}`,
    "    set -l words (commandline -opc)",
    '    test "$words[2]" = "$argv[1]"',
    "end",
    `complete -c ${program} -f`,
    ...[
      ["help", "print the help"],
      ["version", "print the version"],
    ].map(
      ([flag, help = ""]) =>
        `complete -c ${program} -n ${fishQuoted(`${of} ""`)} -l ${flag} -d ${fishQuoted(help)}`,
    ),
    ...commands.map(
      ({ name, summary }) =>
        `complete -c ${program} -n ${fishQuoted(`${of} ""`)} -a ${name} -d ${fishQuoted(summary)}`,
    ),
    ...commands.flatMap(({ name, flags, words }) => {
      const seen = `-n ${fishQuoted(`${of} ${name}`)}`;
      return [
        `complete -c ${program} ${seen} ${fishValue(words)}`.trimEnd(),
        `complete -c ${program} ${seen} -l help -d ${fishQuoted("print the help of the command")}`,
        ...flags.map(
          ({ name: flag, help, value }) =>
            `complete -c ${program} ${seen} -l ${flag.replace(/^--/, "")} -d ${fishQuoted(help)}${value ? ` -r ${fishValue(value)}` : ""}`,
        ),
      ];
    }),
  ];
}

const fishValue = ({ words, files }: CompletedValue): string =>
  [files ? "-F" : "-f", ...(words.length > 0 ? [`-a ${fishQuoted(spaced(words))}`] : [])].join(" ");
