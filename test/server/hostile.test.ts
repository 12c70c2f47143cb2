/**
 * @file The list of hostile requests: each Host and Origin that is not the page's own, each token that is none, at every
 * kind of address; and class names that are markup, wherever they come out.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { fakeComparison, fakeConfusions } from "../report/fake-records.ts";
import { ask } from "./ask.ts";
import { folderOfRuns, writeRun } from "./records.ts";

const HOSTILE = '"><img src=x onerror="alert(1)"><script>alert(2)</script>';
const json = { "content-type": "application/json" };
const runs = folderOfRuns();
let id = "";
let own: RunningServer;

beforeAll(async () => {
  const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 2, epochs: 4 });
  input.experiment.dataset.classes[0]!.name = HOSTILE;
  input.experiment.dataset.name = HOSTILE;
  const directory = writeRun(join(runs(), "a"), input);
  const confusions = fakeConfusions().map((each) => ({
    ...each,
    classes: [HOSTILE, ...each.classes.slice(1)],
  }));
  directory.writeText("confusions.json", JSON.stringify({ formatVersion: 1, arms: confusions }));
  own = await serve({ folders: [runs()], embedIn: ["http://lab.example"] });
  id = JSON.parse((await ask(own.port, "/api/studies")).body).studies[0].id;
});
afterAll(() => own?.close());

/** Every kind of address, and all that changes something. */
const everywhere = (): readonly (readonly [method: string, path: string, body: string])[] => [
  ["GET", "/", ""],
  ["GET", "/figure", ""],
  ["GET", "/client.js", ""],
  ["GET", "/api/studies", ""],
  ["GET", `/events?study=${id}`, ""],
  ["GET", `/api/studies/${id}/answers`, ""],
  ["GET", `/api/studies/${id}/metrics.csv`, ""],
  ["GET", `/api/studies/${id}/report.html`, ""],
  ["GET", `/api/studies/${id}/trials/adam-0/log`, ""],
  ["GET", "/api/study-schema", ""],
  ["POST", `/api/studies/${id}/notes`, '{"note":"x"}'],
  ["POST", `/api/studies/${id}/steer`, '{"what":"resume"}'],
  ["POST", "/api/studies", '{"study":{}}'],
  ["POST", "/api/command", '{"study":{}}'],
  ["POST", "/api/session", '{"token":"0123456789abcdef"}'],
  ["DELETE", `/api/studies/${id}`, ""],
];

async function answered(
  port: number,
  headers: Record<string, string>,
  expected: (status: number, path: string) => void,
) {
  for (const [method, path, body] of everywhere()) {
    const answer = await ask(port, path, { method, headers: { ...json, ...headers }, body });
    expected(answer.status, `${method} ${path}`);
    expect(answer.body, path).not.toContain("vanilla");
  }
  expect(existsSync(join(runs(), "a", "experiment.json"))).toBe(true);
  for (const file of ["notes.json", "steering.jsonl"])
    expect(existsSync(join(runs(), "a", file)), file).toBe(false);
}

test.each([
  "evil.example",
  "evil.example:PORT",
  "127.0.0.1.evil.example:PORT",
  "localhost.evil.example:PORT",
  "evil.example#127.0.0.1:PORT",
  "127.0.0.1:PORT@evil.example",
  "127.0.0.1:PORT, evil.example",
  "127.0.0.1",
  "127.0.0.1:1",
  "0.0.0.0:PORT",
  "127.1:PORT",
  "2130706433:PORT",
  "[::ffff:127.0.0.1]:PORT",
  "localhost.:PORT",
  " ",
])("Host %j is answered nowhere", (host) =>
  answered(own.port, { host: host.replace("PORT", String(own.port)) }, (status, path) =>
    expect(status, path).toBe(403),
  ),
);

test.each([
  "http://evil.example",
  "null",
  "file://",
  "https://127.0.0.1:PORT",
  "http://127.0.0.1",
  "http://127.0.0.1:1",
  "http://localhost:PORT",
  "http://127.0.0.1:PORT.evil.example",
  "http://evil.example/127.0.0.1:PORT",
  "http://127.0.0.1:PORT http://evil.example",
  // May show figures in frames, and ask for nothing.
  "http://lab.example",
])("Origin %j is answered nowhere", (origin) =>
  answered(own.port, { origin: origin.replace("PORT", String(own.port)) }, (status, path) =>
    expect(status, path).toBe(403),
  ),
);

test.each(["cross-site", "same-site"])("a %s request has nothing but the page", (site) =>
  answered(own.port, { "sec-fetch-site": site }, (status, path) => {
    // The page itself, which a link elsewhere may lead to, says nothing of a study.
    const isPage = ["GET /", "GET /figure", "GET /client.js"].includes(path);
    expect(status, path).toBe(isPage ? 200 : path.endsWith("/api/session") ? 404 : 403);
  }),
);

describe("with a token", () => {
  const token = "0123456789abcdef";
  let server: RunningServer;
  beforeAll(async () => {
    server = await serve({ folders: [runs()], host: "0.0.0.0", token });
  });
  afterAll(() => server?.close());

  test.each<Record<string, string>>([
    {},
    { authorization: "Bearer " },
    { authorization: `Bearer ${token}0` },
    { authorization: `Bearer ${token.slice(1)}` },
    { authorization: `Bearer ${token.toUpperCase()}` },
    { authorization: `bearer ${token}` },
    { authorization: `Basic ${token}` },
    { authorization: token },
    { authorization: `Bearer x ${token}` },
    { cookie: `lrscope-token=${token}0` },
    { cookie: "lrscope-token=" },
    { cookie: `token=${token}` },
    { cookie: `x-lrscope-token=${token}` },
    { cookie: `LRSCOPE-TOKEN=${token}` },
    { "x-token": token },
  ])("%j is none", (headers) =>
    answered(server.port, headers, (status, path) => {
      const isPage = ["GET /", "GET /figure", "GET /client.js"].includes(path);
      // A page that has the token may ask for its cookie.
      expect(status, path).toBe(isPage ? 200 : path.endsWith("/api/session") ? 204 : 401);
    }),
  );

  test.each([`?token=${token}`, `?lrscope-token=${token}`])(
    "in an address (%s) it is none, as addresses are kept in logs and sent on",
    async (query) => {
      expect((await ask(server.port, `/api/studies${query}`)).status).toBe(401);
    },
  );
});

test("class names that are markup come out as texts, or as JSON that is never shown as a page", async () => {
  for (const what of ["answers", "metrics.csv", "report.html"]) {
    const { status, headers, body } = await ask(own.port, `/api/studies/${id}/${what}`);
    expect([what, status, headers["x-content-type-options"]]).toEqual([what, 200, "nosniff"]);
    const type = String(headers["content-type"]);
    if (what !== "report.html") expect(type).toMatch(/^(application\/json|text\/csv)/);
    else {
      expect(headers["content-disposition"]).toBe('attachment; filename="report.html"');
      expect(body).toContain("&lt;img src=x");
      expect(body).not.toMatch(/<img src=x|<script>alert/);
    }
  }
});
