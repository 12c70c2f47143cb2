/** @file What the process that holds a run directory grants over HTTP, and what it refuses, of workers that are hostile, late or confused. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/formats/index.ts";
import type { EpochMetrics, StudyEvent } from "../../src/record/index.ts";
import { beginAttempt, openRunDirectory, type RunDirectory } from "../../src/store/index.ts";
import { attempts } from "../../src/study/executors/wire/attempts.ts";
import { openWire } from "../../src/study/executors/wire/client.ts";
import { sentFiles } from "../../src/study/executors/wire/sent-files.ts";
import { type StoreServer, startStoreServer } from "../../src/study/executors/wire/server.ts";
import type { Attempts } from "../../src/study/executors/wire/turns.ts";
import { fetchImages } from "../../src/study/worker/fetch-files.ts";
import { temporaryFolder } from "../cli/temporary.ts";
import { tinyTrial } from "../faults/tiny.ts";
import { breakingLine } from "./breaking-line.ts";

const within = temporaryFolder();
const TOKEN = "a-token-of-this-study-alone";
const FINGERPRINT = "ab".repeat(32);

let runs = 0;
let directory: RunDirectory;
let accepted: Attempts;
let server: StoreServer;
let said: string[];
let gone: object[];

beforeEach(async () => {
  const path = within(`run-${runs++}`);
  mkdirSync(path);
  directory = openRunDirectory(path);
  said = [];
  gone = [];
  accepted = attempts({
    ...{ directory, onEvent: () => undefined, say: (message) => said.push(message) },
    ...{ running: () => undefined, gone: ({ key }, how) => gone.push({ key, ...how }) },
  });
  accepted.open(beginAttempt(directory, tinyTrial()));
  mkdirSync(within("photos/lilies"), { recursive: true });
  mkdirSync(within("photos/roses"), { recursive: true });
  for (const [name, text] of [
    ["lilies/1.jpg", "first"],
    ["lilies/2.jpg", ""],
    ["roses/é.jpg", "third, and longer"],
  ] as const)
    writeFileSync(within(`photos/${name}`), text);
  writeFileSync(within("secret.txt"), "not of this study");
  server = await startStoreServer({
    ...{ host: "127.0.0.1", port: 0, token: TOKEN, attempts: accepted, mostWeights: 10_000 },
    ...{ description: "{}", unfit: () => undefined },
    files: sentFiles(
      {
        setup: { source: within("photos") },
        dataset: { fingerprint: FINGERPRINT },
      } as unknown as Parameters<typeof sentFiles>[0],
      null,
    ),
  });
});
afterEach(() => server.close());

interface Asked {
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
}
async function ask(
  path: string,
  { method = "GET", body, token = TOKEN, headers = {} }: Asked = {},
) {
  const response = await fetch(`http://127.0.0.1:${server.port}/${path}`, {
    method,
    body: (body ?? null) as BodyInit | null,
    headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith("{") ? JSON.parse(text) : null };
}
const post = (path: string, body: object, more: Asked = {}) =>
  ask(path, { method: "POST", body: JSON.stringify(body), ...more });
const begin = (worker = "one") => post("attempts/adam-0/1/begin", { worker });
const line = (epoch: number): EpochMetrics => ({
  ...{ epoch, update: 4 * epoch, lr: 0.01, trainLoss: 1 / epoch, trainAccuracy: 0.5 },
  ...{ validationLoss: 1, validationAccuracy: 0.5, seconds: 1 },
});
const epoch = (number: number, more: object = {}) =>
  ({
    ...{ formatVersion: 1, type: "epoch", arm: "adam", seed: 0, metrics: line(number) },
    ...more,
  }) as unknown as StudyEvent;
const trialFile = (name: string) => join(directory.path, "trials/adam-0", name);
const recorded = () =>
  existsSync(trialFile("metrics.jsonl")) ? readFileSync(trialFile("metrics.jsonl"), "utf8") : "";
const weights = encodeSafetensors({
  metadata: {},
  tensors: new Map([["w", { shape: [2], data: new Float32Array([1, 2]) }]]),
});
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const framed = (head: object, bytes: Uint8Array = weights) =>
  Buffer.concat([Buffer.from(`${JSON.stringify({ ...head, sha256: sha256(bytes) })}\n`), bytes]);
const checkpoint = (seq: number, epochs: number) =>
  framed({
    seq,
    record: {
      ...{ formatVersion: 1, epoch: epochs, update: 4 * epochs },
      metrics: Array.from({ length: epochs }, (_, index) => line(index + 1)),
      ...{ msPerStep: 1, seconds: 1 },
    },
  });

describe("who is answered", () => {
  test.each([
    ["none", null],
    ["another", "a-token-of-another-one"],
    ["a part of it", TOKEN.slice(0, -1)],
  ])("a token that is %s: nobody, whatever is asked", async (_, token) => {
    for (const path of ["study", "attempts/adam-0/1/1/order", `files/${FINGERPRINT}`, "nothing"])
      expect((await ask(path, { token })).status).toBe(401);
    const { status, json } = await post("attempts/adam-0/1/begin", { worker: "x" }, { token });
    expect([status, json.kind]).toEqual([401, "unauthorized"]);
  });
});

describe("records", () => {
  test("are accepted in the order of their turn, once each", async () => {
    expect((await begin()).json).toMatchObject({ turn: 1, ended: false, state: null });
    const turn = "attempts/adam-0/1/1";
    expect((await post(`${turn}/event`, { seq: 1, event: epoch(1) })).status).toBe(200);
    const after = recorded();
    expect(JSON.parse(after)).toEqual(line(1));
    // Its answer was lost: it is given again, and nothing is recorded twice.
    expect((await post(`${turn}/event`, { seq: 1, event: epoch(1) })).status).toBe(200);
    expect(recorded()).toBe(after);
    expect(
      (await ask(`${turn}/checkpoint`, { method: "PUT", body: checkpoint(2, 1) })).status,
    ).toBe(200);
    // Replayed, left out, told under a number of its own.
    for (const seq of [1, 4])
      expect((await post(`${turn}/event`, { seq, event: epoch(1) })).json).toMatchObject({
        kind: "replayed",
      });
    expect((await post(`${turn}/event`, { seq: 3, event: epoch(1) })).json.kind).toBe("replayed");
    expect((await post(`${turn}/event`, { seq: 3, event: epoch(3) })).json.kind).toBe("replayed");
    expect(recorded()).toBe(after);
  });

  test("of an older turn, or of another attempt, are each refused and logged", async () => {
    await begin("one");
    await post("attempts/adam-0/1/1/event", { seq: 1, event: epoch(1) });
    await ask("attempts/adam-0/1/1/checkpoint", { method: "PUT", body: checkpoint(2, 1) });
    const { json } = await begin("two");
    expect(json).toMatchObject({ turn: 2, state: { metrics: [line(1)] } });
    const before = recorded();
    for (const stale of ["attempts/adam-0/1/1", "attempts/adam-0/2/1", "attempts/adam-0/1/3"]) {
      const answers = [
        await post(`${stale}/event`, { seq: 3, event: epoch(2) }),
        await ask(`${stale}/checkpoint`, { method: "PUT", body: checkpoint(3, 2) }),
        await ask(`${stale}/weights`, { method: "PUT", body: framed({ seq: 3, which: "best" }) }),
        await post(`${stale}/end`, { seq: 3, how: "ended", error: null }),
        await post(`${stale}/died`, { exitCode: 1, signal: null, log: [] }),
        await ask(`${stale}/checkpoint`),
        await ask(`${stale}/order`),
      ];
      for (const { status, json } of answers) expect([status, json.kind]).toEqual([409, "stale"]);
      const name = stale.split("/").slice(2).join(".");
      for (const what of [
        "a record (epoch)",
        "a checkpoint",
        "best weights",
        "the end",
        "a death",
      ]) {
        const refused = `refused ${what} of attempt ${name} at adam-0: the current one is 1.2 of two`;
        expect(readFileSync(trialFile("log.txt"), "utf8")).toContain(refused);
        expect(said.join("\n")).toContain(refused);
      }
    }
    expect([recorded(), gone]).toEqual([before, []]);
    expect(existsSync(trialFile("best.safetensors"))).toBe(false);
    // Three turns of five writes, and a request for weights each; who only asks for orders has told nothing.
    expect(accepted.standing()).toMatchObject({
      running: [{ key: "adam-0", attempt: 1, turn: 2, worker: "two" }],
      ...{ waiting: [], refused: 18, lastRefused: expect.stringContaining("of attempt 1.3 at") },
    });
    expect((await post("attempts/adam-0/7/begin", { worker: "liar" })).json.kind).toBe("stale");
  });

  test("of another task, or of no task, or with more in them than records have, are refused", async () => {
    await begin();
    const turn = "attempts/adam-0/1/1";
    for (const event of [
      epoch(1, { seed: 1 }),
      epoch(1, { arm: "sgd" }),
      epoch(1, { more: "of it" }),
      { formatVersion: 1, type: "steered", at: "now", what: "stop" },
      { formatVersion: 1, type: "epoch" },
      { type: "nothing" },
    ])
      expect((await post(`${turn}/event`, { seq: 1, event })).json.kind).toBe("malformed");
    expect((await ask(`${turn}/event`, { method: "POST", body: "{" })).json.kind).toBe("malformed");
    expect(recorded()).toBe("");
  });

  test("that are too large are refused before they are read", async () => {
    await begin();
    /** Says how much will come, and sends none of it. */
    const announce = (method: string, what: string, bytes: number) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request({
          ...{ port: server.port, method, path: `/attempts/adam-0/1/1/${what}` },
          headers: { authorization: `Bearer ${TOKEN}`, "content-length": bytes },
        });
        sent.on("response", (response) => {
          resolve(response.statusCode);
          sent.destroy();
        });
        sent.on("error", reject);
        sent.flushHeaders();
      });
    for (const [method, what] of [
      ["POST", "event"],
      ["POST", "end"],
      ["PUT", "weights"],
      ["PUT", "checkpoint"],
    ] as const)
      expect(await announce(method, what, 17 * 2 ** 20)).toBe(413);
    expect([recorded(), gone]).toEqual(["", []]);
  });

  test("a checkpoint must agree with the epochs that were accepted, and be one", async () => {
    await begin();
    const turn = "attempts/adam-0/1/1";
    await post(`${turn}/event`, { seq: 1, event: epoch(1) });
    const put = async (body: Uint8Array) =>
      (await ask(`${turn}/checkpoint`, { method: "PUT", body })).json.kind;
    expect(await put(checkpoint(2, 2))).toBe("malformed");
    const { record } = JSON.parse(checkpoint(2, 1).toString("latin1").split("\n")[0] ?? "");
    record.metrics[0].trainLoss = 0.25;
    expect(await put(framed({ seq: 2, record }))).toBe("malformed");
    record.metrics[0].trainLoss = 1;
    expect(await put(framed({ seq: 2, record }, Buffer.from("no weights")))).toBe("malformed");
    expect(
      existsSync(trialFile("checkpoints")) ? readdirSync(trialFile("checkpoints")) : [],
    ).toEqual([]);
  });

  test("nothing is accepted after the end", async () => {
    await begin();
    await post("attempts/adam-0/1/1/end", { seq: 1, how: "ended", error: null });
    expect(gone).toEqual([{ key: "adam-0" }]);
    const late = await post("attempts/adam-0/1/1/event", { seq: 2, event: epoch(1) });
    expect(late.json.kind).toBe("stale");
    expect((await begin()).json.kind).toBe("stale");
  });

  test("taken over twenty times within one epoch it goes on, and once more than that it has failed", async () => {
    expect((await begin("worker 0")).status).toBe(200);
    for (let lost = 1; lost <= 20; lost++) {
      expect((await begin(`worker ${lost}`)).json.turn).toBe(lost + 1);
      expect(gone).toEqual([]);
    }
    // An epoch that is recorded shows that it is not the run that takes its workers away.
    await post("attempts/adam-0/1/21/event", { seq: 1, event: epoch(1) });
    await ask("attempts/adam-0/1/21/checkpoint", { method: "PUT", body: checkpoint(2, 1) });
    for (let lost = 1; lost <= 20; lost++)
      expect((await begin(`worker ${20 + lost}`)).json.turn).toBe(lost + 21);
    expect(gone).toEqual([]);
    expect((await begin("worker 41")).json.kind).toBe("cancelled");
    expect(gone).toMatchObject([{ key: "adam-0", detail: expect.stringContaining("20 workers") }]);
  });

  test("killed three times within one epoch, it has failed; given back, it has not", async () => {
    const how = { exitCode: null, signal: "SIGKILL", log: ["the last line"] };
    for (const turn of [1, 2, 3]) {
      expect(gone).toEqual([]);
      await begin();
      expect((await post(`attempts/adam-0/1/${turn}/died`, how)).status).toBe(200);
    }
    expect(gone).toMatchObject([{ key: "adam-0", ended: how }]);
  });
});

