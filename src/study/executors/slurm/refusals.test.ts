/** @file What sbatch of Slurm 22.05 and 23.11 says, word for word, and what that means for the tasks. */

import { expect, test } from "vitest";
import { answerOf, refusedTasks } from "./refusals.ts";

const failed = (text: string) => `sbatch: error: Batch job submission failed: ${text}`;
const POLICY = failed(
  "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
);

test.each([
  [`sbatch: error: QOSMaxSubmitJobPerUserLimit\n${POLICY}`, "limit"],
  [`sbatch: error: AssocGrpSubmitJobsLimit\n${POLICY}`, "limit"],
  [POLICY, "limit"],
  [failed("Slurm temporarily unable to accept job, sleeping and retrying"), "limit"],
  [failed("Resource temporarily unavailable"), "limit"],
  // These a job breaks by itself, however many others there are.
  [`sbatch: error: QOSMaxWallDurationPerJobLimit\n${POLICY}`, "refused"],
  [`sbatch: error: AssocMaxCpuPerJobLimit\n${POLICY}`, "refused"],
  [`sbatch: error: QOSMinCpuNotSatisfied\n${POLICY}`, "refused"],
  [failed("Requested time limit is invalid (missing or exceeds some limit)"), "refused"],
  [failed("Invalid partition name specified"), "refused"],
  [failed("Invalid account or account/partition combination specified"), "refused"],
  [failed("Invalid qos specification"), "refused"],
  [failed("Unable to contact slurm controller (connect failure)"), "away"],
  [failed("Socket timed out on send/recv operation"), "away"],
] as const)("%s: %s", (said, answer) => {
  expect(answerOf(said)).toBe(answer);
});

test("a refusal says what was given, what Slurm said, where to look, and how to go on", () => {
  const said = `sbatch: error: invalid partition specified: man\n${failed("Invalid partition name specified")}`;
  const { message, exitCode } = refusedTasks(said, {
    options: ["-p", "man", "--comment=two words"],
    path: "my run",
  });
  expect(exitCode).toBe(2);
  expect(message).toBe(
    "--executor slurm: sbatch must take the study's tasks with the options that it is given, and refused them: invalid partition specified: man; Invalid partition name specified; --slurm-options '-p man '\\''--comment=two words'\\''' was given. sinfo --summarize lists the partitions; go on with others: lrscope compare --resume 'my run' --executor slurm --slurm-options ...",
  );
  expect(refusedTasks(failed("Nope"), { options: [], path: "run" }).message).toContain(
    "Nope; none were given. man sbatch says what they may be;",
  );
});
