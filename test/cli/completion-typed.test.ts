/** @file Completion as it is typed: bash and zsh at a terminal, with the tab key. */

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { flagName } from "../../src/cli/flags/define-command.ts";
import { openTerminalSession, terminalAbsent } from "./on-terminal.ts";
import { cli } from "./run-cli.ts";
import { temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();

const SHELLS = {
  bash: {
    call: ["bash", "--norc", "--noprofile", "-i"],
    // Lists at the first tab; ctrl-x g says what the line is.
    setUp: [
      `bind 'set show-all-if-ambiguous on' 2>/dev/null`,
      `bind 'set completion-query-items 0' 2>/dev/null`,
      `bind 'set page-completions off' 2>/dev/null`,
      `bind -x '"\\C-xg": printf "\\n[[%s]]\\n" "$READLINE_LINE"; READLINE_LINE='`,
    ],
  },
  zsh: {
    call: ["zsh", "-f", "-i"],
    setUp: [
      "autoload -U compinit; compinit -u -D; LISTMAX=9999; setopt no_list_ambiguous",
      `say() { print -r -- "\n[[$BUFFER]]"; BUFFER=; zle -I; }; zle -N say; bindkey '^Xg' say`,
    ],
  },
} as const;

describe.each(Object.keys(SHELLS) as (keyof typeof SHELLS)[])("%s", (shell) => {
  const { call, setUp } = SHELLS[shell];
  const missing =
    spawnSync(shell, ["-c", "true"], { stdio: "ignore" }).status === 0
      ? terminalAbsent
      : `${shell} is not installed`;
  let script = "";
  beforeAll(async () => {
    const runs = within("place/lrscope-runs");
    for (const run of ["compare-photos-1", "train photos"])
      mkdirSync(join(runs, run), { recursive: true });
    mkdirSync(within("place/my photos"), { recursive: true });
    script = within(`lrscope.${shell}`);
    writeFileSync(script, (await cli(["completion", shell])).stdout);
  });

  /** What a line with a tab behind it becomes, and what is listed below it. */
  async function completed(...lines: string[]): Promise<{ line: string; listed: string[] }[]> {
    const options = { columns: 300, rows: 400, cwd: within("place") };
    const session = openTerminalSession(call, {
      ...options,
      environment: { PS1: "> ", HISTFILE: "" },
    });
    for (const each of [...setUp, `source '${script}'`]) session.type(`${each}\n`);
    session.type("echo rea''dy\n");
    await session.until(/ready\r?\n/);
    const all = [];
    for (const line of lines) {
      session.type(`${line}\t\x18g`);
      const text = await session.until(/\[\[([^\]]*)\]\]/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys.
      const plain = text.replaceAll(/\x1b(\[[\d;?]*[A-Za-z]|[=>])|\x07/g, "");
      const [, became = ""] = /\[\[([^\]]*)\]\]/.exec(plain) ?? [];
      all.push({ line: became, listed: plain.split(/\s+/) });
    }
    session.type("exit\n");
    await session.ended;
    return all;
  }

  test.skipIf(missing)(
    `commands, values, folders with spaces and runs${missing ? ` (skipped: ${missing})` : ""}`,
    async () => {
      const [command, names, value, source, run, spaced, number] = await completed(
        "lrscope expo",
        "lrscope com",
        "lrscope train mnist --precision b",
        "lrscope compare my",
        "lrscope train --resume lrscope-runs/co",
        "lrscope predict lrscope-runs/tr",
        "lrscope train mnist --lr ",
      );
      expect(command!.line).toBe("lrscope export ");
      expect(names!.line).toBe("lrscope comp");
      expect(names!.listed).toEqual(expect.arrayContaining(["compare", "completion"]));
      expect(value!.line).toBe("lrscope train mnist --precision bf16 ");
      expect(source!.line).toBe("lrscope compare my\\ photos/");
      expect(run!.line).toBe("lrscope train --resume lrscope-runs/compare-photos-1/");
      expect(spaced!.line).toBe("lrscope predict lrscope-runs/train\\ photos/");
      expect(number!.line).toBe("lrscope train mnist --lr ");
    },
  );

  test.skipIf(missing)(
    `every flag of every command${missing ? ` (skipped: ${missing})` : ""}`,
    async () => {
      const all = await completed(...commands.map(({ name }) => `lrscope ${name} --`));
      for (const [i, { name, flags }] of commands.entries()) {
        const own = Object.entries(flags).map(([key, flag]) => flagName(key, flag));
        const { listed, line } = all[i]!;
        // Where there is one alone, the line has it.
        const offered = new Set([...listed, line.split(" ").at(-2)]);
        expect([name, [...own, "--help"].filter((flag) => !offered.has(flag))]).toEqual([name, []]);
      }
    },
  );
});
