// The same as bench/scale.mjs over a real Redis and the real wire: the study loop, the executor of a Redis, its HTTP server
// and what that records run in this process; 1,000 workers, which take jobs, begin, tell, send weights and end as a task's
// process does, and train nothing, in another; Redis in a third. One line of JSON a size:
//   node --expose-gc bench/scale-redis.mjs [--trials 1000,10000] [--workers 1000] [--folder /dev/shm/scale]
// The clock of Redis, by which leases end, is the machine's: leases are an hour long, and none is renewed or lost here.

import { fork, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createJiti } from "jiti";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "1000,10000" },
    workers: { type: "string", default: "1000" },
    folder: { type: "string", default: "/dev/shm/lrscope-scale-redis" },
    port: { type: "string", default: "26379" },
    work: { type: "boolean", default: false },
  },
});
const jiti = createJiti(import.meta.url);
const load = (path) => jiti.import(`../src/${path}`);
const url = `redis://127.0.0.1:${values.port}`;
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

await (values.work ? work() : measure());

/** All workers: each takes a job, does what a task's process does, and takes the next. */
async function work() {
  const { Redis } = await import("ioredis");
  const { Worker } = await import("bullmq");
  const { listStudies, PREFIX } = await load("study/executors/redis/registry.ts");
  const { openWire } = await load("study/executors/wire/client.ts");
  const { wireStore } = await load("study/executors/wire/wire-store.ts");
  const { versioned } = await load("record/index.ts");
  const client = new Redis(url, { maxRetriesPerRequest: null });
  const { signal } = new AbortController();
  const tensors = new Map([["weight", { shape: [256], data: new Float32Array(256) }]]);
  const queues = new Map();
  let ended = false;
  process.on("message", () => {
    ended = true;
  });
  const run = async (study, job, worker) => {
    const wire = openWire({ ...study, signal, say: () => undefined });
    const store = wireStore(wire, { ...job.data, mostWeights: 2 ** 26 });
    const { task } = await store.take(worker);
    await store.begin();
    const { recorder } = store;
    const { arm, slug, seed, optimizer, schedule, learningRateSource, epochs } = task;
    const trial = {
      ...{ formatVersion: 1, arm, slug, seed, optimizer, schedule, learningRateSource, epochs },
      ...{ updatesPerEpoch: 10, status: "running", divergence: null, failure: null },
      ...{ msPerStep: 1, seconds: 1 },
    };
    const { index, trials } = task;
    await recorder.onEvent(versioned({ type: "trial-started", trial, metrics: [], index, trials }));
    const metrics = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      metrics.push({
        ...{ epoch, update: 10 * epoch, lr: 1e-3, trainLoss: 1, trainAccuracy: 0.5 },
        ...{ validationLoss: 1, validationAccuracy: 0.5, seconds: 1 },
      });
      await recorder.onEvent(versioned({ type: "epoch", arm, seed, metrics: metrics.at(-1) }));
      const record = {
        ...{ formatVersion: 1, epoch, update: 10 * epoch, metrics: [...metrics] },
        ...{ msPerStep: 1, seconds: 1 },
      };
      const weights = { tensors, metadata: {} };
      await recorder.sink.weights({ which: "last", trial, epoch, weights });
      await recorder.sink.checkpoint({ trial, record, weights });
    }
    await recorder.onEvent(
      versioned({ type: "trial-finished", trial: { ...trial, status: "done" } }),
    );
    await store.end({ how: "ended", error: null });
  };
  const loop = async (number) => {
    while (!ended) {
      const [study] = studies;
      if (!study) {
        await pause(50);
        continue;
      }
      if (!queues.has(study.id)) {
        const own = { connection: client, prefix: PREFIX, autorun: false };
        queues.set(study.id, new Worker(study.id, null, { ...own, lockDuration: study.lease }));
      }
      const token = `${number}-${Math.random()}`;
      const job = await queues.get(study.id).getNextJob(token, { block: false });
      if (!job) {
        await pause(500);
        continue;
      }
      await run(study, job, `worker-${number}`);
      // Of the last ones the queue is gone before they are: the study has ended.
      await job.moveToCompleted(null, token, false).catch(() => undefined);
    }
  };
  let studies = [];
  const looking = setInterval(() => {
    void listStudies(client).then((found) => {
      studies = found;
    });
  }, 500);
  await Promise.all(Array.from({ length: Number(values.workers) }, (_, number) => loop(number)));
  clearInterval(looking);
  process.send({ cpu: cpu() }, () => process.exit(0));
}

