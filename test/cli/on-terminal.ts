/** @file A command at a terminal of its own, as `script` of util-linux is one: what it writes, and keys typed into it. */

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { shellLine } from "../../src/core/shell.ts";

/** Why there is no terminal to be had; null where there is. */
export const terminalAbsent: string | null = spawnSync("script", ["--version"], {
  encoding: "utf8",
}).stdout?.includes("util-linux")
  ? null
  : "script of util-linux is not there";

const bin = join(fileURLToPath(new URL("../../", import.meta.url)), "bin/lrscope.js");

/** The words of a call of lrscope, as a process of its own. */
export const lrscopeCall = (argv: readonly string[]): string[] => [process.execPath, bin, ...argv];

export interface TerminalSession {
  type(keys: string): void;
  /** Waits for text that was not waited for before. @throws Error where the command ends without it */
  until(pattern: RegExp): Promise<string>;
  /** All that it wrote, and the exit code, once it has ended. */
  readonly ended: Promise<{ readonly text: string; readonly code: number | null }>;
}

export interface TerminalOptions {
  readonly columns: number;
  readonly rows?: number;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function openTerminalSession(
  words: readonly string[],
  { columns, rows = 40, cwd, environment = {} }: TerminalOptions,
): TerminalSession {
  const call = `stty cols ${columns} rows ${rows}; exec ${shellLine([...words])}`;
  const { NO_COLOR, FORCE_COLOR, ...inherited } = process.env;
  const child = spawn("script", ["-qefc", call, "/dev/null"], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...inherited, TERM: "xterm-256color", SHELL: "/bin/sh", ...environment },
  });
  let text = "";
  let seen = 0;
  let closed = false;
  const waiting = new Set<() => void>();
  const look = () => {
    for (const each of [...waiting]) each();
  };
  child.stdout.on("data", (data: Buffer) => {
    text += data;
    look();
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<{ text: string; code: number | null }>((resolve) =>
    child.on("close", (code) => {
      closed = true;
      look();
      resolve({ text, code });
    }),
  );
  return {
    ended,
    type: (keys) => void child.stdin.write(keys),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const rest = text.slice(seen);
          const found = pattern.exec(rest);
          if (!found && !closed) return;
          waiting.delete(check);
          if (!found) return reject(new Error(`it ended without ${pattern}; it wrote:\n${text}`));
          const end = found.index + found[0].length;
          seen += end;
          resolve(rest.slice(0, end));
        };
        waiting.add(check);
        check();
      }),
  };
}
