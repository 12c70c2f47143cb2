/**
 * @file One request for the rest of a file: what a server may answer (RFC 9110, sections 14 and 15), and
 * how much it may send.
 */

import { open, unlink } from "node:fs/promises";
import { withCleanupLater } from "../../core/cleanup.ts";
import type { DownloadError } from "../../core/errors.ts";
import { sizeOfRegularFile } from "../../files/regular-file.ts";
import type { DownloadFile } from "./archives.ts";

export interface FetchOptions {
  readonly file: DownloadFile;
  readonly url: string;
  /** What has arrived; appended to. */
  readonly part: string;
  /** Bytes at most, where the file's length is not published. */
  readonly mostBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (done: number, total: number | null) => void;
  /** The error to throw, from what the server does: "answers 404 Not Found". */
  readonly refuse: (what: string) => DownloadError;
}

/** The network failed: before an answer, or in the middle of one. */
export class Broken extends Error {
  readonly answered: boolean;

  constructor(cause: unknown, answered: boolean) {
    super("the connection broke", { cause });
    this.answered = answered;
  }
}

/**
 * Asks for what the part lacks, and appends it. Where the part does not fit what the server has, it is
 * removed and the whole file is asked for, once.
 * @throws Broken where trying again may help
 * @throws DownloadError where it does not
 */
export async function fetchOnce(options: FetchOptions): Promise<void> {
  const offset = sizeOfRegularFile(options.part) ?? 0;
  const response = await ask(options, offset);
  const answer = understand(response, offset, options);
  if (answer.kind === "body") return receive(response, answer, options);
  // What is wrong is known already, however this connection ends.
  await response.body?.cancel().catch(() => undefined);
  if (answer.kind === "whole") return;
  if (answer.kind === "refused") throw options.refuse(answer.what);
  await unlink(options.part);
  return fetchOnce(options);
}

async function ask({ url, signal, refuse }: FetchOptions, offset: number): Promise<Response> {
  // The bytes as they are: a .gz must not be unpacked on the way.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  try {
    return await fetch(url, { headers, signal: signal ?? null });
  } catch (error) {
    const { message = "" } = ((error as Error).cause ?? {}) as Partial<Error>;
    if (/redirect/.test(message)) throw refuse("leads from one address to the next without an end");
    throw new Broken(error, false);
  }
}

type Answer =
  | { readonly kind: "body"; readonly start: number; readonly total: number | null }
  /** The part is all there is. */
  | { readonly kind: "whole" }
  /** The part does not fit what is there now. */
  | { readonly kind: "misfit" }
  | { readonly kind: "refused"; readonly what: string };

function understand(
  { status, statusText, headers, body }: Response,
  offset: number,
  { file, mostBytes }: FetchOptions,
): Answer {
  const refused = (what: string): Answer => ({ kind: "refused", what });
  const answers = `answers ${status} ${statusText}`.trim();
  const range = headers.get("content-range");
  if (status === 416) {
    if (offset === 0) return refused(`${answers} to a request for the whole file`);
    const known = file.bytes === null && /^bytes \*\/(\d+)$/.exec(range ?? "")?.[1];
    return { kind: known === String(offset) ? "whole" : "misfit" };
  }
  if ((status !== 200 && status !== 206) || body === null) return refused(answers);
  const encoding = headers.get("content-encoding") ?? "identity";
  let start = 0;
  let total: number | null;
  if (status === 206) {
    const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? "");
    if (Number(match?.[1] ?? -1) !== offset || encoding !== "identity") {
      if (offset > 0) return { kind: "misfit" };
      const part = range === null ? "without saying which part" : `with the part "${range}"`;
      return refused(`${answers}, ${part}, to a request for the whole file`);
    }
    start = offset;
    total = integerOf(match?.[2]);
  } else {
    total = integerOf(headers.get("content-length"));
    if (encoding !== "identity")
      return refused(`sends ${encoding}, though the bytes as they are were asked for`);
    if (total === 0) return refused(`${answers} with an empty body`);
  }
  if (total !== null && file.bytes !== null && total !== file.bytes)
    return refused(`has ${total} bytes there, not the ${file.bytes} that are published`);
  if (total !== null && file.bytes === null && total > mostBytes)
    return refused(`has ${total} bytes there, ${tooMany(mostBytes)}`);
  return { kind: "body", start, total: file.bytes ?? total };
}

const integerOf = (text: string | null | undefined) =>
  text && /^\d+$/.test(text) ? Number(text) : null;

const tooMany = (mostBytes: number) =>
  `more than the ${mostBytes} that are taken of a file whose length is not published`;

async function receive(
  { body }: Response,
  { start, total }: { start: number; total: number | null },
  { file, part, mostBytes, onBytes, refuse }: FetchOptions,
): Promise<void> {
  const limit = total ?? mostBytes;
  let done = start;
  let beyond = false;
  const handle = await open(part, start > 0 ? "a" : "w");
  await withCleanupLater(
    async () => {
      for await (const chunk of body ? received(body) : []) {
        beyond = done + chunk.length > limit;
        if (beyond) break;
        await handle.writeFile(chunk);
        done += chunk.length;
        onBytes(done, total);
      }
      await handle.sync();
    },
    () => handle.close(),
  );
  if (beyond) {
    await unlink(part);
    throw refuse(
      total === null
        ? `sends ${tooMany(mostBytes)}; what came was removed`
        : `sends more than its ${file.bytes === null ? "" : "published "}${total} bytes; what came was removed`,
    );
  }
  if (total !== null && done !== total)
    throw new Broken(new Error(`${done} of ${total} bytes arrived`), true);
}

/** The body's chunks; what the network does wrong is told apart from what the disk does. */
async function* received(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw new Broken(cause, true);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