async function measure() {
  const { runTasks } = await load("study/run-tasks.ts");
  const { recordsIn } = await load("study/run-study.ts");
  const { taskRunner } = await load("study/executors/task-runner.ts");
  const { redis } = await load("study/executors/redis/executor.ts");
  const { createRunDirectory } = await load("store/index.ts");
  const { fakeExperiment } = await jiti.import("../test/report/fake-records.ts");
  for (const trials of values.trials.split(",").map(Number)) {
    rmSync(values.folder, { recursive: true, force: true });
    mkdirSync(values.folder, { recursive: true });
    const server = spawn("redis-server", ["--port", values.port, "--save", ""], {
      stdio: "ignore",
    });
    const cli = (...args) =>
      spawnSync("redis-cli", ["-p", values.port, ...args], { encoding: "utf8" }).stdout.trim();
    while (cli("ping") !== "PONG") await pause(50);
    const seeds = Math.max(10, trials / 1000);
    const optimizers = Array.from(
      { length: trials / seeds },
      (_, i) => `sgd@${Number((1e-4 * (i + 1)).toPrecision(6))}`,
    );
    const experiment = fakeExperiment({ epochs: 1, seeds });
    const directory = createRunDirectory(join(values.folder, "run"), experiment);
    const shared = {
      setup: { source: "synthetic", model: "vanilla", data: {}, recipe: {} },
      dataset: experiment.dataset,
      plan: {
        ...{ engine: "none", threads: 1, precision: "fp32", convolutions: {}, decidedBy: "rule" },
        memory: { persistentBytes: 4096, arenaBytes: 0, lowerBoundBytes: 0 },
        ...{ flops: { forward: 0, backward: 0 }, implementations: [] },
      },
    };
    const child = fork(fileURLToPath(import.meta.url), [
      ...["--work", "--workers", values.workers, "--port", values.port],
    ]);
    const begun = { cpu: cpu(), at: performance.now() };
    const curve = [];
    let settled = 0;
    let submitted;
    const onEvent = (event) => {
      if (event.type === "trial-started") submitted ??= cpu() - begun.cpu;
      if (event.type !== "trial-finished" || ++settled % Math.max(1, trials / 10) !== 0) return;
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      curve.push({
        ...{ settled, seconds: cpu() - begun.cpu },
        ...{ heapMiB: heapUsed / 2 ** 20, rssMiB: rss / 2 ** 20 },
      });
    };
    const context = { directory, jobs: 1, updatesPerEpoch: 10 };
    const { signal } = new AbortController();
    const runner = taskRunner({
      ...context,
      shared,
      signal,
      executor: redis(url, { lease: 3600 }),
    });
    const study = {
      kind: "compare",
      optimizers,
      seeds: Array.from({ length: seeds }, (_, i) => i),
    };
    await runTasks(
      { ...study, epochs: 1 },
      { updatesPerEpoch: 10, records: recordsIn(directory), runner, onEvent },
    );
    const coordinator = cpu() - begun.cpu;
    const wall = (performance.now() - begun.at) / 1000;
    const used = /used_cpu_user:([\d.]+)/.exec(cli("info", "cpu"))?.[1] ?? "0";
    const system = /used_cpu_sys:([\d.]+)/.exec(cli("info", "cpu"))?.[1] ?? "0";
    const peak = /used_memory_peak:(\d+)/.exec(cli("info", "memory"))?.[1] ?? "0";
    const workers = new Promise((resolve) => child.once("message", resolve));
    child.send("end");
    const worker = await workers;
    server.kill("SIGKILL");
    const answer = {
      ...{ trials, over: "redis", workers: Number(values.workers), wallSeconds: wall },
      ...{ submitSeconds: submitted, coordinatorSeconds: coordinator },
      ...{ msATrial: (1000 * coordinator) / trials, workerMsATrial: (1000 * worker.cpu) / trials },
      redisMsATrial: (1000 * (Number(used) + Number(system))) / trials,
      ...{ redisPeakMiB: Number(peak) / 2 ** 20, curve },
    };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  rmSync(values.folder, { recursive: true, force: true });
}
