/** @file Downloads against a server of the test's own: cut, resumed, wrong, absent, hostile. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create, Header } from "tar";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LrscopeError } from "../../src/core/errors.ts";
import { philox } from "../../src/core/philox.ts";
import { type Download, downloads } from "../../src/data/archives.ts";
import type { DataProgress } from "../../src/data/index.ts";
import { fetchSource } from "../../src/data/open-source.ts";
import { temporaryFolder, writeTree } from "./fixtures.ts";

/** Bytes that do not compress, so that a part is a real part. */
const noise = (length: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => philox([i, 0, 0, 0], 3, 4)[0] & 255));

async function archive(): Promise<Buffer> {
  const root = writeTree({
    "photos/a/1.jpg": noise(60_000),
    "photos/b/1.jpg": noise(40_000),
    "photos/LICENSE.txt": "CC-BY",
  });
  const file = join(temporaryFolder(), "photos.tgz");
  await create({ file, cwd: root, gzip: true }, ["photos"]);
  return readFileSync(file);
}

type Respond = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server, its address, and the Range header of each request so far. */
async function serve(respond: Respond) {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    respond(request, response, ranges.length);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ranges };
}

/** As web servers do: whole, or the range that was asked for. */
function sendFile(body: Buffer, request: IncomingMessage, response: ServerResponse) {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  if (match === null) {
    response.writeHead(200, { "content-length": body.length }).end(body);
    return;
  }
  const start = Number(match[1]);
  if (start >= body.length) {
    response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
    return;
  }
  response
    .writeHead(206, {
      "content-length": body.length - start,
      "content-range": `bytes ${start}-${body.length - 1}/${body.length}`,
    })
    .end(body.subarray(start));
}

/** Announce everything, send the first half, and hang up once some of it has reached the disk. */
function sendHalf(body: Buffer, response: ServerResponse, part: string) {
  response.writeHead(200, { "content-length": body.length });
  response.write(body.subarray(0, body.length >> 1));
  const watch = setInterval(() => {
    if (!existsSync(part) || statSync(part).size === 0) return;
    clearInterval(watch);
    response.destroy();
  }, 5);
}

const sha256 = (body: Buffer) => createHash("sha256").update(body).digest("hex");

const entry = (body: Buffer, changes: { bytes?: number | null; hex?: string } = {}): Download => ({
  files: [
    {
      url: "https://photos.example/sets/photos.tgz",
      bytes: changes.bytes === undefined ? body.length : changes.bytes,
      checksum: { algorithm: "sha256", hex: changes.hex ?? sha256(body) },
    },
  ],
  folder: "photos",
});

const failure = (promise: Promise<unknown>): Promise<LrscopeError> =>
  promise.then(
    () => expect.unreachable("it succeeded"),
    (error) => error,
  );

const partOf = (cacheDir: string) => join(cacheDir, "downloads", "photos.tgz.part");

function expectUnpacked(folder: string, cacheDir: string) {
  expect(folder).toBe(join(cacheDir, "sources", "photos"));
  expect(readdirSync(folder).sort()).toEqual(["LICENSE.txt", "a", "b"]);
  expect(readFileSync(join(folder, "a/1.jpg")).equals(noise(60_000))).toBe(true);
  expect(readdirSync(join(cacheDir, "downloads"))).toEqual([]);
  expect(readdirSync(join(cacheDir, "sources"))).toEqual(["photos"]);
}

describe("a download", () => {
  test("arrives, with progress, and is there the next time", async () => {
    const body = await archive();
    const { baseUrl, ranges } = await serve((request, response) =>
      sendFile(body, request, response),
    );
    const cacheDir = temporaryFolder();
    const progress: DataProgress[] = [];
    const options = { cacheDir, baseUrl, onProgress: (p: DataProgress) => progress.push(p) };
    expectUnpacked(await fetchSource("photos", entry(body), options), cacheDir);
    expect(progress.at(-1)).toEqual({
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
    const download = entry(body, known ? {} : { bytes: null });
    expectUnpacked(await fetchSource("photos", download, { cacheDir, baseUrl }), cacheDir);
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
    const download = { files: [file("one.gz", one), file("two.gz", two)], folder: null };
    const folder = await fetchSource("letters", download, { cacheDir, baseUrl });
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
        onProgress: () => controller.abort(),
      }),
    );
    expect(error).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    const kept = readFileSync(partOf(cacheDir));
    expect(kept.length).toBeGreaterThan(0);
    expect(body.subarray(0, kept.length).equals(kept)).toBe(true);
  });
});

describe("an archive that is hostile or broken leaves nothing", () => {
  /** A tar of raw entries, for what tar itself would not write. */
  function rawTar(
    entries: { path: string; type: "File" | "SymbolicLink"; body?: string; linkpath?: string }[],
  ) {
    const blocks = entries.flatMap(({ path, type, body = "", linkpath }) => {
      const header = new Header({
        path,
        type,
        size: body.length,
        mode: 0o644,
        ...(linkpath && { linkpath }),
      });
      const block = Buffer.alloc(512);
      header.encode(block, 0);
      const data = Buffer.alloc(Math.ceil(body.length / 512) * 512);
      data.write(body);
      return [block, data];
    });
    return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
  }

  test.each([
    [
      "climbs out",
      [{ path: "photos/../../../evil.txt", type: "File" as const, body: "x" }],
      "photos/../../../evil.txt",
    ],
    ["is absolute", [{ path: "/evil.txt", type: "File" as const, body: "x" }], "/evil.txt"],
    [
      "links",
      [{ path: "photos/link", type: "SymbolicLink" as const, linkpath: "/etc" }],
      "photos/link",
    ],
  ])("a name that %s", async (_what, entries, named) => {
    const body = rawTar([{ path: "photos/a/1.jpg", type: "File", body: "fine" }, ...entries]);
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toContain(`refused, as it holds "${named}"`);
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
    expect(existsSync(join(cacheDir, "evil.txt"))).toBe(false);
  });

  test("cut short", async () => {
    const whole = await archive();
    const body = whole.subarray(0, whole.length >> 1);
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error.message).toContain("cannot be unpacked");
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
  });
});
