/** @file Downloads against a server of the test's own: cut, resumed, wrong, absent. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { downloads } from "../../src/datasets/download/archives.ts";
import { fetchSource } from "../../src/datasets/sources/open-source.ts";
import type { DataEvent } from "../../src/record/index.ts";
import {
  archive,
  entry,
  expectUnpacked,
  failure,
  noise,
  partOf,
  sendFile,
  sendHalf,
  serve,
  sha256,
} from "./download-fixtures.ts";
import { temporaryFolder, writeTree } from "./fixtures.ts";

describe("a download", () => {
  test("arrives, with progress, and is there the next time", async () => {
    const body = await archive();
    const { baseUrl, ranges } = await serve((request, response) =>
      sendFile(body, request, response),
    );
    const cacheDir = temporaryFolder();
    const progress: DataEvent[] = [];
    const options = { cacheDir, baseUrl, onEvent: (event: DataEvent) => progress.push(event) };
    expectUnpacked(await fetchSource("photos", entry(body), options), cacheDir);
    expect(progress.at(-1)).toEqual({
      formatVersion: 1,
      type: "data",
      phase: "download",
      done: body.length,
      total: body.length,
      what: "photos.tgz",
    });
    await fetchSource("photos", entry(body), options);
    expect(ranges).toEqual([undefined]);
  });

  test("is taken up where the connection was cut", async () => {
    const cacheDir = temporaryFolder();
    const body = await archive();
    const { baseUrl, ranges } = await serve((request, response, count) =>
      count === 1 ? sendHalf(body, response, partOf(cacheDir)) : sendFile(body, request, response),
    );
    expectUnpacked(await fetchSource("photos", entry(body), { cacheDir, baseUrl }), cacheDir);
    expect(ranges).toHaveLength(2);
    const start = Number(ranges[1]!.slice("bytes=".length, -1));
    expect(start).toBeGreaterThan(0);
    expect(start).toBeLessThanOrEqual(body.length >> 1);
  });

  test("is taken up by the next run", async () => {
    const body = await archive();
    const { baseUrl, ranges } = await serve((request, response) =>
      sendFile(body, request, response),
    );
    const cacheDir = writeTree({ "downloads/photos.tgz.part": body.subarray(0, 5000) });
    expectUnpacked(await fetchSource("photos", entry(body), { cacheDir, baseUrl }), cacheDir);
    expect(ranges).toEqual(["bytes=5000-"]);
  });

  test("begins again where the server ignores ranges", async () => {
    const body = await archive();
    const { baseUrl } = await serve((_request, response) =>
      response.writeHead(200, { "content-length": body.length }).end(body),
    );
    const cacheDir = writeTree({ "downloads/photos.tgz.part": body.subarray(0, 5000) });
    expectUnpacked(await fetchSource("photos", entry(body), { cacheDir, baseUrl }), cacheDir);
  });

  test("begins again where the server answers with another range", async () => {
    const body = await archive();
    const { baseUrl, ranges } = await serve((request, response) => {
      if (request.headers.range === undefined) return sendFile(body, request, response);
      response
        .writeHead(206, { "content-range": `bytes 0-9/${body.length}` })
        .end(body.subarray(0, 10));
    });
    const cacheDir = writeTree({ "downloads/photos.tgz.part": body.subarray(0, 5000) });
    expectUnpacked(await fetchSource("photos", entry(body), { cacheDir, baseUrl }), cacheDir);
    expect(ranges).toEqual(["bytes=5000-", undefined]);
  });

  test.each([
    ["longer than the file, of known length", true],
    ["longer than the file, of unknown length", false],
  ])("begins again when the part is %s", async (_what, known) => {
    const body = await archive();
    const { baseUrl } = await serve((request, response) => sendFile(body, request, response));
    const cacheDir = writeTree({ "downloads/photos.tgz.part": Buffer.concat([body, body]) });
    const wanted = entry(body, known ? {} : { bytes: null });
    expectUnpacked(await fetchSource("photos", wanted, { cacheDir, baseUrl }), cacheDir);
  });

  test("whole before the last step is not fetched again", async () => {
    const body = await archive();
    const cacheDir = writeTree({ "downloads/photos.tgz.part": body });
    expectUnpacked(await fetchSource("photos", entry(body), { cacheDir }), cacheDir);
  });

  test("fetched by hand is used without a network", async () => {
    const body = await archive();
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    expectUnpacked(await fetchSource("photos", entry(body), { cacheDir }), cacheDir);
  });

  test("of several files is used as it is", async () => {
    const [one, two] = [noise(3000), noise(50)];
    const { baseUrl } = await serve((request, response) =>
      sendFile(request.url === "/x/one.gz" ? one : two, request, response),
    );
    const file = (name: string, body: Buffer) => ({
      url: `http://letters.example/x/${name}`,
      bytes: null,
      checksum: { algorithm: "md5" as const, hex: createHash("md5").update(body).digest("hex") },
    });
    const cacheDir = temporaryFolder();
    const wanted = { files: [file("one.gz", one), file("two.gz", two)], folder: null };
    const folder = await fetchSource("letters", wanted, { cacheDir, baseUrl });
    expect(folder).toBe(join(cacheDir, "downloads", "letters"));
    expect(readFileSync(join(folder, "one.gz")).equals(one)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["one.gz", "two.gz"]);
  });
});

describe("a download that fails ends with exit code 1", () => {
  test("wrong checksum: both are named, nothing is kept", async () => {
    const body = await archive();
    const { baseUrl } = await serve((request, response) => sendFile(body, request, response));
    const cacheDir = temporaryFolder();
    const hex = "0".repeat(64);
    const error = await failure(fetchSource("photos", entry(body, { hex }), { cacheDir, baseUrl }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toContain(sha256(body));
    expect(error.message).toContain(hex);
    expect(readdirSync(join(cacheDir, "downloads"))).toEqual([]);
  });

  test("wrong checksum of a file put there by hand: it is not removed", async () => {
    const body = await archive();
    const cacheDir = writeTree({ "downloads/photos.tgz": "something else" });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error.message).toContain(sha256(Buffer.from("something else")));
    expect(existsSync(join(cacheDir, "downloads/photos.tgz"))).toBe(true);
  });

  test.each([
    [404, "Not Found"],
    [503, "Service Unavailable"],
  ])("status %i", async (status, text) => {
    const body = await archive();
    const { baseUrl, ranges } = await serve((_request, response) =>
      response.writeHead(status).end("no"),
    );
    const cacheDir = temporaryFolder();
    const error = await failure(fetchSource("photos", entry(body), { cacheDir, baseUrl }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toBe(
      `photos: https://photos.example/sets/photos.tgz answers ${status} ${text}; fetch https://photos.example/sets/photos.tgz by hand and put it at ${join(cacheDir, "downloads", "photos.tgz")}`,
    );
    expect(ranges).toHaveLength(1);
  });

  test("no network: says what to fetch by hand, and where to put it", async () => {
    const { baseUrl } = await serve((request) => request.socket.destroy());
    const cacheDir = temporaryFolder();
    const error = await failure(fetchSource("flowers", downloads.flowers, { cacheDir, baseUrl }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toContain("flowers: cannot reach storage.googleapis.com");
    expect(error.message).toContain(
      `fetch ${downloads.flowers.files[0]!.url} by hand and put it at ${join(cacheDir, "downloads", "flower_photos.tgz")}`,
    );
  });

  test("cut again and again without a byte: what came is kept for the next run", async () => {
    const cacheDir = temporaryFolder();
    const body = await archive();
    const { baseUrl, ranges } = await serve((request, response, count) =>
      count === 1 ? sendHalf(body, response, partOf(cacheDir)) : request.socket.destroy(),
    );
    const error = await failure(fetchSource("photos", entry(body), { cacheDir, baseUrl }));
    const kept = readFileSync(partOf(cacheDir));
    expect(error.message).toContain(
      `${kept.length} bytes are kept, and the next run goes on from there`,
    );
    expect(body.subarray(0, kept.length).equals(kept)).toBe(true);
    expect(ranges.length).toBe(2);
  });

  test("an interruption keeps what came and ends with 130", async () => {
    const body = await archive();
    const { baseUrl } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, 20_000)); // and no more
    });
    const cacheDir = temporaryFolder();
    const controller = new AbortController();
    const error = await failure(
      fetchSource("photos", entry(body), {
        cacheDir,
        baseUrl,
        signal: controller.signal,
        onEvent: () => controller.abort(),
      }),
    );
    expect(error).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    const kept = readFileSync(partOf(cacheDir));
    expect(kept.length).toBeGreaterThan(0);
    expect(body.subarray(0, kept.length).equals(kept)).toBe(true);
  });
});
