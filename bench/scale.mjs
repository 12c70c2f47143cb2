// What the process that holds a study does for 100,000 trials on 1,000 workers: the product's own study loop, rungs, tasks,
// attempts, records and events, with workers that train nothing, on a clock that is counted. One line of JSON a size:
//   node bench/scale.mjs [--trials 1000,10000,100000] [--workers 1000] [--seeds 10] [--folder /dev/shm/scale]
// What a worker would do (it writes its trial's records) is timed apart: the coordinator's seconds are without it.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createJiti } from "jiti";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "1000,10000,100000" },
    workers: { type: "string", default: "1000" },
    seeds: { type: "string", default: "10" },
    arms: { type: "string", default: "" },
    prune: { type: "boolean", default: false },
    folder: { type: "string", default: "/dev/shm/lrscope-scale" },
  },
});
const jiti = createJiti(import.meta.url);
const load = (path) => jiti.import(`../src/${path}`);
const { runTasks } = await load("study/run-tasks.ts");
const { recordsIn } = await load("study/run-study.ts");
const { taskRunner } = await load("study/executors/task-runner.ts");
const { recordTrial } = await load("study/recorder.ts");
const store = await load("store/index.ts");
const { taskFile, versioned, NO_PROGRESS, progress } = await load("record/index.ts");
const { fakeExperiment } = await jiti.import("../test/report/fake-records.ts");

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Workers on a counted clock: each trial takes as long as its rate says, and writes what a trial writes. */
function cluster(workers, context, measured) {
  const queue = [];
  const ends = [];
  let now = 0;
  const wake = () => {};
  const events = [];
  const push = (event) => {
    events.push(event);
    wake();
  };
  const begin = () => {
    while (ends.length < workers && queue.length > 0) {
      const task = queue.shift();
      push({ key: task.key, attempt: task.attempt, state: "running" });
      const file = store.readRecord(task.task, taskFile);
      const epochs = (file.task.until ?? file.task.epochs) * (1 + (file.task.index % 7) / 7);
      ends.push({ at: now + epochs, task, file });
    }
  };
  const work = ({ file }) => {
    const before = cpu();
    const { task } = file;
    const directory = store.openRunDirectory(context.directory.path, {
      token: "",
      task: file,
      check() {},
    });
    const { onEvent } = recordTrial(directory);
    const was = store.readTrial(context.directory.path, `${task.slug}-${task.seed}`);
    const done = was?.metrics.length ?? 0;
    const trial = {
      ...{
        formatVersion: 1,
        arm: task.arm,
        slug: task.slug,
        seed: task.seed,
        optimizer: task.optimizer,
      },
      ...{
        schedule: task.schedule,
        learningRateSource: task.learningRateSource,
        updatesPerEpoch: 10,
      },
      ...{
        epochs: task.epochs,
        status: "running",
        divergence: null,
        failure: null,
        msPerStep: 1,
        seconds: 1,
      },
    };
    const said = [
      versioned({
        type: "trial-started",
        trial,
        metrics: was?.metrics ?? [],
        index: task.index,
        trials: task.trials,
      }),
    ];
    const rate = task.optimizer.hyperparameters.learningRate;
    for (let epoch = done + 1; epoch <= (task.until ?? task.epochs); epoch++) {
      const validationAccuracy = 0.5 + 0.4 * Math.sin(rate * 1e4 + task.seed / 100) ** 2;
      said.push(
        versioned({
          ...{ type: "epoch", arm: task.arm, seed: task.seed },
          metrics: {
            ...{ epoch, update: 10 * epoch, lr: rate, trainLoss: 1, trainAccuracy: 0.5 },
            ...{ validationLoss: 1, validationAccuracy, seconds: 1 },
          },
        }),
      );
    }
    const status = task.until === undefined ? "done" : "paused";
    said.push(versioned({ type: "trial-finished", trial: { ...trial, status } }));
    for (const event of said) void onEvent(event);
    measured.worker += cpu() - before;
    for (const event of said) context.onEvent(event);
  };
  return {
    name: "counted",
    async submit(tasks) {
      for (const task of tasks) {
        const place = queue.findLastIndex((other) => (other.priority ?? 0) >= (task.priority ?? 0));
        queue.splice(place + 1, 0, task);
      }
      measured.submitted ??= cpu() - measured.begun;
      begin();
    },
    async *events() {
      for (;;) {
        if (events.length > 0) {
          yield events.shift();
          continue;
        }
        if (ends.length === 0) return;
        let first = 0;
        for (let i = 1; i < ends.length; i++) if (ends[i].at < ends[first].at) first = i;
        const [ended] = ends.splice(first, 1);
        now = ended.at;
        work(ended);
        begin();
        measured.settled();
        push({ key: ended.task.key, attempt: ended.task.attempt, state: "gone" });
      }
    },
    async cancel() {},
    async close() {},
  };
}

