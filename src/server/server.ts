/**
 * @file An HTTP server of routes, for this machine alone unless a host and a token are given. Every request passes
 * the guard, every answer has the headers that keep foreign script and frames out.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ArgumentError, codeOf, LrscopeError, StoreError } from "../core/errors.ts";
import { COOKIE, type GuardOptions, isToken, LOOPBACK, refusalOf } from "./guard.ts";
import { type Call, type Route, readJson, refuse, routeOf } from "./route.ts";

export interface ServerOptions {
  /** Default 127.0.0.1; any other needs a token. */
  readonly host?: string | undefined;
  /** Default 0: one that is free. */
  readonly port?: number | undefined;
  /** At least 16 characters of A-Z a-z 0-9 - _; absent: none is asked for. */
  readonly token?: string | undefined;
  readonly routes: readonly Route[];
}

export interface RunningServer {
  /** "http://127.0.0.1:4040/", and of a server with a token "#token=..." after it. */
  readonly address: string;
  readonly port: number;
  /** Ends every connection, and resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * Whatever a page shows comes from here, and it runs no script but the files of the client.
 * @param ancestors pages that may show it in a frame, as the policy names them
 */
export const policyOf = (ancestors: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    // Sizes and colours that are set on elements; no rule, and no script.
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    `frame-ancestors ${ancestors}`,
  ].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": policyOf("'self'"),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/** Bytes of a request's head, at most: how far a page is in each of ten thousand trials stands in it, twice. */
const MOST_HEADERS = 256 * 1024;

/**
 * Starts a server.
 * @throws ArgumentError for a host without a token, a token that is too easy, or a port that is taken
 */
export async function startServer({
  host = "127.0.0.1",
  port = 0,
  token,
  routes,
}: ServerOptions): Promise<RunningServer> {
  if (token !== undefined && !/^[\w-]{16,}$/.test(token))
    throw new ArgumentError(
      "serve: a token must be 16 or more characters of A-Z a-z 0-9 - _, as whoever has it may start studies; leave it out, and one is drawn",
    );
  if (token === undefined && !LOOPBACK.includes(host))
    throw new ArgumentError(
      `serve: ${host} can be reached from other machines: a token is needed too`,
    );
  const closing = new AbortController();
  let guard: GuardOptions = { host, port, token };
  const all = [...routes, sessionRoute(() => guard)];
  const server = createServer({ maxHeaderSize: MOST_HEADERS }, (request, response) => {
    void answer({ request, response }, { routes: all, guard, closing: closing.signal });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new ArgumentError(
          `serve: ${host}:${port} cannot be listened on (${codeOf(error) ?? error.message}); choose another --port`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { port: given } = server.address() as AddressInfo;
  guard = { host, port: given, token };
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    address: `http://${name}:${given}/${token === undefined ? "" : `#token=${token}`}`,
    port: given,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  {
    routes,
    guard,
    closing,
  }: { routes: readonly Route[]; guard: GuardOptions; closing: AbortSignal },
): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const { method = "GET", headers, url: target = "/" } = request;
  // A target that is no path is of a proxy, or hostile.
  const url = target.startsWith("/") ? new URL(`http://${guard.host}`) : null;
  if (url) [url.pathname = "/", url.search = ""] = target.split(/(?=\?)/);
  const found = url && routeOf(routes, method, target.replace(/[?#].*/s, ""));
  const route = found && found !== "method" ? found.route : null;
  const refusal = refusalOf({ headers, ...(route?.open ? { open: true } : {}) }, guard);
  if (refusal) return refuse({ response }, refusal.status, refusal.error);
  if (!url || !found) return refuse({ response }, 404, "there is no such page");
  if (found === "method") return refuse({ response }, 405, `not by ${method}`);
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once("close", leave);
  closing.addEventListener("abort", leave, { once: true });
  const call: Call = { request, response, url, params: found.params, signal: gone.signal };
  try {
    await found.route.handle(call);
  } catch (error) {
    // Of a body that was not read to its end nothing can follow on the same connection.
    response.shouldKeepAlive = false;
    if (response.headersSent) response.destroy();
    else refuse(call, statusOf(error), error instanceof Error ? error.message : String(error));
  } finally {
    closing.removeEventListener("abort", leave);
  }
}

const statusOf = (error: unknown): number =>
  error instanceof ArgumentError
    ? 400
    : error instanceof StoreError && error.exitCode === 2
      ? 409
      : error instanceof LrscopeError
        ? 422
        : 500;

/** Gives the page a cookie for its token. Scripts cannot read it, and no other site can have it sent. */
const sessionRoute = (guard: () => GuardOptions): Route => ({
  method: "POST",
  path: "/api/session",
  open: true,
  async handle(call) {
    const { token } = guard();
    const body = (await readJson(call)) as { token?: unknown } | null;
    if (token === undefined) return refuse(call, 404, "this server asks for no token");
    if (typeof body?.token !== "string" || !isToken(body.token, token))
      return refuse(call, 401, "the token is not this server's");
    call.response.setHeader("set-cookie", `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`);
    call.response.writeHead(204).end();
  },
});