describe("files", () => {
  test.each([
    ["files/..%2F..%2Fsecret.txt", "malformed"],
    ["files/%2Fetc%2Fpasswd", "malformed"],
    [`files/${"../".repeat(20)}etc/passwd`, "unknown"],
    [`files/${FINGERPRINT}/..%2F..%2Fsecret.txt`, "malformed"],
    [`files/${"cd".repeat(32)}`, "unknown"],
    [`files/${"cd".repeat(32)}/list`, "unknown"],
    ["attempts/..%2F..%2Fsecret/1/1/checkpoint", "stale"],
    ["attempts/adam-0/1/1%2F..%2Fx/checkpoint", "malformed"],
    ["%E0%A4%A", "malformed"],
  ])("%s leads nowhere", async (path, kind) => {
    const { json, text } = await ask(path);
    expect([json?.kind, text.includes("not of this study")]).toEqual([kind, false]);
  });

  test("the images are those of the folder, from any place on", async () => {
    const all = `first${"third, and longer"}`;
    const { json } = await ask(`files/${FINGERPRINT}/list`);
    expect(json).toEqual({
      name: "photos",
      empty: [],
      files: [
        ["lilies/1.jpg", "first"],
        ["lilies/2.jpg", ""],
        ["roses/é.jpg", "third, and longer"],
      ].map(([name, text = ""]) => ({
        name,
        bytes: text.length,
        sha256: sha256(text),
      })),
    });
    for (const from of [0, 1, 5, 9]) {
      const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
      expect((await ask(`files/${FINGERPRINT}`, { headers })).text).toBe(all.slice(from));
    }
    const beyond = await ask(`files/${FINGERPRINT}`, { headers: { range: "bytes=99-" } });
    expect(beyond.status).toBe(416);
  });

  test("as many as there are are sent without a warning, and from any of them on", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `tulips/${index + 10}.jpg`);
    mkdirSync(within("photos/tulips"));
    for (const name of names) writeFileSync(within(`photos/${name}`), name);
    const warnings: string[] = [];
    const hear = ({ message }: Error) => warnings.push(message);
    process.on("warning", hear);
    try {
      const all = `firstthird, and longer${names.join("")}`;
      expect((await ask(`files/${FINGERPRINT}`)).text).toBe(all);
      const headers = { range: "bytes=50-" };
      expect((await ask(`files/${FINGERPRINT}`, { headers })).text).toBe(all.slice(50));
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("warning", hear);
      rmSync(within("photos/tulips"), { recursive: true });
    }
    expect(warnings).toEqual([]);
  });

  test("a worker fetches them over a line that keeps breaking, and once", async () => {
    const { asked, url, close } = await breakingLine(server, 6);
    const { signal } = new AbortController();
    const wire = openWire({ url, token: TOKEN, say: () => undefined, signal });
    const folder = await fetchImages(wire, FINGERPRINT);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    expect([read("lilies/1.jpg"), read("lilies/2.jpg"), read("roses/é.jpg")]).toEqual([
      ...["first", "", "third, and longer"],
    ]);
    expect(asked.filter((text) => text.startsWith("bytes bytes=")).length).toBeGreaterThan(1);
    const before = asked.length;
    expect(await fetchImages(wire, FINGERPRINT)).toBe(folder);
    expect(asked.slice(before)).toEqual(["list "]);
    close();
  });
});
