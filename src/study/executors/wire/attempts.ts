/**
 * @file What is accepted of workers, by the one process that holds the run directory. A task that is open may be
 * begun, again and again: each time is a turn, and only the newest one writes. What is accepted is recorded at once,
 * as a trial's own process would record it.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { quietly } from "../../../core/cleanup.ts";
import { differences } from "../../../core/differences.ts";
import { StoreError } from "../../../core/errors.ts";
import { temporaryFor } from "../../../files/temporaries.ts";
import {
  type EpochMetrics,
  epochMetrics,
  type ProcessEnd,
  type StudyEvent,
  type TaskFile,
} from "../../../record/index.ts";
import {
  checkAttempt,
  openRunDirectory,
  placeFile,
  type RunDirectory,
  readLines,
  writeCheckpoint,
} from "../../../store/index.ts";
import { type Recorder, recordTrial } from "../../recorder.ts";
import type { ReportedError } from "../executor.ts";
import type { AttemptEnd } from "../local-executor.ts";
import { reported } from "../reported-error.ts";
import { trialOnDisk } from "../restore-trial.ts";
import { hasEnded, leaseTrial, machinesOfTrial, otherMetrics } from "../task-store.ts";
import { checkSubject } from "./check-subject.ts";
import { BEST, checkSent, describeBest, describeFile, keepSent } from "./kept-weights.ts";
import type { Granted } from "./messages.ts";
import { Refusal } from "./refusal.ts";
import type { Attempts, AttemptsOptions, Turn } from "./turns.ts";

/** So often a task's process may die within one epoch before the task counts as one that kills it. */
const MOST_DEATHS = 3;
/** So often a task may be taken over, within one epoch, from workers that are not heard of any more. */
const MOST_LOST = 20;
/** Seconds that the process which an earlier call left in a trial's folder is waited for. */
const PATIENCE = 90;

interface Open {
  readonly file: TaskFile;
  readonly directory: RunDirectory;
  recorder: Recorder;
  turn: number;
  /** null: nobody has it. */
  worker: string | null;
  /** Epochs that were accepted. */
  epochs: number;
  seq: number;
  answer: Granted;
  /** Path of the checkpoint that its turn goes on from; null at the beginning. */
  checkpoint: string | null;
  stopping: boolean;
  /** Milliseconds since 1970: when its turn began, and when it was heard of last. */
  since: number;
  heard: number;
  /** Deaths, and workers that were lost, since the newest epoch. */
  deaths: number;
  lost: number;
  /** Told of an order. */
  waiting: (() => void)[];
}

