import { expect, test } from "vitest";
import { chooseJobs, type JobsQuestion } from "./choose-jobs.ts";

const GiB = 2 ** 30;
const asked = (more: Partial<JobsQuestion>): JobsQuestion => ({
  ...{ runs: 12, cores: 2, bytesOfRun: 0.1 * GiB, freeBytes: 16 * GiB, isTimed: false },
  ...more,
});

test.each([
  // Runs that divide keep every core at work on its own.
  [{ runs: 12, cores: 2 }, 2, 1],
  [{ runs: 18, cores: 2 }, 2, 1],
  // The third of three would have one core to itself, and leave the other idle: 2 rounds of 1, against 3 of 1 / 1.82.
  [{ runs: 3, cores: 2 }, 1, 2],
  // 4 rounds of 1, against 7 of 1 / 1.82 = 3.85.
  [{ runs: 7, cores: 2 }, 1, 2],
  // 6 rounds of 1, against 11 of 1 / 1.82 = 6.05.
  [{ runs: 11, cores: 2 }, 2, 1],
  [{ runs: 1, cores: 8 }, 1, 8],
  [{ runs: 12, cores: 1 }, 1, 1],
  // 2 rounds of 8 with one core each take 2; 4 of 3 with 2 take 4 / 1.82; 3 of 4 with 2 take 3 / 1.82.
  [{ runs: 12, cores: 8 }, 4, 2],
  [{ runs: 12, cores: 12 }, 12, 1],
])("%o: %i at a time, %i cores each", (question, jobs, threads) => {
  expect(chooseJobs(asked(question))).toMatchObject({ jobs, threads });
});

test("the choice has the least time of all that were possible, in rounds of equal runs", () => {
  // The same rule in another form: each run takes 1 / (cores^0.8625) of a run with one core, as 2^0.8625 is 2 / 1.1.
  const time = (runs: number, cores: number, jobs: number) =>
    Math.ceil(runs / jobs) / Math.floor(cores / jobs) ** (1 - Math.log2(1.1));
  for (let cores = 2; cores <= 24; cores++)
    for (let runs = 2; runs <= 40; runs++) {
      const { jobs } = chooseJobs(asked({ runs, cores }));
      for (let other = 1; other <= Math.min(cores, runs); other++)
        expect(time(runs, cores, jobs)).toBeLessThanOrEqual(time(runs, cores, other) + 1e-12);
    }
});

test("memory that is not there is not asked for, and the reason says so", () => {
  const { jobs, why } = chooseJobs(asked({ cores: 4, bytesOfRun: 3 * GiB, freeBytes: 10 * GiB }));
  expect(jobs).toBe(2);
  expect(why).toBe("4 at a time would take 13088.0 MiB of memory, of which 10240.0 MiB are free");
  expect(chooseJobs(asked({ bytesOfRun: 30 * GiB })).jobs).toBe(1);
});

test("seconds that are asked for are those of a run alone", () => {
  expect(chooseJobs(asked({ isTimed: true })).jobs).toBe(1);
});
