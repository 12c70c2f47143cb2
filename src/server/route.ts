/** @file What a server answers: routes by method and path, and how an answer is written. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { ArgumentError } from "../core/errors.ts";

/** One request that passed the guard. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** What stood where the route's path has ":name", decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the client is gone, or the server closes. */
  readonly signal: AbortSignal;
}

/** A method other than GET alone may change something. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** "/api/studies/:study/log"; a ":name" takes one part of a path. */
  readonly path: string;
  /** Answered though no token was given: nothing of a study may be in it. */
  readonly open?: boolean;
  /** What it throws is answered too: an ArgumentError by 400, a StoreError by 409, all else by 500. */
  handle(call: Call): void | Promise<void>;
}

/** The route of a request with its parameters; "method": only of another method; null: none. */
export function routeOf(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly params: Record<string, string> } | "method" | null {
  const found = routes.flatMap((route) => {
    const params = paramsOf(route.path, path);
    return params ? [{ route, params }] : [];
  });
  const wanted = method === "HEAD" ? "GET" : method;
  return found.find(({ route }) => route.method === wanted) ?? (found.length > 0 ? "method" : null);
}

function paramsOf(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const text = decoded(given[i] ?? "");
    if (text === null) return null;
    if (!part.startsWith(":")) {
      if (part !== text) return null;
    } else if (text === "") return null;
    else params[part.slice(1)] = text;
  }
  return params;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Answers with JSON; never kept by a cache. */
export function sendJson({ response }: Pick<Call, "response">, value: unknown, status = 200): void {
  send(response, { status, type: "application/json; charset=utf-8", body: JSON.stringify(value) });
}

/** Answers a request that is refused: `{ "error": "..." }`. */
export const refuse = (call: Pick<Call, "response">, status: number, error: string): void =>
  sendJson(call, { error }, status);

export function send(
  response: ServerResponse,
  { status = 200, type, body }: { status?: number; type: string; body: string | Uint8Array },
): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": typeof body === "string" ? Buffer.byteLength(body) : body.byteLength,
    "cache-control": "no-store",
  });
  response.end(body);
}

/** Bytes of a request's JSON, at most. */
const MOST_JSON = 1024 * 1024;

/**
 * The JSON of a request's body.
 * @throws ArgumentError where it is none, or longer than 1 MiB
 */
export async function readJson({ request }: Pick<Call, "request">): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    throw new ArgumentError(
      `a request's body must be application/json; got ${request.headers["content-type"] ?? "no content-type"}`,
    );
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MOST_JSON)
      throw new ArgumentError(`a request's body must be at most ${MOST_JSON} bytes; got more`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new ArgumentError(`a request's body is no JSON: ${(error as Error).message}`);
  }
}
