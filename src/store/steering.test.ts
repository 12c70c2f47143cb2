import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSteering, steer, stoppedArms } from "./steering.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-steering-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what was asked is read back in its order, with when; a torn line is none", () => {
  expect(readSteering(folder)).toEqual([]);
  steer(folder, { what: "pause" });
  steer(folder, { what: "prolong", epochs: 20 });
  appendFileSync(join(folder, "steering.jsonl"), '{"formatVersion":1,"type":"steered"');
  const asked = readSteering(folder);
  expect(asked.map(({ what, epochs }) => [what, epochs])).toEqual([
    ["pause", undefined],
    ["prolong", 20],
  ]);
  for (const { at } of asked) expect(new Date(at).toISOString()).toBe(at);
  steer(folder, { what: "resume" });
  expect(readSteering(folder).map(({ what }) => what)).toEqual(["pause", "prolong", "resume"]);
});

test("an arm is stopped until it is resumed", () => {
  steer(folder, { what: "stop-arm", arm: "adam" });
  steer(folder, { what: "stop-arm", arm: "sgd" });
  expect([...stoppedArms(folder)]).toEqual(["adam", "sgd"]);
  steer(folder, { what: "resume-arm", arm: "adam" });
  expect([...stoppedArms(folder)]).toEqual(["sgd"]);
});

test("a line that asks nothing is named", () => {
  steer(folder, { what: "stop" });
  appendFileSync(join(folder, "steering.jsonl"), '{"what":"explode"}\n');
  expect(() => readSteering(folder)).toThrow(
    /steering\.jsonl, line 2: is nothing that is asked of a study; take the line out/,
  );
  expect(readFileSync(join(folder, "steering.jsonl"), "utf8")).toContain("explode");
});