export function attempts(options: AttemptsOptions): Attempts {
  const { directory, onEvent, say } = options;
  const { path, fence } = directory;
  const tasks = new Map<string, Open>();
  const told = new Set<string>();
  let [refused, lastRefused] = [0, null as string | null];

  const refuseStale = ({ key, attempt, turn }: Turn, what: string): never => {
    const current = tasks.get(key);
    const now = current
      ? `${current.file.attempt}.${current.turn}${current.worker === null ? "" : ` of ${current.worker}`}`
      : "none: the task has ended, or was never submitted";
    const message = `refused ${what} of attempt ${attempt}.${turn} at ${key}: the current one is ${now}`;
    refused += 1;
    lastRefused = message;
    const first = `${key} ${attempt} ${turn} ${what}`;
    if (!told.has(first)) {
      told.add(first);
      if (current) logOf(current, message);
      say(message);
    }
    throw new Refusal("stale", message);
  };
  const logOf = ({ file: { task } }: Open, text: string) => {
    if (task.kind === "trial")
      directory.appendLog(task.slug, task.seed, `${new Date().toISOString()} ${text}`);
  };
  const current = (turn: Turn, what: string): Open => {
    const open = tasks.get(turn.key);
    if (
      open &&
      open.file.attempt === turn.attempt &&
      open.turn === turn.turn &&
      open.worker !== null
    ) {
      open.heard = Date.now();
      return open;
    }
    return refuseStale(turn, what);
  };
  const gone = (open: Open, how: AttemptEnd) => {
    if (!tasks.delete(open.file.key)) return;
    open.worker = null;
    wake(open);
    options.gone(open.file, how);
  };
  const wake = (open: Open) => {
    for (const resume of open.waiting.splice(0)) resume();
  };
  /** Where the disk fails, it fails all: the study hears of it, not the worker. */
  const refusalOf = (open: Open, what: string, error: unknown): Refusal => {
    if (error instanceof Refusal) return error;
    gone(open, { error: reported(error) });
    return new Refusal("cancelled", `${open.file.key}: ${what} cannot be recorded`);
  };
  /** Grants a request once: an answer that was lost on its way is given again. */
  const once = (turn: Turn, seq: number, what: string, work: (open: Open) => Granted): Granted => {
    const open = current(turn, what);
    if (seq === open.seq) return open.answer;
    if (seq !== open.seq + 1)
      throw new Refusal(
        "replayed",
        `${what} of attempt ${turn.attempt}.${turn.turn} at ${turn.key} is number ${seq} of its turn, where ${open.seq + 1} comes next`,
      );
    let answer: Granted;
    try {
      answer = work(open);
    } catch (error) {
      throw refusalOf(open, what, error);
    }
    open.seq = seq;
    open.answer = answer;
    return answer;
  };
  const malformed = (message: string): never => {
    throw new Refusal("malformed", message);
  };
  const othersOf = ({ file: { task } }: Open): EpochMetrics[][] =>
    task.kind === "trial" && task.ends?.prune !== undefined ? otherMetrics(path, task) : [];
  const trialOf = ({ file: { task, key } }: Open) =>
    task.kind === "trial" ? task : malformed(`${key} is a range test, which has no weights`);

  const recorded = (open: Open, event: StudyEvent): Granted => {
    checkSubject(open.file, event);
    if (event.type === "epoch") {
      if (event.metrics.epoch !== open.epochs + 1)
        throw new Refusal(
          "replayed",
          `${open.file.key}: epoch ${event.metrics.epoch} was told, where epoch ${open.epochs + 1} comes next`,
        );
      open.epochs += 1;
      open.deaths = 0;
      open.lost = 0;
    }
    void open.recorder.onEvent(event);
    onEvent(event);
    return {};
  };

  return {
    open(file) {
      const own = openRunDirectory(path, {
        token: fence?.token ?? "",
        task: file,
        check() {
          fence?.check();
          checkAttempt(path, file);
        },
      });
      tasks.set(file.key, {
        ...{ file, directory: own, recorder: recordTrial(own), turn: 0, worker: null, epochs: 0 },
        ...{
          seq: 0,
          answer: {},
          checkpoint: null,
          stopping: false,
          deaths: 0,
          lost: 0,
          waiting: [],
        },
        ...{ since: 0, heard: 0 },
      });
    },
    left: () => [...tasks.values()].map(({ file }) => file),
    standing: () => ({
      running: [...tasks.values()].flatMap(({ file, turn, worker, since, heard }) =>
        worker === null
          ? []
          : [{ key: file.key, attempt: file.attempt, turn, worker, since, heard }],
      ),
      waiting: [...tasks.values()].flatMap(({ file, worker }) => (worker === null ? file.key : [])),
      ...{ refused, lastRefused },
    }),
    workerOf: (key) => tasks.get(key)?.worker ?? null,
    async begin({ key, attempt }, worker) {
      const open = tasks.get(key);
      if (!open || open.file.attempt !== attempt)
        return refuseStale({ key, attempt, turn: 0 }, "the beginning");
      if (open.stopping) throw new Refusal("cancelled", `${key}: was cancelled`);
      const before = open.worker;
      if (before !== null && ++open.lost > MOST_LOST) {
        const detail = `${MOST_LOST} workers that had it, the last of them ${before}, were not heard of any more, all of them within one epoch`;
        gone(open, { detail, ended: { exitCode: null, signal: null, log: [] } });
        throw new Refusal("cancelled", `${key}: ${detail}`);
      }
      open.turn += 1;
      const turn = open.turn;
      Object.assign(open, { worker, seq: 0, answer: {}, checkpoint: null });
      open.recorder = recordTrial(open.directory);
      open.since = open.heard = Date.now();
      wake(open);
      if (before !== null) {
        const how = `${worker} takes over from ${before}, which is not heard of`;
        logOf(open, `turn ${turn} at it: ${how}`);
        say(`${key}: ${how}`);
      }
      options.running(open.file, worker);
      const { file, directory: own } = open;
      const { task } = file;
      const rest = { turn, file, others: othersOf(open), machines: machinesOfTrial(own, task) };
      if (task.kind === "range-test") return { ...rest, ended: false, state: null };
      const lease = await leaseTrial(own.trialFile(task.slug, task.seed, "."), PATIENCE);
      try {
        current({ key, attempt, turn }, "the beginning");
        if (hasEnded(own, task)) return { ...rest, ended: true, state: null };
        const found = trialOnDisk(own, task);
        open.epochs = found?.record.epoch ?? 0;
        open.checkpoint = found?.checkpoint.path ?? null;
        if (found === null) return { ...rest, ended: false, state: null };
        const { metrics, msPerStep, seconds } = found.record;
        return {
          ...rest,
          ended: false,
          state: {
            ...{ metrics, msPerStep, seconds, bestKept: found.best?.epoch ?? null },
            checkpoint: describeFile(found.checkpoint),
            best: found.best && describeBest(found.best.path),
          },
        };
      } finally {
        lease.release();
      }
    },
    weightsFile(turn, which) {
      const open = current(turn, "a request for weights");
      const task = trialOf(open);
      if (which === "best") return open.directory.trialFile(task.slug, task.seed, BEST);
      return open.checkpoint ?? malformed(`${turn.key} has no checkpoint that it goes on from`);
    },
    async receive(turn, { what, bytes }, use) {
      const open = current(turn, what);
      const { slug, seed } = trialOf(open);
      let path: string | undefined;
      try {
        path = temporaryFor(join(open.directory.trialFile(slug, seed, "."), ".sent"));
        return use(await keepSent(bytes, path));
      } catch (error) {
        throw error instanceof StoreError ? refusalOf(open, what, error) : error;
      } finally {
        const own = path;
        if (own !== undefined) quietly(() => rmSync(own, { force: true }));
      }
    },
    event(turn, seq, event) {
      if (seq > 0)
        return once(turn, seq, `a record (${event.type})`, (open) => recorded(open, event));
      if (event.type !== "update" && event.type !== "range-test-update")
        return malformed(`an event of type ${event.type} needs a number of its turn`);
      checkSubject(current(turn, "an update").file, event);
      onEvent(event);
      return {};
    },
    weights: (turn, seq, { which, weights }) =>
      once(turn, seq, `${which} weights`, (open) => {
        const task = trialOf(open);
        checkSent(weights, { key: open.file.key, which: "sealed" });
        const file = open.directory.trialFile(task.slug, task.seed, `${which}.safetensors`);
        placeFile(weights.path, file);
        return {};
      }),
    checkpoint: (turn, seq, { record, weights }) =>
      once(turn, seq, "a checkpoint", (open) => {
        const task = trialOf(open);
        const file = open.directory.trialFile(task.slug, task.seed, "metrics.jsonl");
        const accepted = readLines(file, epochMetrics);
        const [difference] = differences(accepted, record.metrics);
        if (record.epoch !== open.epochs || difference)
          return malformed(
            `${open.file.key}: a checkpoint of epoch ${record.epoch} does not agree with the ${open.epochs} epochs that were accepted${difference ? `: ${difference}` : ""}`,
          );
        checkSent(weights, { key: open.file.key, which: "checkpoint" });
        writeCheckpoint(open.directory.checkpoints(task.slug, task.seed), { record, weights });
        return { others: othersOf(open) };
      }),
    end: (turn, request) =>
      once(turn, request.seq, "the end", (open) => {
        if (request.how === "given back") {
          say(`${turn.key}: ${open.worker} gives it back after epoch ${open.epochs}`);
          open.worker = null;
          if (open.stopping) gone(open, { error: INTERRUPTED });
          return {};
        }
        const error = request.error as ReportedError | null;
        gone(open, error ? { error } : {});
        return {};
      }),
    died(turn, { exitCode, signal, log }) {
      const open = current(turn, "a death");
      const how: ProcessEnd = { exitCode, signal, log };
      const last = log.at(-1);
      const detail = `its process on ${open.worker} ${signal === null ? `ended with exit code ${exitCode}` : `was killed (${signal})`} within epoch ${open.epochs + 1}${last === undefined ? "" : `; last in its log: ${last}`}`;
      open.deaths += 1;
      open.worker = null;
      logOf(open, detail);
      if (open.stopping) gone(open, { error: INTERRUPTED });
      else if (open.deaths >= MOST_DEATHS) gone(open, { detail, ended: how });
      else say(`${turn.key}: ${detail}; it goes on elsewhere`);
      return {};
    },
    async order(turn, milliseconds) {
      const open = tasks.get(turn.key);
      // Who only asks has told nothing that is lost.
      const isOver = () =>
        tasks.get(turn.key) !== open ||
        open?.file.attempt !== turn.attempt ||
        open.turn !== turn.turn;
      const over = () =>
        new Refusal("stale", `attempt ${turn.attempt}.${turn.turn} at ${turn.key} is over`);
      if (!open || isOver()) throw over();
      open.heard = Date.now();
      if (!open.stopping)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          open.waiting.push(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      if (isOver()) throw over();
      return { stop: open.stopping };
    },
    stop(key) {
      const open = tasks.get(key);
      if (!open) return false;
      open.stopping = true;
      wake(open);
      return open.worker !== null;
    },
    drop(key, how) {
      const open = tasks.get(key);
      if (open) gone(open, how);
    },
  };
}

const INTERRUPTED: ReportedError = { code: "INTERRUPTED", message: "interrupted", exitCode: 130 };
