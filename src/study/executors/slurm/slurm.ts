/**
 * @file Tasks as arrays of jobs of a Slurm cluster whose nodes see the run directory. Slurm says what waits and
 * what runs; of what is not listed any more, as finished jobs vanish, the store says what became of it.
 */

import { mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { quietly } from "../../../core/cleanup.ts";
import { ArgumentError } from "../../../core/errors.ts";
import { isSourceName } from "../../../datasets/sources/source-names.ts";
import { type TaskFile, taskFile, versioned } from "../../../record/index.ts";
import { digestOf, readRecord, SLURM_NOTES, writeFailure } from "../../../store/index.ts";
import { isModelFile } from "../../load-model.ts";
import type { StudyPlaces } from "../../places.ts";
import { isWeightsFile } from "../../weights-file.ts";
import type { ExecutorContext } from "../child-process.ts";
import { eventStream } from "../event-stream.ts";
import type { Executor, ExecutorEvent, SubmittedTask } from "../executor.ts";
import { type AttemptEnd, placeIn } from "../local-executor.ts";
import { checkMixedTask } from "../mixed.ts";
import { logOf, tailOf, textOfLog } from "../process-end.ts";
import { reported } from "../reported-error.ts";
import { atTime, MOST_NAMED, tellWorkers, type Workers } from "../tell-workers.ts";
import { readEnd, type TrialEnd } from "../trial-end.ts";
import { type StoreWatch, watchTask } from "../watch-store.ts";
import {
  cancelNow,
  cancelTasks,
  hasEnded,
  type ListedTask,
  listTasks,
  mostInArray,
  submitArray,
  unusualReason,
} from "./commands.ts";
import { type ArrayTask, batchScript, endFile } from "./script.ts";

export interface SlurmOptions {
  /** Options of sbatch: "--partition=main", "--time=4:00:00". */
  readonly options?: readonly string[];
  /** Lines of bash before each task: "module load nodejs". */
  readonly setup?: string;
  /** Greatest number of tasks at a time; default: as the cluster has it. */
  readonly atATime?: number;
  /** Whether nodes whose plan differs run tasks, too; default false. */
  readonly mixed?: boolean;
}

/** What lrscope says to sbatch itself. */
const OWN = /^(-a|--array|--wrap|-J|--job-name|--parsable|--test-only|-W|--wait)(=|$)/;

/** Milliseconds between two looks at the records, and at the queue: from the first, twice as many where nothing changes. */
const LOOK = 1000;
const LONGEST = 15_000;

/** One attempt that Slurm has. */
interface Live extends ArrayTask {
  /** One of a higher priority is submitted before those that wait. */
  readonly priority: number;
  readonly job: string;
  readonly index: number;
  readonly logged: number;
  readonly watch: StoreWatch;
  running: boolean;
  /** Milliseconds since 1970: when it was seen to run; and where. */
  since: number;
  node: string;
  /** Listed as ended, or not at all, when it was last looked for. */
  missed: boolean;
  stopping: boolean;
}

type Waiting = Omit<Live, "job" | "index">;

/**
 * An executor of Slurm. Its commands are those of this machine.
 * @throws ArgumentError for options that it sets itself
 */
export function slurm(options: SlurmOptions = {}): (context: ExecutorContext) => Executor {
  for (const option of options.options ?? [])
    if (OWN.test(option))
      throw new ArgumentError(
        `--slurm-options: ${option} is set by lrscope, as each run is a task of one array; leave it out`,
      );
  return (context) => slurmExecutor(options, context);
}

function slurmExecutor(options: SlurmOptions, context: ExecutorContext): Executor {
  const { directory, shared } = context;
  const path = realpathSync(directory.path);
  const notes = join(path, SLURM_NOTES);
  const name = `lrscope-${digestOf(path).slice(0, 12)}`;
  const known = new Set<string>();
  const live = new Map<string, Live>();
  const { push, end, read } = eventStream<ExecutorEvent>();
  let waiting: Waiting[] = [];
  let most = 0;
  let closed = false;
  const said = new Set<string>();
  const say = (message: string) => {
    if (said.has(message)) return;
    said.add(message);
    context.onEvent(versioned({ type: "executor", executor: "slurm", message }));
  };
  const gone = ({ key, attempt }: Pick<Waiting, "key" | "attempt">, how: AttemptEnd) => {
    live.delete(key);
    push({ key, attempt, state: "gone", ...how });
  };

  const prepare = async () => {
    if (most > 0) return;
    try {
      mkdirSync(notes, { recursive: true });
    } catch (error) {
      throw writeFailure(notes, error, "what was recorded before is kept");
    }
    most = await mostInArray();
    // Of a process that was killed; its attempts are over.
    await cancelTasks([`--name=${name}`]);
    process.on("exit", cancelAtExit);
    telling = tellWorkers(directory, standing);
  };
  /** The second Ctrl-C ends this process at once, and its jobs with it. */
  const cancelAtExit = () => {
    if (live.size > 0) cancelNow([...live.values()].map(idOf));
  };

  /** Submits what waits, as far as the cluster takes it; one call at a time. */
  let pumping: Promise<void> = Promise.resolve();
  const pump = () => {
    pumping = pumping.then(submitWaiting);
    return pumping;
  };
  const submitWaiting = async () => {
    const { atATime = Number.POSITIVE_INFINITY } = options;
    for (let size = most; waiting.length > 0; ) {
      // An array sees to that itself; of what comes beside one there are as many as may run.
      const room = live.size === 0 ? most : atATime - live.size;
      if (room <= 0) return;
      const tasks = waiting.slice(0, Math.min(size, room));
      const throttle = options.atATime === undefined ? "" : `%${atATime}`;
      const submitted = await submitArray(
        batchScript({
          ...{ tasks, notes, setup: options.setup ?? "" },
          lrscope: [process.execPath, "--max-semi-space-size=1", "--expose-gc", ENTRY],
          places: [...placesOf(shared.setup), ...(options.mixed ? ["--mixed"] : [])],
        }),
        [
          ...[`--job-name=${name}`, `--array=0-${tasks.length - 1}${throttle}`, "--requeue"],
          ...[`--cpus-per-task=${shared.setup.threads ?? 1}`, "--signal=B:USR1@60"],
          ...[`--chdir=${path}`, `--output=${join(notes, "%A_%a.out")}`, "--open-mode=append"],
        ],
        { options: options.options ?? [], path },
      );
      if ("wait" in submitted) {
        const { wait, said } = submitted;
        if (wait === "away")
          return say(`Slurm does not answer (${said}): waits, and submits the rest when it does`);
        if (tasks.length > 1) {
          size = Math.ceil(tasks.length / 2);
          continue;
        }
        return say(
          `the cluster takes no more of this user's tasks for now (${said}): the rest waits, and is submitted as others end`,
        );
      }
      const { job } = submitted;
      waiting = waiting.slice(tasks.length);
      tasks.forEach((task, index) => void live.set(task.key, { ...task, job, index }));
    }
  };

  /** What became of one that runs no more: by its own word, else by Slurm's. */
  const endOf = (task: Live, listed: ListedTask | undefined): AttemptEnd => {
    const ended = endedOf(notes, task);
    if (ended) return ended.error ? { error: ended.error } : {};
    if (task.stopping) return { detail: "it was cancelled" };
    const log = textOfLog(task.log).slice(task.logged);
    const printed = textOfLog(join(notes, `${task.job}_${task.index}.out`));
    const lines = tailOf(log.trim() === "" ? printed : log);
    const last = lines.at(-1);
    const detail = `its job ${idOf(task)} ended${listed ? ` as ${listed.state}` : ""} before it had${last === undefined ? "" : `; last in its log: ${last}`}`;
    return { detail, ended: { exitCode: null, signal: null, log: lines } };
  };

  const lookAtQueue = async (): Promise<boolean> => {
    const jobs = [...new Set([...live.values()].map(({ job }) => job))];
    if (jobs.length === 0) return false;
    const listed = await listTasks(jobs);
    if (!listed) {
      say("Slurm cannot be asked what runs just now: waits, and asks again");
      return false;
    }
    let changed = false;
    for (const task of [...live.values()]) {
      const found = listed.get(idOf(task));
      if (found && !hasEnded(found)) {
        task.missed = false;
        const reason = unusualReason(found);
        if (reason !== null && /held/i.test(reason))
          say(`task ${idOf(task)} is held (${reason}): scontrol release ${idOf(task)}`);
        else if (reason !== null)
          say(`tasks of job ${task.job} wait for more than their turn: Slurm says ${reason}`);
        task.node = found.node;
        if (found.state === "RUNNING" && !task.running) changed = run(task);
        continue;
      }
      // One that is given back to the queue is listed as ended for a moment.
      if (!task.missed && !task.stopping) {
        task.missed = true;
        changed = true;
        continue;
      }
      if (!task.stopping || task.running) run(task);
      task.watch.look();
      gone(task, endOf(task, found));
      changed = true;
    }
    return changed;
  };
  const run = (task: Live): true => {
    if (!task.running) push({ key: task.key, attempt: task.attempt, state: "running" });
    if (!task.running) task.since = Date.now();
    task.running = true;
    return true;
  };

  const lookAtRecords = () => {
    for (const task of [...live.values()]) {
      task.watch.look();
      const ended = endedOf(notes, task);
      // Interrupted by its time limit it goes on later.
      if (!ended || (ended.error?.code === "INTERRUPTED" && !task.stopping)) continue;
      task.watch.look();
      run(task);
      gone(task, endOf(task, undefined));
    }
  };

  const standing = (): Workers => {
    const tasks = [...live.values()];
    const next = [...tasks.filter(({ running }) => !running), ...waiting];
    return {
      ...{ executor: "slurm", lease: null, workers: [], refused: 0, lastRefused: null },
      running: tasks
        .filter(({ running }) => running)
        .map((task) => ({
          ...{ key: task.key, attempt: task.attempt, turn: null, leaseLeft: null },
          worker: `job ${idOf(task)}${task.node === "" ? "" : ` on ${task.node}`}`,
          since: atTime(task.since),
          heard: heardOf(task),
        })),
      ...{ waiting: next.length, next: next.slice(0, MOST_NAMED).map(({ key }) => key) },
    };
  };
  let telling: ReturnType<typeof tellWorkers> | undefined;

  let wake: () => void = () => undefined;
  const watch = async () => {
    for (let wait = LOOK, until = 0; !closed; ) {
      if (live.size + waiting.length > 0) {
        lookAtRecords();
        if (performance.now() >= until) {
          const changed = await lookAtQueue();
          wait = changed ? LOOK : Math.min(2 * wait, LONGEST);
          until = performance.now() + wait - LOOK / 2;
        }
        await pump();
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, LOOK);
      });
    }
  };
  // What it throws is how the attempts end that are left: so their submitter hears of it.
  const watching = watch().catch((error) => {
    for (const task of [...live.values(), ...waiting.splice(0)]) {
      push({ key: task.key, attempt: task.attempt, state: "running" });
      gone(task, { error: reported(error) });
    }
  });

  const stopping = new Set<string>();
  /** All that were asked to end at once are ended by one command. */
  const stopAsked = async () => {
    const ids = [...stopping];
    stopping.clear();
    await cancelTasks(["--state=PENDING", ...ids]);
    await cancelTasks(["--batch", "--signal=TERM", ...ids]);
    wake();
  };

  return {
    name: "slurm",
    async submit(tasks) {
      await prepare();
      for (const task of tasks) {
        const { key, attempt } = task;
        if (known.has(`${key} ${attempt}`)) continue;
        known.add(`${key} ${attempt}`);
        const file = readRecord(task.task, taskFile);
        checkMixedTask(file, options.mixed);
        waiting.splice(placeIn(waiting, task), 0, waitingOf(task, file, context));
        push({ key, attempt, state: "queued" });
      }
      await pump();
    },
    events: read,
    async cancel(key, how) {
      for (const task of waiting.filter((task) => task.key === key))
        gone(task, { detail: "it was cancelled before it began" });
      waiting = waiting.filter((task) => task.key !== key);
      const task = live.get(key);
      if (!task) return;
      task.stopping = true;
      if (how === "now") return cancelTasks([idOf(task)]);
      stopping.add(idOf(task));
      if (stopping.size === 1) setImmediate(() => void stopAsked().catch(() => undefined));
    },
    async close() {
      for (const task of waiting.splice(0))
        gone(task, { detail: "it was cancelled before it began" });
      await pumping.catch(() => undefined);
      const left = [...live.values()];
      for (const task of left) task.stopping = true;
      if (left.length > 0) await cancelTasks(left.map(idOf));
      while (live.size > 0 && !(await lookAtQueue().then(() => live.size === 0)))
        await new Promise((resolve) => setTimeout(resolve, LOOK));
      closed = true;
      wake();
      await watching;
      process.off("exit", cancelAtExit);
      telling?.close();
      quietly(() => rmSync(notes, { recursive: true, force: true }));
      end();
    },
  };
}

