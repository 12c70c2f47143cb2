/** @file Arms that are judged at rungs, their runs tasks of a real Slurm: the decisions and the bytes of one machine. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { commands, ended, PATIENCE } from "./commands.ts";
import { expectBelowMedian, expectPaired, prunedFlags, prunedResult } from "./pruned.ts";
import { type SlurmCluster, slurmAbsent, startSlurm } from "./slurm-cluster.ts";

const absent = engineAbsent() ?? slurmAbsent();

describe.skipIf(absent)(`with Slurm${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const { run, end } = commands();
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterAll(() => {
    end();
    cluster?.stop();
  });
  const compare = async (...args: string[]) => {
    const command = run(args, { env: cluster.environment });
    expect([await ended(command), command.said()]).toEqual([0, expect.any(String)]);
  };

  test.each(["halving", "median"])("%s", { timeout: PATIENCE }, async (method) => {
    const [here, there] = [within(`${method}-here`), within(`${method}-there`)];
    await Promise.all([
      compare(...prunedFlags(method), "--out", here, "--jobs", "1"),
      compare(...prunedFlags(method), "--out", there, "--executor", "slurm"),
    ]);
    expect(prunedResult(there)).toEqual(prunedResult(here));
    expectPaired(there);
    if (method === "median") expectBelowMedian(there);
  });

  test("asha", { timeout: PATIENCE }, async () => {
    const path = within("asha");
    await compare(...prunedFlags("asha"), "--out", path, "--executor", "slurm");
    expectPaired(path);
  });
});
