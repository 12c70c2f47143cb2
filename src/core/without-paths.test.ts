/** @file No path of a machine in a text that leaves it, in whatever form it stands there. */

import { describe, expect, test } from "vitest";
import { withoutPaths } from "./without-paths.ts";

const folders = [
  { path: "/people/alice/runs/one", name: "the run directory", prefix: "" },
  { path: "/people/alice", name: "~" },
  { path: "/opt/node_modules/lrscope/", name: "<lrscope>", prefix: "<lrscope>/" },
  { path: "/tmp", name: "<tmp>" },
  { path: "C:\\People\\Alice Smith", name: "~" },
  { path: "/mnt/A disk of very, very many words (mine)", name: "<disk>" },
];

test.each([
  ["ENOENT: open '/secret/place/net.json'", "ENOENT: open 'net.json'"],
  ["open '/secret/my place/net (1).json' failed", "open 'net (1).json' failed"],
  ['"/secret/place/a.png": is broken', '"a.png": is broken'],
  ["cannot read /secret/place/a.png: gone", "cannot read a.png: gone"],
  ["cannot read /secret/place/, or /secret.", "cannot read place, or secret."],
  ["    at build (/secret/place/net.mjs:3:15)", "    at build (net.mjs:3:15)"],
  ["    at build (/secret/my place/net.mjs:3:15)", "    at build (net.mjs:3:15)"],
  ["    at /secret/my place/net.mjs:3:15", "    at net.mjs:3:15"],
  ["    at async file:///secret/place/net.mjs:3:15", "    at async net.mjs:3:15"],
  ["file:///secret/my%20place/net.mjs", "net.mjs"],
  ["file:///C:/secret/net.mjs:1", "net.mjs:1"],
  ["D:\\secret\\place\\net.mjs is broken", "net.mjs is broken"],
  ["at f (D:\\secret\\my place\\net.mjs:3:15)", "at f (net.mjs:3:15)"],
  ["D:/secret/place/net.mjs", "net.mjs"],
  ["\\\\server\\share\\net.mjs", "net.mjs"],
  ["PATH=/secret/bin:/secret/other/bin", "PATH=bin"],
  ["a=/secret/x,/secret/y", "a=y"],
  ["reads /secret/a place of mine/x.json and /secret/y.json now", "reads x.json and y.json now"],
  ["D:\\secret\\my place\\net.mjs, nor D:\\secret place\\b", "net.mjs, nor b"],
  ["/secret/net.mjs, where a/b was meant", "net.mjs, where a/b was meant"],
  // Known folders.
  ["/people/alice/runs/one/trials/adam-0/log.txt: full", "trials/adam-0/log.txt: full"],
  ["open '/people/alice/runs/one'", "open 'the run directory'"],
  ["/people/alice/secret/net.mjs", "net.mjs"],
  ["of /people/alice: denied", "of ~: denied"],
  ["/people/alicette/x", "x"],
  ["file:///people/alice/secret/net.mjs:3:1", "net.mjs:3:1"],
  ["(file:///opt/node_modules/lrscope/dist/lab/fit.js:3:1)", "(<lrscope>/dist/lab/fit.js:3:1)"],
  ["C:\\People\\Alice Smith\\secret\\net.mjs", "net.mjs"],
  ["in C:\\People\\Alice Smith", "in ~"],
  ["file:///C:/People/Alice%20Smith/net.mjs", "net.mjs"],
  ['{"path":"C:\\\\People\\\\Alice Smith\\\\net.mjs"}', '{"path":"net.mjs"}'],
  ["read /mnt/A disk of very, very many words (mine)/photos/a.png: gone", "read a.png: gone"],
])("%s", (text, want) => expect(withoutPaths(text, folders)).toBe(want));

describe("leaves alone", () => {
  test.each([
    "its process crashed (SIGABRT); last in its log: 3/4 done, 120 images/s",
    "see https://example.org/a/b and http://example.org:80/c",
    "give one of vanilla/resnet18, ./net.mjs or ../nets/net.mjs",
    "trials/adam-0/metrics.jsonl: the disk is full (ENOSPC)",
    "node:internal/modules/esm/loader:1",
    "range test of sgd+clr: no seed has a finite loss (1 tried); lower --from",
    "a / b, 1e-3 / 6",
    "",
  ])("%s", (text) => expect(withoutPaths(text, folders)).toBe(text));
});

test("is the same when done again", () => {
  const text = "at f (/people/alice/x y/net.mjs:3:1) /secret/a '/tmp/b c/d' file:///opt/x";
  const once = withoutPaths(text, folders);
  expect(withoutPaths(once, folders)).toBe(once);
  expect(once).not.toMatch(/alice|secret|\/tmp|opt/);
});
