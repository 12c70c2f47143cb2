/** @file Other frameworks as processes beside ours, which run training steps when asked. */

import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface PeerOptions {
  readonly model: string;
  readonly batch: number;
  readonly channels: number;
  readonly size: number;
  readonly classes: number;
  readonly threads: number;
}

export interface Peer {
  /** "pytorch 1.13.1, channels_last, 2 threads" */
  readonly name: string;
  /** Its parameters, to be compared with ours: a peer of another size is no peer. */
  readonly parameters: number;
  /** Milliseconds of each of so many training steps. */
  run(steps: number): Promise<number[]>;
  /** Ends the process; idempotent. */
  close(): void;
}

/** In order: the one on the PATH, then the system's, which has Debian's packages. */
const PYTHONS = ["python3", "/usr/bin/python3"];
const SCRIPT = fileURLToPath(new URL("../../bench/peers/torch_step.py", import.meta.url));
const START_TIMEOUT_MS = 120_000;

/**
 * glibc's allocator, told never to map large blocks one by one and never to give memory back.
 * Without, each step faults its activations in anew, and the peer is slower by 2 to 9 times.
 */
const KEEP_PAGES = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "1099511627776",
  MALLOC_TOP_PAD_: "268435456",
};

/** A Python that has PyTorch; null where none has. */
export async function findTorchPython(
  pythons: readonly string[] = PYTHONS,
): Promise<string | null> {
  for (const python of pythons) {
    const found = await promisify(execFile)(
      python,
      ["-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"],
      { timeout: START_TIMEOUT_MS },
    ).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return null;
}

/**
 * Starts PyTorch with the model built and ready to step.
 * @throws Error with the last line that the process said, where it ends before it is ready
 */
export async function startTorch(python: string, options: PeerOptions): Promise<Peer> {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(python, [SCRIPT, ...flags], {
    env: { ...process.env, ...KEEP_PAGES, OMP_NUM_THREADS: String(options.threads) },
  });
  // Rejects where the program does not exist.
  await once(child, "spawn");
  const read = lineReader(child);
  const timeout = setTimeout(() => child.kill(), START_TIMEOUT_MS);
  try {
    const { name, parameters } = (await read()) as { name: string; parameters: number };
    return {
      name,
      parameters,
      async run(steps) {
        child.stdin.write(`run ${steps}\n`);
        return ((await read()) as { ms: number[] }).ms;
      },
      close: () => void child.kill(),
    };
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    clearTimeout(timeout);
  }
}

/** The next JSON line of the process; rejects with its last words once it is gone. */
function lineReader(child: ChildProcessWithoutNullStreams): () => Promise<unknown> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // Once all that it had to say has arrived.
  const closed = once(child, "close");
  let lastWords = "";
  child.stderr.on("data", (text) => {
    lastWords = (lastWords + text).slice(-2000);
  });
  // A process that dies while we write to it shows as the end of its lines.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  return async () => {
    const { value, done } = await lines.next();
    if (done) {
      await closed;
      throw new Error(lastWords.trim().split("\n").at(-1) || "the peer ended");
    }
    return JSON.parse(value);
  };
}
