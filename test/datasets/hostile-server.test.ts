/** @file Servers that do not do as they should: without an end, with other parts than were asked for, with lies about length. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { LrscopeError } from "../../src/core/errors.ts";
import { download } from "../../src/datasets/download/download.ts";
import { failure, noise, type Respond, sendFile, serve, sha256 } from "./download-fixtures.ts";
import { temporaryFolder, writeTree } from "./fixtures.ts";

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
