import { expect, test } from "vitest";
import { isToken, refusalOf } from "./guard.ts";
import { routeOf } from "./route.ts";

const here = { host: "127.0.0.1", port: 4040 };
const token = "a-token-of-16-ch";
const open = { host: "0.0.0.0", port: 4040, token };

test.each([
  ["its own name", { host: "127.0.0.1:4040" }, here, null],
  ["localhost", { host: "localhost:4040" }, here, null],
  ["in capitals", { host: "LocalHost:4040" }, here, null],
  ["its own page", { host: "127.0.0.1:4040", origin: "http://127.0.0.1:4040" }, here, null],
  ["a name made to lead here", { host: "evil.example:4040" }, here, 403],
  ["a name that begins like ours", { host: "127.0.0.1.evil.example:4040" }, here, 403],
  ["another port", { host: "127.0.0.1:80" }, here, 403],
  ["no name", {}, here, 403],
  ["a page of another site", { host: "127.0.0.1:4040", origin: "http://evil.example" }, here, 403],
  ["a page in a file", { host: "127.0.0.1:4040", origin: "null" }, here, 403],
  [
    "our page by another scheme",
    { host: "127.0.0.1:4040", origin: "https://127.0.0.1:4040" },
    here,
    403,
  ],
  [
    "localhost's page at 127.0.0.1",
    { host: "127.0.0.1:4040", origin: "http://localhost:4040" },
    here,
    403,
  ],
  [
    "a cross-site request without an origin",
    { host: "127.0.0.1:4040", "sec-fetch-site": "cross-site" },
    here,
    403,
  ],
  ["a same-site one", { host: "localhost:4040", "sec-fetch-site": "same-site" }, here, 403],
  ["no token", { host: "127.0.0.1:4040" }, open, 401],
  ["another token", { host: "127.0.0.1:4040", authorization: "Bearer x" }, open, 401],
  ["a longer one", { host: "127.0.0.1:4040", authorization: `Bearer ${token}x` }, open, 401],
  [
    "a token by another scheme",
    { host: "127.0.0.1:4040", authorization: `Basic ${token}` },
    open,
    401,
  ],
  ["the token", { host: "127.0.0.1:4040", authorization: `Bearer ${token}` }, open, null],
  [
    "the token's cookie",
    { host: "127.0.0.1:4040", cookie: `a=b; lrscope-token=${token}` },
    open,
    null,
  ],
  [
    "the token, by a name made to lead here",
    { host: "evil.example:4040", authorization: `Bearer ${token}` },
    open,
    403,
  ],
] as const)("%s", (_, headers, options, status) => {
  expect(refusalOf({ headers }, options)?.status ?? null).toBe(status);
});

test("what is open needs no token, but the right name", () => {
  expect(refusalOf({ headers: { host: "127.0.0.1:4040" }, open: true }, open)).toBeNull();
  expect(refusalOf({ headers: { host: "evil:4040" }, open: true }, open)?.status).toBe(403);
});

test("a token is itself alone, whatever the length of the other", () => {
  expect(isToken(token, token)).toBe(true);
  for (const other of ["", token.slice(1), `${token} `, "ä".repeat(16)])
    expect(isToken(other, token)).toBe(false);
});

test("a route takes its own path and method alone", () => {
  const routes = [
    { method: "GET", path: "/api/studies", handle: () => undefined },
    { method: "DELETE", path: "/api/studies/:study", handle: () => undefined },
  ] as const;
  const found = (method: string, path: string) => {
    const route = routeOf(routes, method, path);
    return route === null || route === "method" ? route : route.params;
  };
  expect(found("GET", "/api/studies")).toEqual({});
  expect(found("HEAD", "/api/studies")).toEqual({});
  expect(found("POST", "/api/studies")).toBe("method");
  expect(found("DELETE", "/api/studies/a%2Fb")).toEqual({ study: "a/b" });
  for (const path of [
    "/api/studies/",
    "/api",
    "/api/studies/a/b",
    "//api/studies",
    "/api/studies/%",
  ])
    expect(found("DELETE", path)).toBeNull();
});
