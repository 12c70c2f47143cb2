/**
 * @file The process of one task of a worker: opens what the study trains, keeps the lease, and tells what comes of
 * the task to the process that holds the run directory. It ends with the worker.
 */

import { Worker } from "node:worker_threads";
import { InterruptedError } from "../../core/errors.ts";
import { garbageCollector } from "../executors/collect-garbage.ts";
import { reported } from "../executors/reported-error.ts";
import { runWith } from "../executors/run-task.ts";
import { openWire } from "../executors/wire/client.ts";
import { mostWeights } from "../executors/wire/kept-weights.ts";
import { studyDescription } from "../executors/wire/messages.ts";
import { isOver } from "../executors/wire/refusal.ts";
import { wireStore } from "../executors/wire/wire-store.ts";
import type { FromLease, FromTask, LeaseOptions, TaskEnd, ToTask } from "./messages.ts";
import { openForStudy, Unfit } from "./open-for-study.ts";

// Without a worker nobody gives the job back.
const die = () => process.kill(process.pid, "SIGKILL");
process.on("disconnect", die);
if (!process.connected) die();
// A terminal sends Ctrl-C to all of its processes; the worker says what it means.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => undefined);

const tell = (message: FromTask, then?: () => void) =>
  process.send?.(message, undefined, undefined, (error) => (error ? die() : then?.()));

/** What ended the work from outside: the lease was lost, the study is gone. */
class Over extends Error {}

/** The worker leaves, and there is nobody whom it could tell. */
class Left extends Error {}
/** Milliseconds between two looks whether there is. */
const LOOK = 1000;

const leaving = new AbortController();

process.on("message", (message: ToTask) => {
  if (message.type === "stop") leaving.abort();
  else
    void run(message)
      .catch((error): TaskEnd => {
        if (error instanceof Unfit) return { how: "unfit", reason: error.message };
        if (error instanceof Left) return { how: "given back" };
        if (error instanceof Over || isOver(error)) return { how: "over", reason: error.message };
        return { how: "failed", reason: error instanceof Error ? error.message : String(error) };
      })
      .then((end) => tell({ type: "end", ...end }, () => process.exit(0)));
});

async function run({
  redis,
  study,
  job,
  worker,
  files,
}: Extract<ToTask, { type: "start" }>): Promise<TaskEnd> {
  const over = new AbortController();
  const say = (text: string) => tell({ type: "say", message: text });
  const wire = openWire({ ...study, signal: over.signal, say });
  let hasBegun = false;
  const leave = () => {
    if (!hasBegun || wire.isLost()) over.abort(new Left());
  };
  leaving.signal.addEventListener("abort", () => {
    leave();
    setInterval(leave, LOOK).unref();
  });
  const description = await wire.ask({ method: "GET", path: "study" }, studyDescription);
  if (job === null) {
    const optimizer = { name: "sgd", hyperparameters: {} };
    const { signal } = leaving;
    const { dataset } = await openForStudy(description, optimizer, { files, wire, signal });
    dataset.close();
    return { how: "done" };
  }
  // As lists of processes show it.
  process.title = `lrscope run ${job.key}`;
  let hold: () => void = () => undefined;
  const held = new Promise<void>((resolve, reject) => {
    hold = resolve;
    over.signal.addEventListener("abort", () => reject(over.signal.reason));
  });
  held.catch(() => undefined);
  const lease = keepLease({ redis, queue: study.id, job, lease: study.lease }, (message) => {
    if (message.type === "say") return say(message.message);
    if (message.type === "lost")
      return over.abort(new Over(`${job.key}: its lease ended, and it may be with another worker`));
    tell({ type: "leased" });
    hold();
  });
  // From here on the task is this process's alone, and lost with it.
  await held;
  const store = wireStore(wire, { ...job, mostWeights: mostWeights(description.plan) });
  const file = await store.take(worker);
  tell({ type: "begun", turn: store.turn() });
  hasBegun = true;
  /** Of this worker, or of the study. */
  const stop = new AbortController();
  leaving.signal.addEventListener("abort", () => stop.abort());
  if (leaving.signal.aborted) stop.abort();
  over.signal.addEventListener("abort", () => stop.abort());
  let ending = false;
  store.stopAsked().then(
    () => stop.abort(),
    // Once it is told how it ended, the turn is over in any case.
    (error) => ending || over.abort(error),
  );
  const collectGarbage = garbageCollector();
  try {
    await runWith(store, {
      ...{ task: file.task, dataset: description.dataset, signal: stop.signal },
      plan: { ...description.plan, processor: description.processor },
      mixed: description.mixed,
      open: () =>
        openForStudy(description, file.task.optimizer, { files, wire, signal: stop.signal }),
      onEvent(event) {
        if (event.type === "checkpoint") collectGarbage();
      },
    });
    ending = true;
    await store.end({ how: "ended", error: null });
  } catch (error) {
    if (over.signal.aborted) throw over.signal.reason;
    if (isOver(error)) throw error;
    ending = true;
    const given = error instanceof InterruptedError && leaving.signal.aborted;
    await store.end(
      given || error instanceof Unfit
        ? { how: "given back" }
        : { how: "ended", error: reported(error) },
    );
    if (error instanceof Unfit) throw error;
    return { how: given ? "given back" : "done" };
  } finally {
    void lease.terminate();
  }
  return { how: "done" };
}

function keepLease(options: LeaseOptions, hear: (message: FromLease) => void): Worker {
  const thread = new Worker(new URL("./lease-process.js", import.meta.url), {
    workerData: options,
    // Renewing takes little.
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 },
  });
  thread.on("message", hear);
  // A lease that is not kept ends: whoever takes the task over is then the one who writes.
  thread.on("error", (error) => hear({ type: "say", message: `the lease: ${error.message}` }));
  return thread;
}
