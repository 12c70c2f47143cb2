/**
 * @file Studies that are started, resumed and stopped from the page: each is the command line in a process of its own,
 * so that it does what it would do in a terminal, and outlives the server. Whoever works in a folder is asked to end by
 * the signal of Ctrl-C, whether this server started it or not.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ArgumentError, StoreError } from "../core/errors.ts";
import { whereIs } from "../files/process-identity.ts";
import { type StudyEvent, studyEvent } from "../record/index.ts";
import { leaseHolder } from "../store/index.ts";

/** The compiled command line. */
const COMMAND = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));

/** Milliseconds between two looks at whether a study has ended, and how often it is looked. */
const LOOK = 100;
const LOOKS = 1200;

/** Characters of what a process says that are kept for when it fails. */
const MOST_SAID = 8000;

/**
 * Runs `lrscope` with these words, until its records go to a folder.
 * @param told hears what it says from then on, with the folder
 * @returns the folder
 * @throws ArgumentError with what it said where it ends before
 */
export async function startStudy(
  words: readonly string[],
  told: (path: string, event: StudyEvent) => void,
): Promise<string> {
  const child = spawn(process.execPath, [COMMAND, ...words, "--events", "-"], {
    // Ctrl-C in the server's terminal ends the server alone.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said = `${said}${text}`.slice(-MOST_SAID);
  });
  const ended = endOf(child, () => said);
  let path: string | null = null;
  const began = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = eventIn(line);
      if (!event) return;
      if (path === null && "path" in event) {
        path = event.path;
        resolve(path);
      }
      if (path !== null) told(path, event);
    });
  });
  // How it ends later, its records say.
  ended.catch(() => undefined);
  return Promise.race([began, ended]);
}

/** Rejects with the last that it said. */
async function endOf(child: ChildProcess, said: () => string): Promise<never> {
  const [code] = (await once(child, "close")) as [number | null];
  const words = said()
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("lrscope: "));
  throw new ArgumentError(
    words.at(-1)?.replace(/^lrscope: /, "") ?? `the study ended (${code}) before it began`,
  );
}

function eventIn(line: string): StudyEvent | null {
  try {
    return studyEvent.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * Asks the process that works in a folder to end after the update under way, and waits until it has.
 * @throws StoreError, exit code 2, where nobody works in it, or somebody on another machine does
 */
export async function endStudy(path: string): Promise<void> {
  const holder = leaseHolder(path);
  if (!holder) throw new StoreError("the study is not running", { exitCode: 2 });
  if (whereIs(holder) !== "here")
    throw new StoreError(
      `the study runs in process ${holder.pid} of another machine, which cannot be reached from here; end it there`,
      { exitCode: 2 },
    );
  process.kill(holder.pid, "SIGINT");
  for (let look = 0; look < LOOKS; look++) {
    const now = leaseHolder(path);
    if (!now || now.pid !== holder.pid) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  throw new StoreError(`process ${holder.pid} has not ended yet; it ends after its update`, {
    exitCode: 2,
  });
}
