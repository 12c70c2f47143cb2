/** @file A decoding process, as its parent sees it. */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ended } from "../../files/child-end.ts";
import type { DecodeFailure } from "./decode.ts";
import type { DecoderSettings, DecodeTask, FromDecoder, ToDecoder } from "./decode-messages.ts";

/** What came of a task. */
export type TaskOutcome =
  | { readonly type: "done"; readonly failures: readonly (DecodeFailure | null)[] }
  | Death;

/** The process ended before the task was done. */
export interface Death {
  readonly type: "died";
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It died before it could decode anything. */
  readonly stillborn: boolean;
  /** The task was under way, and not waiting for another. */
  readonly underWay: boolean;
  /** Files, by place in the task's list, for whose processor time it was ended; else null. */
  readonly slow: readonly number[] | null;
  /** What it printed last. */
  readonly said: string;
}

export interface DecodeChild {
  readonly pid: number | undefined;
  /** Whether a lack of memory in it is the fault of the file; known once a task is done or died. */
  readonly held: boolean;
  readonly alive: boolean;
  /** One after another; never rejects. */
  run(task: DecodeTask): Promise<TaskOutcome>;
  /** Ends the process at once, and with it the tasks that are not done. */
  kill(): void;
}

/** The compiled entry; sources are run by tests only, which build it first. */
const ENTRY = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts")
      ? "../../../dist/datasets/decoding/decode-process.js"
      : "./decode-process.js",
    import.meta.url,
  ),
);

/** Characters of its last words that are kept. */
const MOST_SAID = 4096;

/** @param descriptor of the memory that it is to write states and pixels to */
export function startDecodeChild(settings: DecoderSettings, descriptor: number): DecodeChild {
  const child = fork(ENTRY, [], {
    stdio: ["ignore", "ignore", "pipe", "ipc", descriptor],
    execArgv: ["--max-semi-space-size=1"],
  });
  // Said by `ended` too: a process that could not be started has no number.
  child.on("error", () => undefined);
  const tell = (message: ToDecoder) => child.connected && child.send(message, () => undefined);
  const waiting: ((outcome: TaskOutcome) => void)[] = [];
  let ready: Extract<FromDecoder, { type: "ready" }> | undefined;
  let slow: readonly number[] | null = null;
  let death: Death | undefined;
  let said = "";
  const kill = () => {
    child.kill("SIGKILL");
  };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-MOST_SAID);
  });
  child.on("message", (message: FromDecoder) => {
    if (message.type === "ready") ready = message;
    else if (message.type === "done") {
      slow = null;
      waiting.shift()?.(message);
    } else {
      slow ??= message.files;
      kill();
    }
  });
  void ended(child, "close").then(([exitCode, signal]) => {
    const common = {
      type: "died",
      exitCode,
      signal,
      stillborn: ready === undefined,
      said,
    } as const;
    death = { ...common, underWay: false, slow: null };
    for (const [i, settle] of waiting.splice(0).entries())
      settle({ ...common, underWay: i === 0, slow: i === 0 ? slow : null });
  });
  tell({ type: "start", settings });
  return {
    pid: child.pid,
    get held() {
      return ready?.held ?? false;
    },
    get alive() {
      return death === undefined && child.exitCode === null && child.signalCode === null;
    },
    run(task) {
      if (death) return Promise.resolve(death);
      return new Promise((settle) => {
        waiting.push(settle);
        tell({ type: "decode", task });
      });
    },
    kill,
  };
}
