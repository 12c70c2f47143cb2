/** @file Who runs the runs of a study, as flags: what is refused before anything is opened. */

import { expect, test } from "vitest";
import { fakeComparison } from "../report/fake-records.ts";
import { writeRun } from "../server/records.ts";
import { cli } from "./run-cli.ts";
import { temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();

test.each([
  [
    ["--executor", "pbs"],
    'compare: --executor must be slurm, or the address of a Redis as redis://HOST:6379; got "pbs"',
  ],
  [
    ["--executor", ""],
    'compare: --executor must be slurm, or the address of a Redis as redis://HOST:6379; got ""',
  ],
  [["--slurm-options", "-p main"], "--slurm-options has no effect without --executor slurm"],
  [["--slurm-setup", "module load x"], "--slurm-setup has no effect without --executor slurm"],
  [["--executor", "slurm", "--slurm-options", "--a='b"], "a quote or backslash is not closed"],
  [["--executor", "slurm", "--slurm-options", "--array=0-9"], "--array=0-9 is set by lrscope"],
  [["--executor", "slurm", "--slurm-options", "-J mine"], "-J is set by lrscope"],
  [["--executor", "slurm", "--slurm-options"], "--slurm-options needs a value"],
  [["--executor", "redis://"], 'as redis://HOST:6379; got "redis://"'],
  [["--executor", "slurm", "--lease", "20s"], "--lease has no effect without --executor redis://"],
  [["--address", "10.0.0.5:7000"], "--address has no effect without --executor redis://"],
  [["--mixed"], "--mixed has no effect without --executor"],
  [["--executor", "slurm", "--mixed", "--time", "5m"], "--time beside --mixed would give runs"],
  [["--executor", "redis://h", "--jobs", "2"], "--jobs has no effect beside a Redis"],
  [["--executor", "redis://h", "--lease", "0s"], "--lease must be a number of seconds"],
])("%j", async (flags, message) => {
  const { code, stderr } = await cli(["compare", "synthetic", ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("runs that end by time go on on machines that differ no more than they begin there", async () => {
  const { experiment, trials } = fakeComparison({ arms: ["adam"], epochs: 2 });
  const path = within("timed");
  const protocol = { ...experiment.protocol, time: 60 };
  writeRun(path, { experiment: { ...experiment, protocol }, trials });
  for (const executor of ["slurm", "redis://h"]) {
    const flags = ["--resume", path, "--executor", executor, "--mixed"];
    const { code, stderr } = await cli(["compare", ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--time beside --mixed would")]);
  }
});

test("without the commands of Slurm it says so", async () => {
  const path = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    const { slurmCommand } = await import("../../src/study/executors/slurm/commands.ts");
    await expect(slurmCommand("sbatch", [])).rejects.toThrow(
      "--executor slurm: there is no sbatch on this machine",
    );
  } finally {
    process.env.PATH = path;
  }
});
