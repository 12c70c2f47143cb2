/**
 * @file What a server holds after hours: readers come and go by the thousand, studies are told of, listed, read and left,
 * and it holds what it held.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { at } from "../../src/core/at.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { ask } from "./ask.ts";
import { folderOfRuns, writeRun } from "./records.ts";

/** Bytes by which two measurements may differ. */
const SLACK = 1_000_000;

const runs = folderOfRuns();
const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 3, epochs: 20 });
let server: ChildProcess;
let port = 0;
let ids: readonly string[] = [];

const answerOf = async <T>(): Promise<T> => (await once(server, "message"))[0] as T;
const held = async (): Promise<number> => {
  // What was closed is closed for the server, too.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const answer = answerOf<{ bytes: number }>();
  server.send("held");
  return (await answer).bytes;
};

beforeAll(async () => {
  for (const name of ["a", "b", "c", "d"])
    writeRun(join(runs(), name), {
      ...input,
      trials: input.trials.map(({ trial, metrics }) => ({
        trial: { ...trial, status: "running" as const },
        metrics: metrics.slice(0, 2),
      })),
    });
  server = fork(fileURLToPath(new URL("held-server.mjs", import.meta.url)), [runs()], {
    execArgv: ["--expose-gc"],
  });
  port = (await answerOf<{ port: number }>()).port;
  const { studies } = JSON.parse((await ask(port, "/api/studies")).body) as {
    studies: { id: string }[];
  };
  ids = studies.map(({ id }) => id);
});
afterAll(() => server?.kill());

/** A reader who takes the records and the stream's first message, and is gone. */
async function come(reader: number): Promise<void> {
  const id = at(ids, reader % ids.length, "ids");
  await ask(port, `/api/studies/${id}/records`);
  const gone = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/events?study=${id}`, {
    signal: gone.signal,
  });
  const stream = answer.body?.getReader();
  for (let text = ""; !text.includes("data: "); )
    text += new TextDecoder().decode((await stream?.read())?.value);
  gone.abort();
}

test("readers that come and go leave nothing", { timeout: 180_000 }, async () => {
  const readers = async (count: number) => {
    for (let reader = 0; reader < count; reader += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => come(reader + i)));
      await ask(port, "/api/studies");
      await ask(port, "/api/study-schema");
    }
  };
  await readers(400);
  const before = await held();
  await readers(1600);
  expect((await held()) - before).toBeLessThan(SLACK);
});
