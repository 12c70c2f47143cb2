/** @file Commands of lrscope as processes of a test: what they say, and the runs that workers have under way. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));

/** Milliseconds for whole tests; what is awaited in them may take half of it. */
export const PATIENCE = 360_000;

/** A network's file: of so few weights that what is told of them takes no time. */
export const NETWORK = `import { layers } from "lrscope";
const { conv2d, relu, globalAveragePool, linear, sequential } = layers;
export const network = ({ classes, channels, size }) =>
  layers.network({ name: "my-net", inputShape: [channels, size, size], classes,
    layer: sequential([
      conv2d({ channels: 4, kernel: 3 }), relu(), globalAveragePool(), linear({ features: classes }),
    ]) });
`;

export type Spoken = ChildProcess & {
  /** All that it has printed. */
  said(): string;
};

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command before it: ["ip", "netns", "exec", "one"]. */
  readonly within?: readonly string[];
}

export interface Commands {
  run(args: readonly string[], options?: RunOptions): Spoken;
  /** Ends those that are left. */
  end(): void;
}

export function commands(): Commands {
  const started: ChildProcess[] = [];
  return {
    run(args, { cwd, env, within = [] } = {}) {
      let text = "";
      const [program = "", ...rest] = [...within, process.execPath, bin, ...args];
      const child = spawn(program, rest, {
        stdio: ["ignore", "pipe", "pipe"],
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
      });
      started.push(child);
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (data) => {
          text += data;
        });
      return Object.assign(child, { said: () => text });
    },
    end() {
      for (const child of started) child.kill("SIGKILL");
    },
  };
}

/** Its exit code, once it has ended; null where a signal ended it. */
export const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    child.on("exit", resolve);
  });

/** What holds at last. */
export async function until<T>(
  what: string,
  holds: () => T | undefined | false | null,
): Promise<T> {
  const end = Date.now() + PATIENCE / 2;
  for (;;) {
    const found = holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A worker's process that has a run. */
export interface RunUnderWay {
  readonly pid: number;
  readonly key: string;
  readonly worker: ChildProcess;
}

export const runsOf = (workers: readonly ChildProcess[]): RunUnderWay[] =>
  workers.flatMap((worker) =>
    spawnSync("ps", ["-o", "pid=,args=", "--ppid", `${worker.pid}`], { encoding: "utf8" })
      .stdout.split("\n")
      .flatMap((line) => {
        const [, pid, key] = /^\s*(\d+) lrscope run (\S+)/.exec(line) ?? [];
        return key === undefined ? [] : [{ pid: Number(pid), key, worker }];
      }),
  );
