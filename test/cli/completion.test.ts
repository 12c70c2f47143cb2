/** @file Completion in the shells themselves: bash, and zsh and fish where they are installed. */

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { flagName } from "../../src/cli/flags/define-command.ts";
import { cli } from "./run-cli.ts";
import { temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();
const installed = (shell: string) =>
  spawnSync(shell, ["-c", "true"], { stdio: "ignore" }).status === 0;
const scriptOf = async (shell: string) => {
  mkdirSync(within("."), { recursive: true });
  const { code, stdout } = await cli(["completion", shell]);
  expect(code).toBe(0);
  const path = within(`lrscope.${shell}`);
  writeFileSync(path, stdout);
  return path;
};

/** Runs a script in a shell, in a folder that holds a folder and a file. */
function run(shell: string, script: string): string[] {
  const cwd = within("place");
  mkdirSync(join(cwd, "photos"), { recursive: true });
  writeFileSync(join(cwd, "pretrained.pth"), "");
  const args =
    shell === "fish"
      ? ["--no-config", "-c", script]
      : shell === "zsh"
        ? ["-f", "-c", script]
        : ["--norc", "-c", script];
  const { status, stdout, stderr } = spawnSync(shell, args, { cwd, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** "fish", or "fish (skipped: it is not installed)". */
const called = (shell: string) =>
  installed(shell) ? shell : `${shell} (skipped: it is not installed)`;

describe.skipIf(!installed("bash"))(called("bash"), () => {
  let script = "";
  beforeAll(async () => {
    script = await scriptOf("bash");
  });
  /** What is offered for the last word. */
  const offered = (...words: string[]) => {
    const listed = words.map((word) => `'${word}'`).join(" ");
    return run(
      "bash",
      `source '${script}'; COMP_WORDS=(${listed}); COMP_CWORD=${words.length - 1}; _lrscope 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  };

  test("commands, by their beginnings", () => {
    expect(offered("lrscope", "com")).toEqual(["compare", "completion"]);
    expect(offered("lrscope", "")).toEqual(
      expect.arrayContaining(commands.map(({ name }) => name)),
    );
  });

  test.each(commands.map((command) => [command.name, command] as const))(
    "%s: every flag that it has, and no other",
    (name, { flags }) => {
      const own = Object.entries(flags).map(([key, flag]) => flagName(key, flag));
      expect(offered("lrscope", name, "--").sort()).toEqual([...own, "--help"].sort());
    },
  );

  test("values that are one of a few, also behind a sign; sources beside folders", () => {
    expect(offered("lrscope", "train", "mnist", "--precision", "")).toEqual(["fp32", "bf16"]);
    expect(offered("lrscope", "train", "mnist", "--augment", "=", "n")).toEqual(["none"]);
    expect(offered("lrscope", "compare", "m")).toEqual(["mnist"]);
    expect(offered("lrscope", "compare", "p")).toEqual(expect.arrayContaining(["photos"]));
    expect(offered("lrscope", "completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(offered("lrscope", "train", "mnist", "--lr", "")).toEqual([]);
  });
});

describe.skipIf(!installed("fish"))(called("fish"), () => {
  test("commands, flags with their help, values, files", async () => {
    const script = await scriptOf("fish");
    mkdirSync(within("place/data/lrscope-runs/train photos"), { recursive: true });
    const offered = (line: string) => run("fish", `source '${script}'; complete -C '${line}'`);
    const words = (line: string) => offered(line).map((each) => each.split("\t")[0]);
    expect(words("lrscope com")).toEqual(["compare", "completion"]);
    expect(words("lrscope --")).toEqual(["--help", "--version"]);
    expect(offered("lrscope train --prec")[0]).toMatch(/^--precision\tarithmetic: fp32/);
    expect(words("lrscope train --precision ")).toEqual(["bf16", "fp32"]);
    expect(words("lrscope train mn")).toEqual(expect.arrayContaining(["mnist"]));
    expect(words("lrscope train --pretrained pre")).toEqual(["pretrained.pth"]);
    expect(words("lrscope train mnist --lr ")).toEqual([]);
    // Folders of runs, and a folder that is called as a command is.
    expect(words("lrscope train --resume data/lrscope-runs/tr")).toEqual([
      "data/lrscope-runs/train photos/",
    ]);
    expect(words("lrscope predict data/lrscope-runs/tr")).toEqual([
      "data/lrscope-runs/train photos/",
    ]);
    expect(words("lrscope compare data --remove")).toEqual([]);
    for (const { name, flags } of commands) {
      const own = Object.entries(flags).map(([key, flag]) => flagName(key, flag));
      expect(words(`lrscope ${name} --`).sort()).toEqual([...own, "--help"].sort());
    }
  });
});

describe.skipIf(!installed("zsh"))(called("zsh"), () => {
  test("its specifications are those that _arguments takes: every flag, its help and its values", async () => {
    const script = await scriptOf("zsh");
    // compadd alone says what is offered; the widgets around it need a terminal.
    const offered = (line: string[]) =>
      run(
        "zsh",
        `autoload -U compinit; compinit -u -D; source '${script}'; ` +
          `_arguments() { printf '%s\\n' "$@" }; _describe() { print -l -- \${(P)2} }; ` +
          `words=(${line.map((word) => `'${word}'`).join(" ")}); CURRENT=${line.length}; _lrscope`,
      );
    expect(offered(["lrscope", ""])).toEqual(
      expect.arrayContaining([expect.stringMatching(/^compare:train with several/)]),
    );
    for (const { name, flags } of commands) {
      const own = Object.entries(flags).map(([key, flag]) => flagName(key, flag));
      const found = offered(["lrscope", name, "--"]).filter((line) => line.startsWith("--"));
      expect(found.map((line) => line.replace(/\[.*/, "")).sort()).toEqual(
        [...own, "--help"].sort(),
      );
    }
    expect(offered(["lrscope", "train", "--"])).toEqual(
      expect.arrayContaining([expect.stringMatching(/^--precision\[.*\]:kind:\(fp32 bf16\)$/)]),
    );
  });
});

test("a shell that there is none for is refused", async () => {
  const { code, stderr } = await cli(["completion", "tcsh"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("must be one of bash, zsh, fish")]);
});
