/**
 * @file Feeds a fuzz target of native/fuzz/ with inputs, in a process of its own; a target that dies is
 * started again, and what it had been given last is kept, as short as still shows it.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, type Finding, type FuzzOptions, type FuzzSummary } from "./report.ts";

export interface TargetOptions extends FuzzOptions {
  /** The built target. */
  readonly binary: string;
  readonly name: string;
  /** Input number `index`. */
  readonly input: (index: number) => Buffer;
  /** Where inputs that end a target are kept. */
  readonly findings: string;
}

/** Inputs that are under way at a time. */
const WINDOW = 64;
/** Inputs before the last one that may have had a part in a failure. */
const HISTORY = 256;

/**
 * Gives the target `count` inputs, from `first` on. After three failures it stops: the rest would say the
 * same again.
 */
export async function fuzzTarget(options: TargetOptions): Promise<FuzzSummary> {
  const { first = 0, count } = options;
  const findings: Finding[] = [];
  let done = 0;
  while (done < count && findings.length < 3) {
    const { answered, failure } = await feed(options, first + done, count - done);
    done += answered;
    if (failure === null) break;
    findings.push(keep(options, first + done, failure));
    done++;
  }
  return { name: options.name, inputs: Math.min(done, count), outcomes: {}, findings };
}

/** Runs one process until the inputs are used up or it dies. */
function feed(
  { binary, input, onProgress }: TargetOptions,
  first: number,
  count: number,
): Promise<{ answered: number; failure: string | null }> {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-fuzz-"));
  const child = spawn(binary, [], { env: environment({ TMPDIR: folder }) });
  let answered = 0;
  let sent = 0;
  let said = "";
  child.stdin.on("error", () => {
    // The process is gone; its end tells why.
  });
  const send = () => {
    while (sent < count && sent - answered < WINDOW) {
      const bytes = input(first + sent++);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      child.stdin.write(Buffer.concat([length, bytes]));
    }
    if (sent === count && answered === count) child.stdin.end();
  };
  child.stdout.on("data", (answers: Buffer) => {
    answered += answers.length;
    onProgress?.(answers.length);
    send();
  });
  child.stderr.on("data", (text: Buffer) => {
    said = (said + text).slice(-20_000);
  });
  send();
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      rmSync(folder, { recursive: true, force: true });
      const failure =
        answered === count && code === 0 ? null : `${signal ?? `exit ${code}`}\n${said}`;
      resolve({ answered, failure });
    });
  });
}

/** Writes the fewest of the last inputs that end the target again, and how to run them. */
function keep(options: TargetOptions, last: number, failure: string): Finding {
  const { binary, name, input, findings } = options;
  const folder = join(findings, `${name}-${options.seed}-${last}`);
  const earliest = Math.max(options.first ?? 0, last - HISTORY);
  let files: string[] = [];
  for (let kept = 1; ; kept *= 2) {
    const from = Math.max(earliest, last + 1 - kept);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    files = [];
    for (let index = from; index <= last; index++) {
      const file = join(folder, String(index - from).padStart(3, "0"));
      writeFileSync(file, input(index));
      files.push(file);
    }
    const again = spawnSync(binary, files, { env: environment({}), timeout: 120_000 });
    if (again.status !== 0 || from === earliest) break;
  }
  return {
    what: summaryLine(failure),
    reproduce: `${binary} ${folder}/*`,
    detail: failure,
  };
}

/** The line in which the sanitizer or the target says what is wrong. */
function summaryLine(failure: string): string {
  const lines = failure.split("\n");
  return (
    lines.find((line) => /RULE BROKEN|ERROR: AddressSanitizer|runtime error:/.test(line)) ??
    lines[0]!
  ).trim();
}