/** Milliseconds for one event in the state that terminal and page show, beside so many trials. */
function progressMs(trials, events) {
  let state = NO_PROGRESS;
  for (const [index, { trial, metrics }] of trials.entries())
    state = progress(
      state,
      versioned({ type: "trial-started", trial, metrics, index, trials: trials.length }),
    );
  const before = cpu();
  for (const event of events) state = progress(state, event);
  return (1000 * (cpu() - before)) / events.length;
}

for (const trials of values.trials.split(",").map(Number)) {
  // No more arms than a comparison may have.
  const seeds = Math.max(Number(values.seeds), trials / 1000);
  const arms = trials / seeds;
  rmSync(values.folder, { recursive: true, force: true });
  mkdirSync(values.folder, { recursive: true });
  const optimizers = Array.from(
    { length: arms },
    (_, i) => `sgd@${Number((1e-4 * (i + 1)).toPrecision(6))}`,
  );
  const experiment = fakeExperiment({ epochs: 9, seeds });
  const path = join(values.folder, "run");
  const directory = store.createRunDirectory(path, experiment);
  const study = {
    ...{
      kind: "compare",
      optimizers,
      seeds: Array.from({ length: seeds }, (_, i) => i),
      epochs: values.prune ? 9 : 1,
    },
    ...(values.prune ? { pruning: { method: "asha", reduction: 3, grace: 1, finalists: 2 } } : {}),
  };
  const curve = [];
  const measured = { begun: cpu(), worker: 0, count: 0, settled: () => undefined };
  measured.settled = () => {
    if (++measured.count % Math.max(1, trials / 10) !== 0) return;
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    const seconds = cpu() - measured.begun - measured.worker;
    curve.push({
      settled: measured.count,
      seconds,
      heapMiB: heapUsed / 2 ** 20,
      rssMiB: rss / 2 ** 20,
    });
  };
  const told = [];
  const onEvent = (event) => {
    // Enough to tell what one costs beside so many trials.
    if (told.length < 300) told.push(event);
  };
  const context = { directory, jobs: 1, updatesPerEpoch: 10, signal: new AbortController().signal };
  const runner = taskRunner({
    ...context,
    shared: {},
    executor: (given) => cluster(Number(values.workers), given, measured),
  });
  await runTasks(study, { updatesPerEpoch: 10, records: recordsIn(directory), runner, onEvent });
  const loop = cpu() - measured.begun - measured.worker;
  const read = cpu();
  const run = store.readRun(path);
  const reading = cpu() - read;
  const answer = {
    ...{
      trials,
      arms,
      seeds,
      pruned: values.prune,
      attempts: measured.count,
      workers: Number(values.workers),
    },
    ...{ submitSeconds: measured.submitted, coordinatorSeconds: loop },
    ...{
      msATrial: (1000 * loop) / measured.count,
      workerMsATrial: (1000 * measured.worker) / measured.count,
    },
    ...{
      readSeconds: reading,
      read: run.trials.length,
      progressMs: progressMs(run.trials, told),
      curve,
    },
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
rmSync(values.folder, { recursive: true, force: true });
