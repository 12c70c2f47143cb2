/**
 * @file The HTTP server to which workers tell what comes of their tasks. Whoever has the token is answered, nobody
 * else; every request names a task that is open, and no name leads to a file.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import { differences } from "../../../core/differences.ts";
import { ArgumentError, codeOf } from "../../../core/errors.ts";
import type { WeightsOnDisk } from "../../../store/index.ts";
import {
  beginRequest,
  checkpointRequest,
  diedRequest,
  endRequest,
  eventRequest,
  type Granted,
  unfitRequest,
  weightsRequest,
} from "./messages.ts";
import { REFUSALS, Refusal, type RefusalKind } from "./refusal.ts";
import type { SentFiles } from "./sent-files.ts";
import type { Attempts, Turn } from "./turns.ts";

/** Bytes of a record at most: a range test's curves of many seeds are a megabyte. */
const MOST_RECORD = 16 * 2 ** 20;
/** Milliseconds that a question for orders is held. */
const HELD = 20_000;

export interface StoreServerOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly token: string;
  readonly attempts: Attempts;
  /** Bytes of a file of weights, at most. */
  readonly mostWeights: number;
  /** What every task needs, as JSON. */
  readonly description: string;
  /** Hears of a worker that gets no task, and why. */
  unfit(worker: string, reason: string): void;
  readonly files: SentFiles;
}

export interface StoreServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts it. @throws ArgumentError where the address cannot be listened on */
export async function startStoreServer(options: StoreServerOptions): Promise<StoreServer> {
  const server = createServer((request, response) => {
    void answer(request, response, options);
  });
  // A checkpoint over a slow line takes as long as it takes.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new ArgumentError(
          `--address: ${options.host}:${options.port} cannot be listened on (${codeOf(error) ?? error.message}); choose another`,
        ),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: StoreServerOptions,
): Promise<void> {
  try {
    const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!timingSafeEqual(sha256(given), sha256(options.token)))
      throw new Refusal("unauthorized", "the token is not this study's");
    await handle(request, response, options);
  } catch (error) {
    // Of a body that was not read to its end nothing can follow on the same connection.
    response.shouldKeepAlive = false;
    if (response.headersSent) response.destroy();
    else {
      const [status, kind] =
        error instanceof Refusal ? [REFUSALS[error.kind], error.kind] : [500, "internal"];
      send(
        response,
        { error: error instanceof Error ? error.message : String(error), kind },
        status,
      );
    }
  }
}

function send(response: ServerResponse, value: unknown, status = 200): void {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(body);
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: StoreServerOptions,
): Promise<void> {
  const { attempts } = options;
  const parts = (request.url ?? "").split("?")[0]?.split("/").slice(1) ?? [];
  const [room = "", ...rest] = parts.map(decoded);
  const call = `${request.method} ${room}`;
  if (call === "GET study" && rest.length === 0) return send(response, options.description);
  if (call === "POST unfit" && rest.length === 0) {
    const { worker, reason } = await json(request, unfitRequest);
    options.unfit(worker, reason);
    return send(response, {});
  }
  if (call === "GET files" && rest.length <= 2) {
    const [fingerprint = "", list] = rest;
    if (!/^[0-9a-f]{64}$/.test(fingerprint) || (list !== undefined && list !== "list"))
      throw new Refusal(
        "malformed",
        "a fingerprint has 64 digits of 0-9 a-f, and no other characters",
      );
    if (list === undefined)
      return sendFiles(request, response, await options.files.paths(fingerprint));
    const found = await options.files.list(fingerprint);
    if (found === null) throw new Refusal("unknown", NOT_OURS);
    return send(response, found);
  }
  if (room !== "attempts") throw new Refusal("unknown", "there is nothing of that name");
  const [key = "", attempt, third, what, ...more] = rest;
  const numbers = [Number(attempt), Number(third)] as const;
  if (request.method === "POST" && third === "begin" && what === undefined) {
    const { worker } = await json(request, beginRequest);
    return send(response, await attempts.begin({ key, attempt: numbers[0] }, worker));
  }
  const turn: Turn = { key, attempt: numbers[0], turn: numbers[1] };
  if (!numbers.every((number) => Number.isSafeInteger(number)) || more.length > 0)
    throw new Refusal("malformed", `${request.url}: is no attempt at a task`);
  /** Weights, once all of them have come as they were sent. What is refused is read to its end, or the answer would be lost. */
  const received = (
    { what, bytes, sha256 }: { what: string; bytes: AsyncIterable<Buffer>; sha256: string },
    use: (weights: WeightsOnDisk) => Granted,
  ) =>
    attempts
      .receive(turn, { what, bytes }, (weights) => {
        if (weights.sha256 === sha256) return use(weights);
        throw new Error(`${what} of ${key}: other bytes came than were sent`);
      })
      .catch(async (error) => {
        if (error instanceof Refusal && error.kind !== "oversized") await passOver(bytes);
        throw error;
      });
  switch (`${request.method} ${what}`) {
    case "GET order":
      return send(response, await attempts.order(turn, HELD));
    case "GET checkpoint":
    case "GET best":
      return sendFiles(request, response, [
        attempts.weightsFile(turn, what as "checkpoint" | "best"),
      ]);
    case "POST event": {
      const body = await text(request);
      const { seq, event } = asTold(body, eventRequest);
      return send(response, attempts.event(turn, seq, event));
    }
    case "PUT weights": {
      const { head, bytes } = await framed(request, weightsRequest, options.mostWeights);
      const { seq, which, sha256 } = head;
      const granted = await received({ what: `${which} weights`, bytes, sha256 }, (weights) =>
        attempts.weights(turn, seq, { which, weights }),
      );
      return send(response, granted);
    }
    case "PUT checkpoint": {
      const { head, bytes } = await framed(request, checkpointRequest, options.mostWeights);
      const { seq, record, sha256 } = head;
      const granted = await received({ what: "a checkpoint", bytes, sha256 }, (weights) =>
        attempts.checkpoint(turn, seq, { record, weights }),
      );
      return send(response, granted);
    }
    case "POST end":
      return send(response, attempts.end(turn, await json(request, endRequest)));
    case "POST died":
      return send(response, attempts.died(turn, await json(request, diedRequest)));
    default:
      throw new Refusal("unknown", "there is nothing of that name");
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal("malformed", "the address is not encoded as one");
  }
}

