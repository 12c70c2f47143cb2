/**
 * @file A comparison of a second and all that it can be asked to write, whose processes kill themselves
 * before a given one of their operations on files (stop-at-operation.cjs); and the folder it leaves.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));
const PRELOADED = fileURLToPath(new URL("stop-at-operation.cjs", import.meta.url));

/** An arm with a range test and one without, and everything that is derived from records. */
export const WHOLE_CALL = [
  ...["synthetic", "--size", "16", "--limit", "9", "--batch", "16", "--threads", "1"],
  ...["--optimizers", "sgd+clr,adam", "--seeds", "1", "--epochs", "2", "--step-size", "1e"],
  ...["--published", "--force", "--targets", "0.2,0.4", "--profile", "--png", "--tensorboard"],
];

export interface Stop {
  /** "parent", or "child-0" for the first process that it starts. */
  readonly role: string;
  /** The operation that is not made any more, from 1. */
  readonly operation: number;
}

export interface Life {
  /** null: it was killed. */
  readonly code: number | null;
  readonly stderr: string;
  /** "parent:17 renameSync /.experiment.json.4711.tmp"; null where nobody was. */
  readonly killed: string | null;
  /** Operations of each process that lived to its end, by role. */
  readonly operations: ReadonlyMap<string, number>;
}

/** Begins the comparison in a folder, or goes on with the one that is in it. */
export async function live(
  path: string,
  { stop, call = WHOLE_CALL }: { stop?: Stop | undefined; call?: readonly string[] } = {},
): Promise<Life> {
  const counts = `${path}.counts`;
  rmSync(counts, { recursive: true, force: true });
  mkdirSync(counts);
  const argv = existsSync(join(path, "experiment.json"))
    ? ["compare", "--resume", path]
    : ["compare", ...call, "--out", path];
  const child = spawn(process.execPath, [BIN, ...argv], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      NODE_OPTIONS: `--require ${PRELOADED}`,
      LRSCOPE_TEST_FOLDER: path,
      LRSCOPE_TEST_COUNTS: counts,
      ...(stop ? { LRSCOPE_TEST_KILL: `${stop.role}:${stop.operation}` } : {}),
    },
  });
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => {
    stderr += data;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const read = (name: string) => readFileSync(join(counts, name), "utf8").trim();
  const operations = new Map(
    readdirSync(counts)
      .filter((name) => name.endsWith(".count"))
      .map((name) => [name.replace(".count", ""), Number(read(name))]),
  );
  const killed = existsSync(join(counts, "killed")) ? read("killed") : null;
  rmSync(counts, { recursive: true });
  return { code, stderr, killed, operations };
}

/** Every file of a folder, byte for byte, by its path; logs tell of the interruptions and are left out. */
export function contentOf(path: string): Map<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files
      .filter((file) => !file.endsWith("log.txt"))
      .sort()
      .map((file) => [relative(path, file), readFileSync(file, "base64")]),
  );
}

/** "summary.json: other content", ...; none where the folders are the same. */
export function differencesOf(
  found: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): string[] {
  const names = [...new Set([...found.keys(), ...wanted.keys()])].sort();
  return names.flatMap((name) => {
    if (found.get(name) === wanted.get(name)) return [];
    const what = !found.has(name) ? "missing" : !wanted.has(name) ? "left over" : "other content";
    return [`${name}: ${what}`];
  });
}
