/** @file A server of the tests' own, and archives for it to serve. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { create } from "tar";
import { expect, onTestFinished } from "vitest";
import type { LrscopeError } from "../../src/core/errors.ts";
import { philox } from "../../src/core/philox.ts";
import type { Download } from "../../src/datasets/download/archives.ts";
import { temporaryFolder, writeTree } from "./fixtures.ts";

/** Bytes that do not compress, so that a part is a real part. */
export const noise = (length: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => philox([i, 0, 0, 0], 3, 4)[0] & 255));

export async function archive(): Promise<Buffer> {
  const root = writeTree({
    "photos/a/1.jpg": noise(60_000),
    "photos/b/1.jpg": noise(40_000),
    "photos/LICENSE.txt": "CC-BY",
  });
  const file = join(temporaryFolder(), "photos.tgz");
  await create({ file, cwd: root, gzip: true }, ["photos"]);
  return readFileSync(file);
}

export type Respond = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server, its address, and the Range header of each request so far. */
export async function serve(respond: Respond) {
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
export function sendFile(body: Buffer, request: IncomingMessage, response: ServerResponse) {
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
export function sendHalf(body: Buffer, response: ServerResponse, part: string) {
  response.writeHead(200, { "content-length": body.length });
  response.write(body.subarray(0, body.length >> 1));
  const watch = setInterval(() => {
    if (!existsSync(part) || statSync(part).size === 0) return;
    clearInterval(watch);
    response.destroy();
  }, 5);
}

export const sha256 = (body: Buffer) => createHash("sha256").update(body).digest("hex");

export const entry = (
  body: Buffer,
  changes: { bytes?: number | null; hex?: string } = {},
): Download => ({
  files: [
    {
      url: "https://photos.example/sets/photos.tgz",
      bytes: changes.bytes === undefined ? body.length : changes.bytes,
      checksum: { algorithm: "sha256", hex: changes.hex ?? sha256(body) },
    },
  ],
  folder: "photos",
});

export const failure = (promise: Promise<unknown>): Promise<LrscopeError> =>
  promise.then(
    () => expect.unreachable("it succeeded"),
    (error) => error,
  );

export const partOf = (cacheDir: string) => join(cacheDir, "downloads", "photos.tgz.part");

export function expectUnpacked(folder: string, cacheDir: string) {
  expect(folder).toBe(join(cacheDir, "sources", "photos"));
  expect(readdirSync(folder).sort()).toEqual(["LICENSE.txt", "a", "b"]);
  expect(readFileSync(join(folder, "a/1.jpg")).equals(noise(60_000))).toBe(true);
  expect(readdirSync(join(cacheDir, "downloads"))).toEqual([]);
  expect(readdirSync(join(cacheDir, "sources"))).toEqual(["photos"]);
}