const idOf = ({ job, index }: Pick<Live, "job" | "index">): string => `${job}_${index}`;

/** When its records grew last; null before the first. */
const heardOf = ({ epochs }: Live): string | null => {
  const found = epochs === "" ? undefined : statSync(epochs, { throwIfNoEntry: false });
  return found ? atTime(found.mtimeMs) : null;
};

/** null where it has not said how it ended. */
const endedOf = (notes: string, task: Live): TrialEnd | null =>
  readEnd(join(notes, endFile(task)), task.attempt);

function waitingOf(
  { key, attempt, task, priority = 0 }: SubmittedTask,
  file: TaskFile,
  { directory, onEvent }: ExecutorContext,
): Waiting {
  const log = resolve(logOf(file.task, directory));
  const { task: what } = file;
  return {
    ...{ key, attempt, priority, task: resolve(task), log, logged: textOfLog(log).length },
    epochs:
      what.kind === "trial"
        ? resolve(directory.trialFile(what.slug, what.seed, "metrics.jsonl"))
        : "",
    watch: watchTask(file, directory, onEvent),
    ...{ running: false, since: 0, node: "", missed: false, stopping: false },
  };
}

/** Paths of this machine, which the nodes share. */
const placesOf = ({ source, model, pretrained }: StudyPlaces): string[] => [
  ...(isSourceName(source) ? [] : ["--source", resolve(source)]),
  ...(isModelFile(model) ? ["--model", resolve(model)] : []),
  ...(pretrained !== undefined && isWeightsFile(pretrained)
    ? ["--pretrained", resolve(pretrained)]
    : []),
];

/** The compiled command line. */
const ENTRY = fileURLToPath(new URL("../../../../bin/lrscope.js", import.meta.url));
