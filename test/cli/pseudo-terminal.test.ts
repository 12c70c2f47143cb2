/** @file The command line on a terminal, as `script` of util-linux is one: lines in its width, and Ctrl-C. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { shellLine } from "../../src/core/shell.ts";
import { readRun } from "../../src/store/index.ts";
import { lrscopeCall, openTerminalSession } from "./on-terminal.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const noScript = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes(
  "util-linux",
)
  ? null
  : "script of util-linux is not there";
const absent = engineAbsent() ?? noScript;
const within = temporaryFolder();
const bin = join(fileURLToPath(new URL("../../", import.meta.url)), "bin/lrscope.js");

/** What a terminal of so many columns is sent by a call. @param onText may type into it */
function onTerminal(
  argv: readonly string[],
  { columns, environment = {} }: { columns: number; environment?: Record<string, string> },
  onText: (text: string, type: (keys: string) => void) => void = () => undefined,
): Promise<string> {
  const call = `stty cols ${columns} rows 40; exec ${shellLine([process.execPath, bin, ...argv])}`;
  const { NO_COLOR, FORCE_COLOR, ...inherited } = process.env;
  const child = spawn("script", ["-qefc", call, "/dev/null"], {
    env: { ...inherited, TERM: "xterm-256color", SHELL: "/bin/sh", ...environment },
  });
  let text = "";
  child.stdout.on("data", (data: Buffer) => {
    text += data;
    onText(text, (keys) => child.stdin.write(keys));
  });
  return new Promise((resolve) => child.on("close", () => resolve(text)));
}

/** Without colours and the moves of the live lines: every line that was ever written. */
const linesOf = (text: string) =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys.
    .replaceAll(/\x1b\[\d*[AJ]/g, "\n")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: and these.
    .replaceAll(/\x1b\[[\d;]*m/g, "")
    .split(/\r?\n|\r/);

const SMALL = [
  "synthetic",
  "--size",
  "16",
  "--batch",
  "32",
  "--limit",
  "16",
  "--threads",
  "1",
  "--no-samples",
];
const ARMS = [
  "--optimizers",
  "adamw+warmup-cosine@1e-4,adamw+warmup-cosine@3e-4,adamw+warmup-cosine@1e-3",
];

describe.skipIf(absent)(`on a terminal${absent ? ` (${absent})` : ""}`, () => {
  test("of 40 columns no line is wider, and the arms stand while their trials run", async () => {
    const call = [
      "compare",
      ...SMALL,
      ...ARMS,
      "--seeds",
      "1",
      "--epochs",
      "2",
      "--out",
      within("narrow"),
    ];
    const lines = linesOf(await onTerminal(call, { columns: 40 }));
    const wide = lines.filter(
      (line) => line.length > 40 && line.includes(" ") && !/Next:|\//.test(line),
    );
    expect(wide).toEqual([]);
    expect(lines.filter((line) => /^arm +now/.test(line)).length).toBeGreaterThan(0);
    for (const rate of ["1e-4", "3e-4", "1e-3"])
      expect(lines.some((line) => line.includes(rate) && / val |e2 /.test(line))).toBe(true);
  });

  test("Ctrl-C: the command to go on stands alone, and works when pasted", async () => {
    const out = within("my runs");
    const call = [
      "compare",
      ...SMALL,
      "--optimizers",
      "adam,sgd",
      "--seeds",
      "2",
      "--epochs",
      "2000",
      "--out",
      out,
    ];
    let typed = false;
    const text = await onTerminal(call, { columns: 80 }, (so, type) => {
      if (typed || !/epoch +2 /.test(so)) return;
      typed = true;
      type("\x03");
    });
    const lines = linesOf(text).map((line) => line.trim());
    expect(lines).toContain("Ctrl-C: ending after the step under way; once more ends at once");
    expect(lines).toContain(shellLine(["lrscope", "compare", "--resume", out]));
    expect(lines).toContain("0 of 4 runs finished");
    expect(text).toContain("interrupted after epoch");
    expect(text).not.toContain("failed");
    expect(readRun(out).trials.map(({ trial }) => trial.status)).toEqual(["interrupted"]);
  });

  test("a folder of any name: what is shown goes on with it when it is pasted into sh", async () => {
    const out = within('it\'s a "$(touch pwned)"\n`run` %d');
    const call = ["train", ...SMALL, "--epochs", "2000", "--out", out];
    let typed = false;
    const text = await onTerminal(call, { columns: 40 }, (so, type) => {
      if (typed || !/epoch +2 /.test(so)) return;
      typed = true;
      type("\x03");
    });
    const command = linesOf(text).find((line) => line.startsWith("  lrscope train --resume"));
    const echo = spawnSync("sh", ["-c", `lrscope() { printf '%s\\0' "$@"; }; ${command}`], {
      ...{ cwd: within("."), encoding: "utf8" },
    });
    expect(echo.stdout.split("\0").slice(0, -1)).toEqual(["train", "--resume", out]);
    expect(existsSync(within("pwned"))).toBe(false);
  });

  test("the second Ctrl-C ends at once; SIGTERM is an interruption as Ctrl-C is", async () => {
    for (const [name, keys, said] of [
      ["twice", "\x03\x03", "Ctrl-C: ending"],
      ["terminated", null, "SIGTERM: ending after the step under way"],
    ] as const) {
      const out = within(name);
      const call = ["train", ...SMALL, "--epochs", "2000", "--out", out];
      const words = ["sh", "-c", `echo process $$; exec ${shellLine(lrscopeCall(call))}`];
      const session = openTerminalSession(words, { columns: 80 });
      const [, id] = /process (\d+)/.exec(await session.until(/process \d+\r?\n/)) ?? [];
      await session.until(/epoch +2 /);
      if (keys) session.type(keys);
      else process.kill(Number(id), "SIGTERM");
      const { text, code } = await session.ended;
      expect([name, code]).toEqual([name, 130]);
      expect(text).toContain(said);
      expect(text).not.toContain("failed");
      // Whatever the moment, the records are read.
      expect(readRun(out).trials).toHaveLength(1);
    }
  });

  test.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])(
    "with %j lines are plain",
    async (environment) => {
      const call = [
        "train",
        ...SMALL,
        "--epochs",
        "1",
        "--out",
        within(Object.keys(environment)[0]!),
      ];
      const text = await onTerminal(call, { columns: 100, environment });
      expect(text).toContain("validation");
      expect(text).not.toContain("\x1b");
    },
  );
});
