/** @file A range test of several seeds, stopped after the first: resumed, it measures the others alone, to the same curves. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rangeTestRecord } from "../../src/record/index.ts";
import { readRecord } from "../../src/store/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY_FLAGS } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const recordOf = (path: string) => {
    const { seconds, ...record } = readRecord(join(path, "range-test.json"), rangeTestRecord);
    return record;
  };
  const call = ["find", ...TINY_FLAGS, "--seeds", "2", "--updates", "100", "--threads", "1"];

  test("the first seed's curve is kept, and the record is that of an uninterrupted one", async () => {
    const whole = within("whole");
    expect((await cli([...call, "--no-samples", "--out", whole])).code).toBe(0);
    const path = within("stopped");
    const controller = new AbortController();
    const stopped = await cli([...call, "--no-samples", "--out", path], {
      signal: controller.signal,
      onOutput: (text) => /seed 1: /.test(text) && controller.abort(),
    });
    expect([stopped.code, existsSync(join(path, "range-test.json"))]).toEqual([130, false]);
    expect(stopped.stderr).toContain(`lrscope find --resume ${path}`);
    const seeds = join(path, "range-tests/seeds");
    const first = JSON.parse(readFileSync(join(seeds, "0.json"), "utf8"));
    const { search } = JSON.parse(readFileSync(join(seeds, "search.json"), "utf8"));

    const resumed = await cli(["find", "--resume", path]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).not.toContain("seed 0: ");
    expect(resumed.stderr).not.toContain("to find the ends");
    expect(recordOf(path)).toEqual(recordOf(whole));
    expect(recordOf(path).runs[0]!.points).toEqual(first.points);
    expect(recordOf(path).search).toEqual(search);
    for (const name of ["0.json", "search.json"]) expect(existsSync(join(seeds, name))).toBe(false);
  });
});
