/**
 * @file The wire as a worker has it: requests that wait for the process with the run directory as long as that
 * cannot be reached, and are granted once however often they have to be made.
 */

import type { z } from "zod";
import { StoreError } from "../../../core/errors.ts";
import { isRefusalKind, Refusal } from "./refusal.ts";

export interface WireOptions {
  /** "http://10.0.0.7:41234" */
  readonly url: string;
  readonly token: string;
  /** Ends the waiting, with what it aborts with. */
  readonly signal: AbortSignal;
  /** Hears once that it is waited for, and once that it answers again. */
  say(message: string): void;
}

export interface WireRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** "attempts/adam-0/3/1/event", encoded. */
  readonly path: string;
  /** Text, or bytes in pieces, which are sent as they lie in memory. */
  readonly body?: string | readonly Uint8Array[];
  /** Milliseconds after which an answer counts as lost. */
  readonly patience?: number;
}

export interface Wire {
  /**
   * The answer's body.
   * @throws Refusal where it is refused, StoreError where what answers is no such server, what `signal` aborts with
   */
  ask<S extends z.ZodType>(request: WireRequest, answer: S): Promise<z.infer<S>>;
  /** An answer that is not read yet, of a file. */
  fetch(path: string, from: number): Promise<Response>;
  /** Whether what was asked last is waited for, as nobody answers. */
  isLost(): boolean;
}

/** Milliseconds between two tries, from the first, twice as many each time. */
const FIRST = 200;
const LONGEST = 5000;
/** Milliseconds, beside those that its size takes at 100 kB a second. */
const PATIENCE = 30_000;

export function openWire({ url, token, signal, say }: WireOptions): Wire {
  const headers = { authorization: `Bearer ${token}` };
  let lost = false;

  const once = async ({ method, path, body, patience }: WireRequest, more = {}) => {
    const bytes = typeof body === "object" ? sum(body) : (body?.length ?? 0);
    const most = patience ?? PATIENCE + Math.ceil(bytes / 100);
    return fetch(`${url}/${path}`, {
      method,
      ...(typeof body === "object" ? streamed(body) : { body: body ?? null }),
      headers: {
        ...{ ...headers, ...more },
        ...(typeof body === "object" ? { "content-length": String(bytes) } : {}),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(most)]),
    });
  };
  const again = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let wait = FIRST; ; wait = Math.min(2 * wait, LONGEST)) {
      try {
        const result = await work();
        if (lost) say(`${url} answers again`);
        lost = false;
        return result;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof Refusal || error instanceof StoreError) throw error;
        if (!lost) say(`${url} does not answer (${reasonOf(error)}): waits for it`);
        lost = true;
      }
      await pause(wait, signal);
    }
  };
  return {
    isLost: () => lost,
    ask: (request, answer) =>
      again(async () => {
        const response = await once(request);
        const text = await response.text();
        let value: unknown;
        try {
          value = JSON.parse(text);
        } catch {
          value = null;
        }
        if (response.status === 200) {
          const result = answer.safeParse(value);
          if (result.success) return JSON.parse(text);
          throw new StoreError(`${url}: answers what no lrscope of this version does`, {
            exitCode: 1,
          });
        }
        throw refusalIn(value, response.status);
      }),
    fetch: (path, from) =>
      again(async () => {
        const range: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
        const response = await once({ method: "GET", path, patience: 2 ** 31 - 1 }, range);
        if (response.status === (from > 0 ? 206 : 200)) return response;
        throw refusalIn(await response.json().catch(() => null), response.status);
      }),
  };
}

const sum = (pieces: readonly Uint8Array[]) => pieces.reduce((all, { length }) => all + length, 0);

/** Bytes that are handed over at a time. */
const PART = 1 << 18;

/** A body that is read as fast as the line takes it: begun anew for each try, and never put together. */
function streamed(pieces: readonly Uint8Array[]): RequestInit {
  const parts = (function* () {
    for (const piece of pieces)
      for (let at = 0; at < piece.length; at += PART) yield piece.subarray(at, at + PART);
  })();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  return { body, duplex: "half" } as RequestInit;
}

/** What the server refuses; an Error where it is at fault, and may come round. */
function refusalIn(value: unknown, status: number): Error {
  const { kind, error = "" } = (value ?? {}) as { kind?: unknown; error?: string };
  return isRefusalKind(kind) ? new Refusal(kind, error) : new Error(`${status} ${error}`.trim());
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}

/** @throws what the signal aborts with */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw signal.reason;
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
