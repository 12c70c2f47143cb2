/**
 * @file Who is answered. A page of another site must neither read nor change anything, though the browser that
 * shows it can reach this server: its requests name another Origin, and those of a name that was made to lead
 * here (DNS rebinding) another Host.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { hostname, networkInterfaces } from "node:os";

export interface GuardOptions {
  /** The address that is listened on. */
  readonly host: string;
  readonly port: number;
  /** What a request has to give; absent: nothing. */
  readonly token?: string | undefined;
}

export interface Refusal {
  readonly status: 401 | 403;
  readonly error: string;
}

export const LOOPBACK = ["127.0.0.1", "localhost", "::1"];

/** Of a cookie that the page is given in exchange for the token, as an EventSource sends no other header. */
export const COOKIE = "lrscope-token";

/** Why a request is not answered; null where it is. */
export function refusalOf(
  { headers, open = false }: { readonly headers: IncomingHttpHeaders; readonly open?: boolean },
  options: GuardOptions,
): Refusal | null {
  const { host = "", origin } = headers;
  if (!hostsOf(options).includes(host.toLowerCase()))
    return {
      status: 403,
      error: `this server is not called ${JSON.stringify(host)}; open the address that lrscope printed`,
    };
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return { status: 403, error: `a page of ${JSON.stringify(origin)} is not answered` };
  const site = headers["sec-fetch-site"];
  if (!open && site !== undefined && site !== "same-origin" && site !== "none")
    return { status: 403, error: "a page of another site is not answered" };
  if (open || options.token === undefined) return null;
  const given = bearerOf(headers) ?? cookieOf(headers);
  if (given === null)
    return { status: 401, error: "a token is needed; open the address that lrscope printed" };
  return isToken(given, options.token)
    ? null
    : { status: 401, error: "the token is not this server's" };
}

/** In constant time, whatever the lengths. */
export function isToken(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** "abc" of "Authorization: Bearer abc". */
export const bearerOf = ({ authorization }: IncomingHttpHeaders): string | null =>
  /^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? null;

function cookieOf({ cookie = "" }: IncomingHttpHeaders): string | null {
  const found = cookie.split("; ").find((part) => part.startsWith(`${COOKIE}=`));
  return found === undefined ? null : found.slice(COOKIE.length + 1);
}

/** The Host headers that mean this server: of loopback its names, else this machine's names and addresses too. */
function hostsOf({ host, port }: GuardOptions): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
  const names = LOOPBACK.includes(host) ? LOOPBACK : [...LOOPBACK, host, hostname(), ...addresses];
  return names
    .map((name) => (name.includes(":") ? `[${name}]` : name).toLowerCase())
    .flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
}
