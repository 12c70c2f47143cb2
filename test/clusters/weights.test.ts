/**
 * @file Weights over the wire: they pass through files, whoever sends or fetches them, and are what was sent, or are
 * nothing.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sealed } from "../../src/files/seal.ts";
import { type Checkpoint, encodeSafetensors } from "../../src/formats/index.ts";
import type { EpochMetrics, StudyEvent } from "../../src/record/index.ts";
import { beginAttempt, openRunDirectory, type RunDirectory } from "../../src/store/index.ts";
import { attempts } from "../../src/study/executors/wire/attempts.ts";
import { openWire } from "../../src/study/executors/wire/client.ts";
import { sentFiles } from "../../src/study/executors/wire/sent-files.ts";
import { type StoreServer, startStoreServer } from "../../src/study/executors/wire/server.ts";
import { wireStore } from "../../src/study/executors/wire/wire-store.ts";
import { fetchImages, fetchWeights } from "../../src/study/worker/fetch-files.ts";
import type { makeCheckpoint } from "../../src/train/checkpoint.ts";
import { temporaryFolder } from "../cli/temporary.ts";
import { tinyTrial } from "../faults/tiny.ts";
import { breakingLine } from "./breaking-line.ts";
import { until } from "./commands.ts";

const within = temporaryFolder();
const TOKEN = "a-token";
const IMAGES = "ab".repeat(32);
const MOST = 3 * 2 ** 20;

let runs = 0;
let directory: RunDirectory;
let server: StoreServer;
let gone: object[];
let said: string[];
beforeEach(async () => {
  vi.stubEnv("LRSCOPE_CACHE", within(`cache-${runs}`));
  const path = within(`run-${runs++}`);
  mkdirSync(path);
  directory = openRunDirectory(path);
  [gone, said] = [[], []];
  const accepted = attempts({
    ...{ directory, onEvent: () => undefined, say: (message) => said.push(message) },
    ...{ running: () => undefined, gone: ({ key }, how) => gone.push({ key, ...how }) },
  });
  accepted.open(beginAttempt(directory, tinyTrial()));
  mkdirSync(within("photos/lilies"), { recursive: true });
  for (const name of ["1", "2", "3"])
    writeFileSync(within(`photos/lilies/${name}.jpg`), `image ${name}`);
  writeFileSync(within("first.safetensors"), encodeSafetensors(large(2)));
  server = await startStoreServer({
    ...{ host: "127.0.0.1", port: 0, token: TOKEN, attempts: accepted, mostWeights: MOST },
    ...{ description: "{}", unfit: () => undefined },
    files: sentFiles(
      {
        setup: { source: within("photos"), pretrained: within("first.safetensors") },
        dataset: { fingerprint: IMAGES },
      } as unknown as Parameters<typeof sentFiles>[0],
      sha256(readFileSync(within("first.safetensors"))),
    ),
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** A mebibyte for each. */
const large = (mebibytes: number): Checkpoint => ({
  metadata: {},
  tensors: new Map([
    ["w", { shape: [mebibytes * 2 ** 18], data: new Float32Array(mebibytes * 2 ** 18).fill(0.5) }],
    ["none", { shape: [0], data: new Int32Array(0) }],
  ]),
});
const wireTo = (url: string) =>
  openWire({ url, token: TOKEN, say: (text) => said.push(text), signal: never });
const never = new AbortController().signal;
const straight = () => wireTo(`http://127.0.0.1:${server.port}`);
const storeOf = (wire = straight()) =>
  wireStore(wire, { key: "adam-0", attempt: 1, mostWeights: MOST });
const line = (epoch: number): EpochMetrics => ({
  ...{ epoch, update: 4 * epoch, lr: 0.01, trainLoss: 1 / epoch, trainAccuracy: 0.5 },
  ...{ validationLoss: 1, validationAccuracy: 0.5, seconds: 1 },
});
const epoch = (number: number) =>
  ({
    ...{ formatVersion: 1, type: "epoch", arm: "adam", seed: 0, metrics: line(number) },
  }) as unknown as StudyEvent;
