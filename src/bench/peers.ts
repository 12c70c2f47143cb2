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
  /** Of its top-level modules, the first that is trained; default "all". */
  readonly trainFrom?: string;
  /** "bf16": tuned, it runs under autocast; default "fp32". */
  readonly precision?: "fp32" | "bf16";
  /** Of vanilla: "32,64,128"; default its own. */
  readonly widths?: string;
  /** Default: channels_last where tuned. */
  readonly layout?: "channels_last" | "contiguous";
  /** 1: through torch.compile; default 0, eager. */
  readonly compile?: 0 | 1;
}

export interface Peer {
  /** "pytorch 1.13.1, channels_last, 2 threads" */
  readonly name: string;
  /** Its parameters (0 where it has none to compare), to be compared with ours: a peer of another size is no peer. */
  readonly parameters: number;
  /** Milliseconds of each of so many training steps. */
  run(steps: number): Promise<number[]>;
  /** Greatest resident memory of the process so far, in 2^20 bytes. */
  peakMiB(): Promise<number>;
  /** Ends the process; idempotent. */
  close(): void;
}

/** Noted where the network is a file of the user's own. */
export const NO_PEER =
  "PyTorch has no network like the one in the file, and is not measured beside it";

/** In order: the one that scripts/bench-peers makes, the one on the PATH, the system's, which has Debian's packages. */
const PYTHONS = [
  fileURLToPath(new URL("../../bench/.venv/bin/python", import.meta.url)),
  "python3",
  "/usr/bin/python3",
];
const PEERS = new URL("../../bench/peers/", import.meta.url);
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

/** A Python that has PyTorch, and which. */
export interface TorchPython {
  readonly python: string;
  readonly version: string;
}

/** Every PyTorch that a Python here has, each version once, in the order of the Pythons. */
export async function findTorchPythons(
  pythons: readonly string[] = PYTHONS,
): Promise<TorchPython[]> {
  const found: TorchPython[] = [];
  for (const python of pythons) {
    const version = await promisify(execFile)(
      python,
      ["-c", "import importlib.metadata as m; print(m.version('torch'))"],
      { timeout: START_TIMEOUT_MS },
    ).then(
      ({ stdout }) => stdout.trim().replace(/\+.*/, ""),
      () => "",
    );
    if (/^\d/.test(version) && found.every((other) => other.version !== version))
      found.push({ python, version });
  }
  return found;
}

/** The first Python that has PyTorch; null where none has. */
export const findTorchPython = async (pythons?: readonly string[]): Promise<string | null> =>
  (await findTorchPythons(pythons))[0]?.python ?? null;

/** How a peer is set up. */
export type PeerSetting = "as installed" | "tuned";

/**
 * Starts PyTorch with the model built and ready to step. As installed: PyTorch's defaults; tuned:
 * channels_last, and an allocator that keeps its pages.
 * @throws Error with the last line that the process said, where it ends before it is ready
 */
export const startTorch = (
  python: string,
  options: PeerOptions,
  setting: PeerSetting = "tuned",
): Promise<Peer> =>
  startPeer(python, "torch_step.py", {
    flags: { ...options, tuned: setting === "tuned" ? 1 : 0 },
    threads: options.threads,
    setting,
  });

/**
 * Starts a script of bench/peers, which answers "run N" with the milliseconds of N repetitions.
 * @throws Error with the last line that the process said, where it ends before it is ready
 */
export async function startPeer(
  python: string,
  script: string,
  options: {
    readonly flags: Readonly<Record<string, string | number>>;
    readonly threads: number;
    readonly setting: PeerSetting;
  },
): Promise<Peer> {
  const flags = Object.entries(options.flags).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const child = spawn(python, [fileURLToPath(new URL(script, PEERS)), ...flags], {
    env: {
      ...process.env,
      ...(options.setting === "tuned" ? KEEP_PAGES : {}),
      OMP_NUM_THREADS: String(options.threads),
    },
  });
  // Rejects where the program does not exist.
  await once(child, "spawn");
  const read = lineReader(child);
  const timeout = setTimeout(() => child.kill(), START_TIMEOUT_MS);
  const ask = async (line: string) => {
    child.stdin.write(`${line}\n`);
    return await read();
  };
  try {
    const { name, parameters = 0 } = (await read()) as { name: string; parameters?: number };
    return {
      name,
      parameters,
      run: async (steps) => ((await ask(`run ${steps}`)) as { ms: number[] }).ms,
      peakMiB: async () => ((await ask("peak 0")) as { peakMiB: number }).peakMiB,
      close: () => void child.kill(),
    };
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    clearTimeout(timeout);
  }
}

/**
 * A peer, or a note that says why it is absent.
 * @param start null Python: none has PyTorch
 */
export async function openPeer(
  start: (python: string) => Promise<Peer>,
  notes: string[],
): Promise<Peer | null> {
  const python = await findTorchPython();
  if (python === null) {
    notes.push(
      "PyTorch was not measured: no python3 has it (in a clone: scripts/bench-peers; Debian: apt-get install python3-torch)",
    );
    return null;
  }
  try {
    return await start(python);
  } catch (error) {
    notes.push(`PyTorch was not measured: ${(error as Error).message}`);
    return null;
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
