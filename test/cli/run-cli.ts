/** @file The command line in this process: what it printed where, and its exit code. */

import { main } from "../../src/cli/main.ts";

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON line; fails the test where stdout is anything else. */
  json<T = Record<string, unknown>>(): T;
}

export interface CliOptions {
  readonly signal?: AbortSignal;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Called with each text as it is written. */
  readonly onOutput?: (text: string) => void;
  /** Both streams claim to be a terminal. */
  readonly tty?: boolean;
}

export async function cli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const texts = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof texts) => ({
    isTTY: options.tty ?? false,
    columns: 80,
    write(text: string) {
      texts[name] += text;
      options.onOutput?.(text);
      return true;
    },
  });
  const code = await main(argv, {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    environment: options.environment ?? { NO_COLOR: "1" },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return {
    code,
    ...texts,
    json<T>() {
      const lines = texts.stdout.split("\n");
      if (lines.length !== 2 || lines[1] !== "")
        throw new Error(
          `stdout must be one line; it is:\n${texts.stdout}\nstderr:\n${texts.stderr}`,
        );
      return JSON.parse(lines[0]!) as T;
    },
  };
}
