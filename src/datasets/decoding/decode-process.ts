/**
 * @file The process in which images are decoded, started by decode-child.ts. What its decoders make of
 * hostile bytes ends with it: it holds no state that outlives a file, and is held to limits of memory and
 * of processor time.
 */

import { writeFileSync } from "node:fs";
import { at } from "../../core/at.ts";
import { loadAddon } from "../../engine/native/addon/index.ts";
import { BEGUN, decodeImages } from "./decode.ts";
import {
  type DecoderSettings,
  type DecodeTask,
  type FromDecoder,
  SHARED_DESCRIPTOR,
  sharedLayout,
  type ToDecoder,
} from "./decode-messages.ts";

const MIB = 2 ** 20;
/** Milliseconds between two looks at the processor time. */
const LOOK_EVERY = 250;
/** MiB that threads, JavaScript and libraries loaded later take, whatever the file. */
const SLACK = 256;

// Without a parent nobody reads the pixels.
const die = () => process.kill(process.pid, "SIGKILL");
process.on("disconnect", die);
// A terminal sends Ctrl-C to all of its processes; the parent says what it means.
process.on("SIGINT", () => undefined);

const say = (message: FromDecoder) =>
  process.send?.(message, undefined, undefined, (error) => error && die());

let settings: DecoderSettings;
let shared: Uint8Array;
let last: Promise<void> = Promise.resolve();

process.on("message", (message: ToDecoder) => {
  if (message.type === "start") start(message.settings);
  // One after another, so that the oldest task is the one under way.
  else last = last.then(() => run(message.task));
});

function start(given: DecoderSettings): void {
  settings = given;
  const addon = loadAddon();
  shared = addon.mapSharedMemory(SHARED_DESCRIPTOR, sharedLayout(settings).bytes);
  preferToDie();
  const { memory } = settings.limits;
  const most = (memory * settings.threads + SLACK + 16 * settings.threads) * MIB;
  const limited = addon.limitMemory(most);
  say({ type: "ready", held: limited && addon.canReserve(memory * settings.threads * MIB) });
}

/** Where the system runs out of memory, it ends this process and not the one that holds the work. */
function preferToDie(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not Linux, or not allowed.
  }
}

async function run({ files, positions, slot }: DecodeTask): Promise<void> {
  const { size, channels, threads } = settings;
  const { states, pixels } = sharedLayout(settings);
  const bytes = size * size * channels;
  const own = states(shared, slot);
  const target = pixels(shared, slot);
  // Files that are left of a list whose process died have gaps between them.
  const [first = 0] = positions;
  const gapless = positions.every((position, j) => position === first + j);
  const from = first * bytes;
  const into = gapless
    ? target.subarray(from, from + files.length * bytes)
    : new Uint8Array(files.length * bytes);
  const watch = watchProcessorTime(own.subarray(0, files.length));
  try {
    const failures = await decodeImages(files, into, { size, channels, threads, states: own });
    if (!gapless)
      for (const [j, position] of positions.entries())
        target.set(into.subarray(j * bytes, (j + 1) * bytes), position * bytes);
    say({ type: "done", failures });
  } finally {
    clearInterval(watch);
  }
}

/**
 * Says which files took longer than they may. The system knows the processor time of the whole process;
 * it is shared out evenly among the files that are under way, which is right for one alone, and for
 * several good enough to say whom to look at alone.
 */
function watchProcessorTime(states: Uint8Array): NodeJS.Timeout {
  const { processorSeconds } = settings.limits;
  const used = new Float64Array(states.length);
  let before = processorTime();
  const look = () => {
    const now = processorTime();
    const begun = [...states.keys()].filter((j) => states[j] === BEGUN);
    for (const j of begun) used[j] = at(used, j, "used") + (now - before) / begun.length;
    before = now;
    const slow = begun.filter((j) => at(used, j, "used") > processorSeconds);
    if (slow.length > 0) say({ type: "slow", files: slow });
    // Should this thread come to hang, the system ends the process.
    loadAddon().limitProcessorTime(Math.ceil(now + 2 * processorSeconds * settings.threads + 10));
  };
  look();
  return setInterval(look, LOOK_EVERY);
}

/** Seconds, of all threads. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
