/** @file Downloads against a server of the test's own: cut, resumed, wrong, absent, hostile. */

import { execFileSync, spawnSync } from "node:child_process";
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
import { download } from "../../src/data/download.ts";
import type { DataProgress } from "../../src/data/index.ts";
import { fetchSource } from "../../src/data/open-source.ts";
import { unpack } from "../../src/data/unpack.ts";
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
        onProgress: () => controller.abort(),
      }),
    );
    expect(error).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    const kept = readFileSync(partOf(cacheDir));
    expect(kept.length).toBeGreaterThan(0);
    expect(body.subarray(0, kept.length).equals(kept)).toBe(true);
  });
});

describe("a server that does not do as it should", () => {
  const url = "https://photos.example/sets/photos.tgz";

  /** Asks for a file of that length, with some of it there already; what is left of the part. */
  async function ask(
    respond: Respond,
    { body, bytes = null, part, mostBytes }: AskOptions,
  ): Promise<{ message: string; left: number | null; file: Buffer | null; requests: number }> {
    const { baseUrl, ranges } = await serve(respond);
    const cacheDir = part === undefined ? temporaryFolder() : writeTree({ "x.part": part });
    const destination = join(cacheDir, "x");
    const message = await download(
      { url, bytes, checksum: { algorithm: "sha256", hex: sha256(body) } },
      { source: "photos", destination, baseUrl, mostBytes },
    ).then(
      () => "arrived",
      (error: LrscopeError) => {
        expect(error.code).toBe("DOWNLOAD");
        return error.message
          .replace(`; fetch ${url} by hand and put it at ${destination}`, "")
          .replace(`photos: ${url} `, "");
      },
    );
    const left = existsSync(`${destination}.part`) ? statSync(`${destination}.part`).size : null;
    const file = existsSync(destination) ? readFileSync(destination) : null;
    return { message, left, file, requests: ranges.length };
  }
  interface AskOptions {
    readonly body: Buffer;
    readonly bytes?: number | null;
    readonly part?: Buffer;
    readonly mostBytes?: number;
  }

  /** Sends for ever, and is told when nobody takes it any more. */
  function sendForEver(response: ServerResponse) {
    const block = noise(1 << 14);
    const write = () => {
      while (!response.destroyed && response.write(block));
      if (!response.destroyed) response.once("drain", write);
    };
    response.writeHead(200);
    write();
  }

  test("that never ends is left at the published length", async () => {
    const body = noise(100_000);
    const { message, left, requests } = await ask((_request, response) => sendForEver(response), {
      body,
      bytes: body.length,
    });
    expect(message).toBe("sends more than its published 100000 bytes; what came was removed");
    expect([left, requests]).toEqual([null, 1]);
  });

  test("that never ends is left at the allowed length, where none is published", async () => {
    const options = { body: noise(10), mostBytes: 200_000 };
    const { message, left } = await ask((_request, response) => sendForEver(response), options);
    expect(message).toBe(
      "sends more than the 200000 that are taken of a file whose length is not published; what came was removed",
    );
    expect(left).toBeNull();
  });

  test("that announces more than is allowed, or than is published, sends nothing", async () => {
    const announce = (length: number) => (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { "content-length": length });
      response.flushHeaders();
    };
    const body = noise(10);
    expect((await ask(announce(5e9), { body })).message).toBe(
      "has 5000000000 bytes there, more than the 4294967296 that are taken of a file whose length is not published",
    );
    for (const length of [9, 11])
      expect((await ask(announce(length), { body, bytes: 10 })).message).toBe(
        `has ${length} bytes there, not the 10 that are published`,
      );
  });

  test.each([
    ["without a range", undefined, ", without saying which part,"],
    ["of another range", "bytes 5-9/10", ', with the part "bytes 5-9/10",'],
    ["of a range that is none", "bytes all", ', with the part "bytes all",'],
  ])("206 %s to a request for the whole file", async (_what, range, named) => {
    const { message, requests } = await ask(
      (_request, response) =>
        response.writeHead(206, range ? { "content-range": range } : {}).end("12345"),
      { body: noise(10) },
    );
    expect(message).toBe(`answers 206 Partial Content${named} to a request for the whole file`);
    expect(requests).toBe(1);
  });

  test("206 with all of the file to a request for it is taken", async () => {
    const body = noise(10);
    const { file } = await ask(
      (_request, response) =>
        response.writeHead(206, { "content-range": "bytes 0-9/10" }).end(body),
      { body },
    );
    expect(file!.equals(body)).toBe(true);
  });

  test("206 that brings the rest piece by piece is gone on with", async () => {
    const body = noise(300_000);
    const { file, requests } = await ask(
      (request, response) => {
        const start = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
        const end = Math.min(body.length, start + 100_000);
        response
          .writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${body.length}` })
          .end(body.subarray(start, end));
      },
      { body },
    );
    expect(file!.equals(body)).toBe(true);
    expect(requests).toBe(3);
  });

  test("206 of a longer file than is published, to a request for the rest", async () => {
    const { message, left } = await ask(
      (_request, response) =>
        response.writeHead(206, { "content-range": "bytes 4-19/20" }).end(noise(16)),
      { body: noise(10), bytes: 10, part: noise(10).subarray(0, 4) },
    );
    expect(message).toBe("has 20 bytes there, not the 10 that are published");
    expect(left).toBe(4);
  });

  test("206 without a range to a request for the rest: the whole is asked for, once", async () => {
    const { message, requests } = await ask(
      (_request, response) => response.writeHead(206).end("12345"),
      { body: noise(10), part: noise(4) },
    );
    expect(message).toContain("answers 206 Partial Content, without saying which part,");
    expect(requests).toBe(2);
  });

  test("416 to every request is said, not asked again and again", async () => {
    const respond: Respond = (_request, response) => response.writeHead(416).end();
    const whole = await ask(respond, { body: noise(10) });
    expect(whole.message).toBe("answers 416 Range Not Satisfiable to a request for the whole file");
    expect(whole.requests).toBe(1);
    const rest = await ask(respond, { body: noise(10), part: noise(4) });
    expect([rest.message, rest.requests]).toEqual([whole.message, 2]);
  });

  test("416 where the part is all there is: it is the file", async () => {
    const body = noise(10);
    const { file, requests } = await ask((request, response) => sendFile(body, request, response), {
      body,
      part: body,
    });
    expect(file!.equals(body)).toBe(true);
    expect(requests).toBe(1);
  });

  test("416 where the part is as long, and another file: it is removed, with both checksums", async () => {
    const [body, part] = [noise(10), Buffer.from("other....!")];
    const { message, left } = await ask((request, response) => sendFile(body, request, response), {
      body,
      part,
    });
    expect(message).toContain(`the sha256 checksum ${sha256(part)}, not ${sha256(body)}`);
    expect(message).toContain("was removed");
    expect(left).toBeNull();
  });

  test.each([
    ["more", 20],
    ["less", 5],
  ])("a length that promises %s than comes", async (_what, length) => {
    const body = noise(10);
    const { message, left } = await ask(
      (request, response) => {
        const { socket } = response;
        socket!.end(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${"x".repeat(10)}`);
        request.resume();
      },
      { body },
    );
    if (length > body.length) {
      expect(message).toContain("photos.example keeps breaking off (");
      expect(left).toBeLessThanOrEqual(10);
    } else {
      expect(message).toContain("was removed");
      expect(left).toBeNull();
    }
  });

  test("pieces that never add up end after a few tries", async () => {
    const sizes = [10, 20];
    const { message, requests } = await ask(
      (_request, response, count) => {
        response.socket!.end(
          `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${"x".repeat(sizes[count % 2]!)}`,
        );
      },
      { body: noise(1000), bytes: 1000 },
    );
    expect(message).toContain("photos.example keeps breaking off (");
    expect(requests).toBe(5);
  });

  test("bytes that were packed on the way", async () => {
    const { message } = await ask(
      (_request, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("a".repeat(1e6))),
      { body: noise(10) },
    );
    expect(message).toBe("sends gzip, though the bytes as they are were asked for");
  });

  test("redirects without an end", async () => {
    const { message } = await ask(
      (request, response) =>
        response.writeHead(302, { location: `${request.url}x` }).end("<html>Moved</html>"),
      { body: noise(10) },
    );
    expect(message).toBe("leads from one address to the next without an end");
  });

  test("an empty answer", async () => {
    const empty = { "content-length": 0 };
    for (const [status, wanted] of [
      [200, "answers 200 OK with an empty body"],
      [204, "answers 204 No Content"],
    ] as const) {
      const { message } = await ask(
        (_request, response) => response.writeHead(status, status === 200 ? empty : {}).end(),
        { body: noise(10) },
      );
      expect(message).toBe(wanted);
    }
  });

  test("an error with a page for people: the part stays", async () => {
    const { message, left } = await ask(
      (_request, response) => response.writeHead(403).end("<html>".repeat(1000)),
      { body: noise(10), part: noise(4) },
    );
    expect(message).toBe("answers 403 Forbidden");
    expect(left).toBe(4);
  });

  test.each(["x", "x.part"])("a folder or a FIFO as %s is named", async (name) => {
    for (const make of ["mkdir", "mkfifo"]) {
      const cacheDir = temporaryFolder();
      execFileSync(make, [join(cacheDir, name)]);
      const error = await failure(
        download(
          { url, bytes: null, checksum: { algorithm: "sha256", hex: "0" } },
          { source: "photos", destination: join(cacheDir, "x"), baseUrl: "http://127.0.0.1:1" },
        ),
      );
      const kind = make === "mkdir" ? "a folder" : "a FIFO";
      expect(error).toMatchObject({ code: "STORE", exitCode: 2 });
      expect(error.message).toContain(
        `${join(cacheDir, name)}: is ${kind}, where a file should be`,
      );
    }
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

  test.each([
    ["bytes", { mostBytes: 99_999 }, "its files have more than 99999 bytes together"],
    ["entries", { mostEntries: 5 }, "it holds more than 5 entries"],
  ])("more %s than are allowed", async (_what, limit, reason) => {
    const file = join(writeTree({ "photos.tgz": await archive() }), "photos.tgz");
    const parent = temporaryFolder();
    const unpacked = unpack({
      archive: file,
      folder: "photos",
      destination: join(parent, "photos"),
      ...limit,
    });
    expect((await failure(unpacked)).message).toBe(`${file}: refused, as ${reason}`);
    expect(readdirSync(parent)).toEqual([]);
  });

  test("a file of zeros that a few bytes become", async () => {
    const header = Buffer.alloc(512);
    new Header({ path: "photos/a/1.jpg", type: "File", size: 2 ** 28, mode: 0o644 }).encode(header);
    const body = gzipSync(Buffer.concat([header, Buffer.alloc(2 ** 28 + 1024)]), { level: 9 });
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toMatch(/cannot be unpacked|refused/);
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
  });

  test("an archive without the folder", async () => {
    const body = rawTar([{ path: "pictures/a/1.jpg", type: "File", body: "fine" }]);
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toContain('holds no folder "photos"');
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
  });

  test.each(["sources/photos", "sources"])("a file as %s is named", async (name) => {
    const body = await archive();
    const cacheDir = writeTree({ "downloads/photos.tgz": body, [name]: "x" });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "STORE", exitCode: 2 });
    expect(error.message).toContain(join(cacheDir, name));
  });

  test("what a process killed while it unpacks leaves goes with the next one", async () => {
    const root = writeTree(
      Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`photos/a/${i}.jpg`, noise(9)])),
    );
    const file = join(temporaryFolder(), "photos.tgz");
    await create({ file, cwd: root, gzip: true }, ["photos"]);
    const parent = join(temporaryFolder(), "sources");
    const destination = join(parent, "photos");
    const child = new URL("killed-child.mjs", import.meta.url).pathname;
    const { signal } = spawnSync(process.execPath, [child, "unpack", file, destination]);
    expect(signal).toBe("SIGKILL");
    expect(readdirSync(parent)).toEqual([expect.stringMatching(/^photos\..*\.tmp$/)]);
    await unpack({ archive: file, folder: "photos", destination });
    expect(readdirSync(parent)).toEqual(["photos"]);
    expect(readdirSync(join(destination, "a"))).toHaveLength(400);
  });

  test("two that unpack the same archive at once both get it", async () => {
    const file = join(writeTree({ "photos.tgz": await archive() }), "photos.tgz");
    const parent = temporaryFolder();
    const destination = join(parent, "photos");
    await Promise.all([1, 2].map(() => unpack({ archive: file, folder: "photos", destination })));
    expect(readdirSync(parent)).toEqual(["photos"]);
    expect(readFileSync(join(destination, "a/1.jpg")).equals(noise(60_000))).toBe(true);
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
