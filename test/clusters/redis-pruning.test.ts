/**
 * @file Arms that are judged at rungs, their runs on workers of a real Redis: the decisions and the bytes of one
 * machine where the rule follows from the records alone, and the same seeds for all arms in any case.
 */

import { mkdirSync } from "node:fs";
import { Queue, Worker } from "bullmq";
import { describe, expect, test } from "vitest";
import { beginAttempt, createRunDirectory, taskPath } from "../../src/store/index.ts";
import type { ExecutorContext } from "../../src/study/executors/child-process.ts";
import { redis as redisExecutor } from "../../src/study/executors/redis/executor.ts";
import { listStudies, PREFIX } from "../../src/study/executors/redis/registry.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { tinyTrial } from "../faults/tiny.ts";
import { fakeExperiment } from "../report/fake-records.ts";
import { commands, ended, PATIENCE, type Spoken, until } from "./commands.ts";
import { expectBelowMedian, expectPaired, prunedFlags, prunedResult } from "./pruned.ts";
import { redisAbsent, startedRedis } from "./redis-server.ts";

const absent = engineAbsent() ?? redisAbsent();

describe.skipIf(absent)(`with Redis${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const { run, end } = commands();
  const redis = startedRedis(within, end);
  const compare = async (args: readonly string[]) => {
    const command = run(args);
    expect([await ended(command), command.said()]).toEqual([0, expect.any(String)]);
  };
  const over = () => ["--executor", redis().url];

  let workers: Spoken[] = [];
  const both = async (name: string, args: readonly string[]) => {
    const [here, there] = [within(`${name}-here`), within(`${name}-there`)];
    const at = (path: string) => args.flatMap((arg) => (arg === "--resume" ? [arg, path] : [arg]));
    const end = (path: string) => (args.includes("--resume") ? [] : ["--out", path]);
    await Promise.all([
      compare([...at(here), ...end(here), "--jobs", "1"]),
      compare([...at(there), ...end(there), ...over()]),
    ]);
    expect(prunedResult(there)).toEqual(prunedResult(here));
    return there;
  };

  test("halving: pruning.jsonl and the bytes of one machine", { timeout: PATIENCE }, async () => {
    workers = [run(["worker", redis().url]), run(["worker", redis().url, "--jobs", "2"])];
    expectPaired(await both("halving", prunedFlags("halving")));
  });

  test("an arm that comes later is judged beside those that were there", {
    timeout: PATIENCE,
  }, async () => {
    const arms = "adam@1e-2,sgd@1e-12,adam@1e-12,sgd@0.05,rmsprop@1e-3";
    const there = await both("halving", ["compare", "--resume", "--optimizers", arms]);
    expect(prunedResult(there).decisions).toContain('"rmsprop@1e-3"');
  });

  test("median: the same, and an arm below it ends", { timeout: PATIENCE }, async () => {
    const there = await both("median", prunedFlags("median"));
    expectPaired(there);
    expectBelowMedian(there);
  });

  test("asha: in whatever order they come, the same seeds for all", {
    timeout: PATIENCE,
  }, async () => {
    const path = within("asha");
    await compare([...prunedFlags("asha"), "--out", path, ...over()]);
    expectPaired(path);
    for (const worker of workers) worker.kill("SIGTERM");
  });

  test("runs of a higher rung are begun before those that wait, of one rung in their order", {
    timeout: PATIENCE,
  }, async () => {
    const path = within("order");
    mkdirSync(path, { recursive: true });
    const directory = createRunDirectory(path, fakeExperiment());
    const context = {
      ...{ directory, jobs: 1, onEvent: () => undefined },
      shared: {
        setup: { source: "synthetic", model: "vanilla", data: {}, recipe: {} },
        dataset: fakeExperiment().dataset,
        plan: { memory: { persistentBytes: 0, arenaBytes: 0, lowerBoundBytes: 0 } },
      },
    } as unknown as ExecutorContext;
    const executor = redisExecutor(redis().url)(context);
    const submit = (slugs: readonly string[], rung: number) =>
      executor.submit(
        slugs.map((slug) => {
          const task = tinyTrial({ arm: slug, slug, rung });
          const { key, attempt } = beginAttempt(directory, task);
          return { key, attempt, task: taskPath(path, key), priority: rung };
        }),
      );
    const { Redis } = await import("ioredis");
    const client = new Redis(redis().url, { maxRetriesPerRequest: null });
    try {
      await submit(["a", "b", "c"], 1);
      await submit(["d", "e"], 2);
      await submit(["f"], 1);
      await submit(["g"], 3);
      let found: Awaited<ReturnType<typeof listStudies>> = [];
      const looking = setInterval(() => {
        void listStudies(client).then((studies) => {
          found = studies.filter(({ name }) => name === "order");
        });
      }, 50);
      await until("the study is announced", () => found.length === 1);
      clearInterval(looking);
      const { id = "" } = found[0] ?? {};
      const queue = new Queue(id, { connection: client, prefix: PREFIX });
      const worker = new Worker(id, null, { connection: client, prefix: PREFIX, autorun: false });
      const taken: string[] = [];
      for (let i = 0; i < 7; i++) {
        const job = await worker.getNextJob(`token${i}`, { block: false });
        taken.push(job?.data.key);
      }
      expect(taken).toEqual(["g-0", "d-0", "e-0", "a-0", "b-0", "c-0", "f-0"]);
      await Promise.all([worker.close(true), queue.close()]);
    } finally {
      await executor.close();
      client.disconnect();
    }
  });
});
