/** @file How many runs go on at a time where the call does not say: what is fastest, said, and recorded as if asked. */

import { describe, expect, test } from "vitest";
import { readRun } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const compare = async (name: string, ...more: string[]) => {
    const out = within(name);
    const arms = ["--optimizers", "adam@0.01,sgd@0.01", "--seeds", "2", "--epochs", "1"];
    const call = ["compare", ...TINY_FLAGS, ...arms, "--no-samples", "--out", out, ...more];
    const { code, stderr } = await cli(call);
    expect(code, stderr).toBe(0);
    const { experiment, trials } = readRun(out);
    const { jobs, threads } = experiment.specification!;
    const losses = trials.map(({ metrics }) => metrics.map(({ trainLoss }) => trainLoss));
    return { jobs, threads, stderr, losses };
  };

  test("four runs on two cores have one each, and the bits that --jobs 2 gives", async () => {
    const { stderr, ...chosen } = await compare("chosen", "--threads", "2");
    expect(chosen).toMatchObject({ jobs: 2, threads: 1 });
    expect(stderr).toContain(
      "2 runs at a time with 1 core each (--jobs), as runs do not wait for one another, as threads of one run do",
    );
    const { stderr: said, ...asked } = await compare("asked", "--threads", "2", "--jobs", "2");
    expect(asked).toEqual(chosen);
    expect(said).not.toContain("at a time");
  });

  test("one at a time where seconds are asked for, or the call says so", async () => {
    const timed = await compare("timed", "--threads", "2", "--profile");
    expect(timed).toMatchObject({ jobs: 1, threads: 2 });
    expect(timed.stderr).toContain("1 run at a time with 2 cores each");
    const { stderr, ...said } = await compare("said", "--threads", "2", "--jobs", "1");
    expect(said).toMatchObject({ jobs: 1, threads: 2 });
    expect(stderr).not.toContain("at a time");
  });
});
