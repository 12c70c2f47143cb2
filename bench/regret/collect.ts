/**
 * @file Measures what the regret study reads: for each task and optimizer the validation accuracy over a
 * grid of rates, and the curves of range tests of several lengths. Rules are read off the curves afterwards,
 * so that another rule costs nothing.
 *
 * `npx jiti bench/regret/collect.ts OUT --flowers FOLDER --weights FILE [--part K/N] [--only WORD]
 * [--until PRIORITY]`: appends one JSON line a run to OUT/<task>.jsonl, and goes on from what is there. Parts of it may run at a time, each
 * its share of every task.
 */

import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Dataset } from "../../src/data/types.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import type { RangeTestRecord } from "../../src/record/index.ts";
import { constant, triangular } from "../../src/schedules/index.ts";
import { planEpoch } from "../../src/train/compile-options.ts";
import { fit } from "../../src/train/fit.ts";
import { rangeTest } from "../../src/train/range-test.ts";
import { openData } from "./data.ts";
import { inOrder, type Job, jobsOf, keyOf } from "./jobs.ts";
import { BATCH, optimizerOf, TASKS, type Task } from "./tasks.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    flowers: { type: "string" },
    weights: { type: "string" },
    part: { type: "string", default: "0/1" },
    only: { type: "string" },
    until: { type: "string", default: "3" },
  },
});
const [out] = positionals;
if (!out) throw new Error("bench: give a folder for the lines");
mkdirSync(out, { recursive: true });
const [part = 0, parts = 1] = values.part.split("/").map(Number);
const backend = nativeBackend({ threads: 1 });

/** Of every data set one is open at a time. */
for (let priority = 0; priority <= Number(values.until); priority++)
  for (const task of TASKS) {
    if (values.only && !task.name.includes(values.only)) continue;
    const file = join(out, `${task.name.replaceAll(" ", "-")}.jsonl`);
    // What follows the last line break is being written by another part.
    const lines = existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line))
      : [];
    const done = new Set(lines.map(keyOf));
    const left = inOrder(
      jobsOf(task.name).filter((_, index) => index % parts === part),
      lines,
    ).filter((job) => job.priority === priority && !done.has(keyOf(job)));
    if (left.length === 0) continue;
    const dataset = await openData(task.data, values);
    const started = performance.now();
    for (const job of left)
      appendFileSync(file, `${JSON.stringify(await run(task, dataset, job))}\n`);
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${task.name}: ${left.length} runs of priority ${priority} in ${seconds.toFixed(0)} s`,
    );
    dataset.close();
  }

async function run(task: Task, dataset: Dataset, { priority: _, ...job }: Job) {
  const network = task.network(dataset);
  const setup = { dataset, network, backend, threads: 1, batch: BATCH, seed: job.seed };
  const optimizer = optimizerOf(job.optimizer);
  if (job.kind === "range-test") {
    const { from, to, updates, seed } = job;
    if (from === null || to === null) {
      const record = await rangeTest({ ...setup, optimizer, updates, seeds: [seed] });
      const ramp = { from: record.from, to: record.to, updates: record.updates };
      return { ...job, ramp, ...curveOf(record.runs) };
    }
    const perEpoch = planEpoch(setup).updatesPerEpoch;
    const epochs = Math.ceil(updates / perEpoch);
    // A ramp goes over whole epochs. Where it would reach `to` too late it goes on beyond, unread.
    const beyond = from * (to / from) ** ((epochs * perEpoch - 1) / (updates - 1));
    const { runs } = await rangeTest({
      ...{ ...setup, optimizer, from, to: beyond, epochs },
      seeds: [seed],
    });
    return { ...job, ...curveOf(runs, updates) };
  }
  const { epochs } = task;
  const updates = epochs * planEpoch(setup).updatesPerEpoch;
  const schedule =
    job.cycles === 0
      ? constant(job.rate)
      : triangular({
          base: job.rate / job.ratio,
          max: job.rate,
          stepSize: Math.max(1, Math.round(updates / job.cycles / 2)),
        });
  const { trial, metrics } = await fit({
    ...setup,
    ...{ optimizer, schedule, epochs, evalEvery: epochs },
    // A momentum that is named stays as it is; beta1 cycles as it does where nobody says otherwise.
    ...(job.optimizer === "momentum" ? { hyperparameterSchedules: {} } : {}),
  });
  const last = metrics.at(-1);
  return {
    ...job,
    accuracy: last?.validationAccuracy ?? null,
    loss: last?.validationLoss ?? null,
    status: trial.status,
  };
}

/** Losses and accuracies of the first updates, to six digits. */
function curveOf(runs: RangeTestRecord["runs"], updates = Number.POSITIVE_INFINITY) {
  const points = (runs[0]?.points ?? []).slice(0, updates);
  const rounded = (value: number | null) => (value === null ? null : Number(value.toPrecision(6)));
  return {
    losses: points.map(({ loss }) => rounded(loss)),
    accuracies: points.map(({ accuracy }) => rounded(accuracy ?? null)),
  };
}