/** What comes, at most so many bytes of it. @throws Refusal where there are more, or fewer than were announced */
async function* partsOf(request: IncomingMessage, most: number): AsyncGenerator<Buffer> {
  const said = Number(request.headers["content-length"] ?? 0);
  const tooLarge = () =>
    new Refusal("oversized", `a body of this kind has at most ${most} bytes; this has more`);
  if (said > most) throw tooLarge();
  let size = 0;
  // Whoever stops reading has still to answer.
  const parts = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const part of parts) {
    size += part.byteLength;
    if (size > most) throw tooLarge();
    yield part;
  }
  if (!request.complete) throw new Refusal("malformed", "the body was cut off");
}

async function passOver(parts: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const part of parts) void part;
  } catch {
    // Nobody waits for the answer.
  }
}

async function bytesOf(request: IncomingMessage, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of partsOf(request, most)) parts.push(part);
  return Buffer.concat(parts);
}

const text = async (request: IncomingMessage): Promise<string> =>
  (await bytesOf(request, MOST_RECORD)).toString("utf8");

const json = async <S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
): Promise<z.infer<S>> => parsed(await text(request), schema);

/** @throws Refusal naming the first field that is wrong; one that the schema does not have is wrong, too */
function parsed<S extends z.ZodType>(body: string, schema: S): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new Refusal("malformed", `the body is no JSON: ${(error as Error).message}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Refusal("malformed", `the body: ${issue?.path.join(".") || "it"}: ${issue?.message}`);
}

/** The same with its keys in the order in which they were told, which is that of the record; no other keys may be there. */
function asTold<S extends z.ZodType>(body: string, schema: S): z.infer<S> {
  const value = parsed(body, schema);
  const told = JSON.parse(body) as z.infer<S>;
  const [difference] = differences(JSON.parse(JSON.stringify(value)), told);
  if (difference) throw new Refusal("malformed", `the body: ${difference}`);
  return told;
}

/** A line of JSON, and then a file of weights, which has not come yet. */
async function framed<S extends z.ZodType>(request: IncomingMessage, schema: S, most: number) {
  const parts = partsOf(request, most + MOST_RECORD);
  let line = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await parts.next();
    const end = value?.indexOf(0x0a) ?? -1;
    const head = end < 0 ? value : value?.subarray(0, end);
    if (done || !value || !head || line.length + head.length > MOST_RECORD)
      throw new Refusal("malformed", "the body must begin with a line of JSON");
    line = Buffer.concat([line, head]);
    if (end < 0) continue;
    const rest = (async function* () {
      yield value.subarray(end + 1);
      yield* parts;
    })();
    return { head: asTold(line.toString("utf8"), schema), bytes: rest };
  }
}

const NOT_OURS = "no file of this study has that fingerprint";

/** Files one after another as one, from a place on that a Range names. */
async function sendFiles(
  request: IncomingMessage,
  response: ServerResponse,
  files: readonly (string | Buffer)[] | null,
): Promise<void> {
  if (files === null) throw new Refusal("unknown", NOT_OURS);
  const sizes = files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const start = Number(range?.[1] ?? 0);
  if (start >= total || (request.headers.range !== undefined && !range)) {
    const error = `there are ${total} bytes, and none from ${request.headers.range} on`;
    response.setHeader("content-range", `bytes */${total}`);
    return send(response, { error, kind: "unknown" satisfies RefusalKind }, 416);
  }
  response.writeHead(range ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": total - start,
    ...(range ? { "content-range": `bytes ${start}-${total - 1}/${total}` } : {}),
    "cache-control": "no-store",
  });
  // One stream for all: each that is piped into the answer by itself leaves its listeners there until the end.
  await pipeline(bytesFrom(files, sizes, start), response);
}

async function* bytesFrom(
  files: readonly (string | Buffer)[],
  sizes: readonly number[],
  start: number,
): AsyncGenerator<Buffer> {
  let passed = 0;
  for (const [index, file] of files.entries()) {
    const size = sizes[index] ?? 0;
    const skip = Math.max(0, start - passed);
    passed += size;
    if (skip < size) yield* createReadStream(file, { start: skip, end: size - 1 });
  }
}