const record = (epochs: number) => ({
  ...{ formatVersion: 1 as const, epoch: epochs, update: 4 * epochs, msPerStep: 1, seconds: 1 },
  metrics: Array.from({ length: epochs }, (_, index) => line(index + 1)),
});
const trial = {} as Parameters<typeof makeCheckpoint>[0]["trial"];
const folder = () => join(directory.path, "trials/adam-0");
const inFolder = () => readdirSync(folder()).sort();
const sent = () => inFolder().filter((name) => name.endsWith(".tmp"));

/** Begins to send weights; what is written to it goes there at once. */
function sending(bytes: Uint8Array, head: object, more: Record<string, string | number> = {}) {
  const call = request({
    ...{ port: server.port, method: "PUT", path: "/attempts/adam-0/1/1/weights" },
    headers: { authorization: `Bearer ${TOKEN}`, ...more },
  });
  call.write(`${JSON.stringify({ seq: 1, which: "last", sha256: sha256(bytes), ...head })}\n`);
  return call;
}
const answerOf = (call: ClientRequest) =>
  new Promise<{ status: number | undefined; kind: string | undefined }>((resolve, reject) => {
    call.on("error", reject);
    call.on("response", async (response) => {
      let text = "";
      for await (const part of response) text += part;
      resolve({ status: response.statusCode, kind: JSON.parse(text).kind });
    });
  });

describe("weights that are sent", () => {
  test("lie on the disk as far as they have come, and have their name once they are whole", async () => {
    await storeOf().take("one");
    const bytes = encodeSafetensors(sealed(large(2)));
    const call = sending(bytes, {});
    const answer = answerOf(call);
    call.write(bytes.subarray(0, 2 ** 20));
    await until("what has come lies there", () => {
      const [name] = sent();
      return name !== undefined && statSync(join(folder(), name)).size === 2 ** 20;
    });
    expect(existsSync(join(folder(), "last.safetensors"))).toBe(false);
    call.end(bytes.subarray(2 ** 20));
    expect(await answer).toEqual({ status: 200, kind: undefined });
    expect(readFileSync(join(folder(), "last.safetensors"))).toEqual(Buffer.from(bytes));
    expect(sent()).toEqual([]);
  });

  test("and break off, leave nothing; the same request may be made again", async () => {
    const store = storeOf();
    await store.take("one");
    const bytes = encodeSafetensors(sealed(large(2)));
    const call = sending(bytes, {}, { "content-length": bytes.length + 200 });
    call.on("error", () => undefined);
    call.write(bytes.subarray(0, 2 ** 20));
    await until("some of it has come", () => sent().length > 0);
    call.destroy();
    await until("it is gone", () => sent().length === 0);
    await store.recorder.sink.weights?.({ which: "last", trial, epoch: 1, weights: large(2) });
    expect(readFileSync(join(folder(), "last.safetensors"))).toEqual(Buffer.from(bytes));
    expect(gone).toEqual([]);
  });

  test.each([
    ["other bytes than were sent", 500, "internal", { sha256: "0".repeat(64) }, sealed(large(1))],
    ["changed since they were sealed", 400, "malformed", {}, changed()],
    ["of a turn that is not the newest", 409, "stale", {}, sealed(large(1))],
  ] as const)(
    "that are %s are refused, and nothing of them is kept",
    async (what, status, kind, head, weights) => {
      await storeOf().take("one");
      if (what.startsWith("of a turn")) await storeOf().take("two");
      const bytes = encodeSafetensors(weights);
      const call = sending(bytes, head);
      const answer = answerOf(call);
      call.end(bytes);
      expect(await answer).toEqual({ status, kind });
      expect(
        inFolder().filter((name) => name.includes("safetensors") || name.endsWith(".tmp")),
      ).toEqual([]);
      // One worker's weights end no study.
      expect(gone).toEqual([]);
    },
  );

  test("that are more than the study's network can have are refused while they come", async () => {
    await storeOf().take("one");
    const call = sending(new Uint8Array(0), {});
    const answer = answerOf(call);
    const answered = answer.then(() => undefined);
    // In pieces whose sum nobody has said before; whoever is refused is not read any further.
    for (let i = 0; i < 64; i++) {
      const written = new Promise((resolve) => call.write(Buffer.alloc(2 ** 20), resolve));
      if (await Promise.race([written.then(() => false), answered.then(() => true)])) break;
    }
    expect(await answer).toEqual({ status: 413, kind: "oversized" });
    call.destroy();
    await until("nothing is left of them", () => sent().length === 0);
  });
});

