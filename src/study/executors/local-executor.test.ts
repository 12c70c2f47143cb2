/** @file The queue of an executor: order, how many at a time, what is cancelled, and what is said of each. */

import { describe, expect, test } from "vitest";
import type { ExecutorEvent, SubmittedTask } from "./executor.ts";
import { type AttemptEnd, localExecutor } from "./local-executor.ts";

const task = (key: string, attempt = 1): SubmittedTask => ({ key, attempt, task: `${key}.json` });
const never = new AbortController().signal;

/** An executor whose attempts end when they are told to; what it started, and how that was cancelled. */
function controlled(jobs: number) {
  const ends = new Map<string, (end: AttemptEnd) => void>();
  const started: string[] = [];
  const cancelled: string[] = [];
  const executor = localExecutor({
    name: "controlled",
    jobs,
    start({ key }) {
      if (key === "impossible") throw new Error("no room");
      started.push(key);
      const gone = new Promise<AttemptEnd>((resolve) => ends.set(key, resolve));
      return {
        gone,
        cancel(how) {
          cancelled.push(`${key} ${how}`);
          ends.get(key)!({ detail: how });
        },
      };
    },
  });
  return { executor, started, cancelled, finish: (key: string) => ends.get(key)!({}) };
}

/** The next events, as "adam-0 1 running". */
async function take(events: AsyncIterator<ExecutorEvent>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for (let i = 0; i < count; i++) {
    const { value } = await events.next();
    taken.push(`${value.key} ${value.attempt} ${value.state}`);
  }
  return taken;
}

test("so many at a time, in order; each is queued, runs, and is gone", async () => {
  const { executor, started, finish } = controlled(2);
  const events = executor.events(never)[Symbol.asyncIterator]();
  await executor.submit([task("a"), task("b"), task("c")]);
  expect(started).toEqual(["a", "b"]);
  expect(await take(events, 5)).toEqual([
    ...["a 1 queued", "b 1 queued", "c 1 queued"],
    ...["a 1 running", "b 1 running"],
  ]);
  finish("b");
  expect(await take(events, 2)).toEqual(["b 1 gone", "c 1 running"]);
  expect(started).toEqual(["a", "b", "c"]);
  await executor.close();
});

test("an attempt is taken on once, and another attempt at the same task again", async () => {
  const { executor, started, finish } = controlled(1);
  await executor.submit([task("a")]);
  await executor.submit([task("a")]);
  finish("a");
  await executor.submit([task("a"), task("a", 2)]);
  const events = executor.events(never)[Symbol.asyncIterator]();
  expect(await take(events, 5)).toEqual([
    ...["a 1 queued", "a 1 running", "a 2 queued", "a 1 gone", "a 2 running"],
  ]);
  expect(started).toEqual(["a", "a"]);
  await executor.close();
});

describe("cancelled", () => {
  test("one that waits is gone at once, one that runs is told how to end, others go on", async () => {
    const { executor, started, cancelled } = controlled(1);
    await executor.submit([task("a"), task("b"), task("c")]);
    await executor.cancel("b", "now");
    await executor.cancel("a", "checkpoint");
    await executor.cancel("unknown", "now");
    const events = executor.events(never)[Symbol.asyncIterator]();
    expect((await take(events, 7)).slice(4)).toEqual(["b 1 gone", "a 1 gone", "c 1 running"]);
    expect([started, cancelled]).toEqual([["a", "c"], ["a checkpoint"]]);
    await executor.close();
  });

  test("closing ends all now, and the events with them", async () => {
    const { executor, cancelled } = controlled(1);
    await executor.submit([task("a"), task("b")]);
    await executor.close();
    expect(cancelled).toEqual(["a now"]);
    const states: string[] = [];
    for await (const { key, state } of executor.events(never)) states.push(`${key} ${state}`);
    expect(states.slice(3)).toEqual(["b gone", "a gone"]);
  });
});

test("one that cannot be started is gone with the reason, and the next one runs", async () => {
  const { executor, started } = controlled(1);
  await executor.submit([task("impossible"), task("b")]);
  const gone: ExecutorEvent[] = [];
  for await (const event of executor.events(never)) {
    gone.push(event);
    if (event.key === "b" && event.state === "running") break;
  }
  expect(gone.find(({ state }) => state === "gone")?.error).toEqual({
    code: null,
    message: "internal: no room",
    exitCode: 1,
  });
  expect(started).toEqual(["b"]);
  await executor.close();
});

test("a reader whose signal aborts hears no more", async () => {
  const { executor } = controlled(1);
  const stop = new AbortController();
  const reading = (async () => {
    const states: string[] = [];
    for await (const { state } of executor.events(stop.signal)) states.push(state);
    return states;
  })();
  await executor.submit([task("a")]);
  await Promise.resolve();
  setImmediate(() => stop.abort());
  expect(await reading).toEqual(["queued", "running"]);
  await executor.close();
});
