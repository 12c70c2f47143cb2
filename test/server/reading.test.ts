/**
 * @file No state is changed by GET: each address that there is, asked for by every method that a link, a picture or a
 * browser's prefetch can have, leaves each byte of the studies' folders as it was.
 */

import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientRoutes } from "../../src/server/client-files.ts";
import { eventStreams } from "../../src/server/event-stream.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import type { Route } from "../../src/server/route.ts";
import { steeringRoutes } from "../../src/server/steering-routes.ts";
import { studiesIn } from "../../src/server/studies.ts";
import { studyRoutes } from "../../src/server/study-routes.ts";
import { fakeComparison, fakeConfusions, fakeRangeTest } from "../report/fake-records.ts";
import { ask } from "./ask.ts";
import { folderOfRuns, writeRun } from "./records.ts";

const runs = folderOfRuns();
let server: RunningServer;
let id = "";

beforeAll(async () => {
  const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 2, epochs: 4 });
  const directory = writeRun(join(runs(), "a"), input);
  directory.writeText(
    "confusions.json",
    JSON.stringify({ formatVersion: 1, arms: fakeConfusions() }),
  );
  directory.writeText("range-tests/sgd-clr.json", JSON.stringify(fakeRangeTest()));
  server = await serve({ folders: [runs()] });
  id = JSON.parse((await ask(server.port, "/api/studies")).body).studies[0].id;
});
afterAll(() => server?.close());

/** All that a server answers, as serve() puts it together. */
const routes = (): readonly Route[] => {
  const studies = studiesIn([runs()]);
  const streams = eventStreams(() => "idle");
  return [
    ...clientRoutes([]),
    ...studyRoutes(studies, streams),
    ...steeringRoutes({ studies, folders: [runs()], tell: () => undefined }),
  ];
};

/** Every file and folder: its bytes, its mode, and when it was changed. */
function stateOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return Object.fromEntries(
    ["", ...names].map((name) => {
      const path = join(folder, name);
      const { mode, mtimeMs, size, ino } = lstatSync(path);
      const isFile = lstatSync(path).isFile();
      const digest = isFile ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
      return [relative(folder, path), [mode, mtimeMs, size, ino, digest].join(" ")];
    }),
  );
}

test("each address by GET and HEAD, with and without what a form could add: not a byte changes", async () => {
  const paths = routes().map(({ path }) => path.replace(":study", id).replace(":trial", "adam-0"));
  expect(paths.length).toBeGreaterThan(15);
  const before = stateOf(runs());
  expect(Object.keys(before).length).toBeGreaterThan(15);
  const answered: number[] = [];
  for (const path of new Set([...paths, "/api/session"]))
    for (const query of ["", "?note=x&what=stop&arm=adam&_method=DELETE"])
      for (const method of ["GET", "HEAD"]) {
        // A stream has no end of its own; its head has.
        if (path === "/events" && method === "GET") continue;
        const asked = path === "/events" ? `${path}?study=${id}` : `${path}${query}`;
        const { status } = await ask(server.port, asked, {
          method,
          headers: { "x-http-method-override": "DELETE" },
        });
        answered.push(status);
      }
  expect(answered.filter((status) => status === 200).length).toBeGreaterThan(40);
  expect([...new Set(answered)].sort()).toEqual([200, 405]);
  expect(stateOf(runs())).toEqual(before);
});

test("a stream that is opened and left leaves each byte as it was", async () => {
  const before = stateOf(runs());
  const gone = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${server.port}/events?study=${id}`, {
    signal: gone.signal,
  });
  const first = await answer.body?.getReader().read();
  expect(new TextDecoder().decode(first?.value)).toContain("retry:");
  gone.abort();
  expect(stateOf(runs())).toEqual(before);
});

test("only what changes something is not of GET", () => {
  const changing = routes().filter(({ method }) => method !== "GET");
  expect(changing.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /api/studies/:study/notes",
    "DELETE /api/studies/:study",
    "POST /api/command",
    "POST /api/studies",
    "POST /api/studies/:study/steer",
  ]);
});