function changed(): Checkpoint {
  const { metadata } = sealed(large(1));
  const tensors = new Map(large(1).tensors);
  tensors.set("w", { shape: [2 ** 18], data: new Float32Array(2 ** 18).fill(0.25) });
  return { metadata, tensors };
}

describe("weights that are fetched", () => {
  /** A trial of one epoch, whose worker is gone. */
  async function begun() {
    const store = storeOf();
    await store.take("one");
    await store.recorder.onEvent(epoch(1));
    await store.recorder.sink.checkpoint?.({ trial, record: record(1), weights: large(2) });
  }

  test("for a trial that goes on come over a line that keeps breaking, and leave nothing in the cache", async () => {
    await begun();
    const { url, asked, close } = await breakingLine(server, 2 ** 19);
    const store = storeOf(wireTo(url));
    await store.take("two");
    const state = await store.begin();
    expect(state).toMatchObject({ metrics: [line(1)] });
    const { checkpoint } = state as { checkpoint: Checkpoint };
    expect(encodeSafetensors(checkpoint)).toEqual(encodeSafetensors(large(2)));
    expect(asked.filter((text) => text.startsWith("bytes"))).toEqual([
      "bytes ",
      ...[1, 2, 3, 4].map((halves) => `bytes bytes=${halves * 2 ** 19}-`),
    ]);
    expect(readdirSync(join(process.env.LRSCOPE_CACHE ?? "", "fetched"))).toEqual([]);
    close();
  });

  test("are refused where they are more than the study's network can have", async () => {
    await begun();
    const store = wireStore(straight(), { key: "adam-0", attempt: 1, mostWeights: 2 ** 20 });
    await expect(store.take("two")).rejects.toThrow(
      /attempts\/adam-0\/1\/2\/checkpoint: must have at most 1048576 bytes.*; 20\d{5} are announced/,
    );
  });

  test("that are damaged where they are kept: the trial goes on from what is whole", async () => {
    await begun();
    const file = join(folder(), "checkpoints/epoch-000001.safetensors");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const store = storeOf();
    await store.take("two");
    expect(await store.begin()).toBeNull();
  });

  test("first of a study come over such a line, too, are kept, and fetched again once they are not whole any more", async () => {
    const { url, asked, close } = await breakingLine(server, 2 ** 19);
    const bytes = readFileSync(within("first.safetensors"));
    const file = { name: "first.safetensors", sha256: sha256(bytes), bytes: bytes.length };
    const path = await fetchWeights(wireTo(url), file);
    expect(readFileSync(path)).toEqual(bytes);
    expect(asked).toHaveLength(5);
    expect(await fetchWeights(wireTo(url), file)).toBe(path);
    expect(asked).toHaveLength(5);
    writeFileSync(path, bytes.fill(1, 2 ** 20, 2 ** 20 + 1));
    await fetchWeights(wireTo(url), file);
    expect(sha256(readFileSync(path))).toBe(file.sha256);
    close();
  });
});

test("images that are no longer what was fetched are fetched again, and what was is not", async () => {
  const { url, asked, close } = await breakingLine(server, 2 ** 19);
  const path = await fetchImages(wireTo(url), IMAGES);
  const damaged = join(path, "lilies/2.jpg");
  writeFileSync(damaged, "imago 2");
  expect(await fetchImages(wireTo(url), IMAGES)).toBe(path);
  expect(readFileSync(damaged, "utf8")).toBe("imago 2");
  await fetchImages(wireTo(url), IMAGES, { isDamaged: true });
  expect(readFileSync(damaged, "utf8")).toBe("image 2");
  expect(asked.filter((text) => text.startsWith("bytes"))).toEqual(["bytes ", "bytes bytes=7-"]);
  close();
});

test("where a file is no longer there, a fetch of it ends", async () => {
  const bytes = readFileSync(within("first.safetensors"));
  writeFileSync(within("first.safetensors"), "");
  const file = { name: "first.safetensors", sha256: sha256(bytes), bytes: bytes.length };
  await expect(fetchWeights(straight(), file)).rejects.toThrow("there are 0 bytes, and none from");
});
