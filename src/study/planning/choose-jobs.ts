/**
 * @file How many runs of a study go on at a time where nobody said: what takes the least time by a rule, which
 * docs/performance.md has the measurements of.
 */

import { mebibytes } from "../../core/words.ts";

export interface JobsQuestion {
  /** Of the study: arms x seeds. */
  readonly runs: number;
  /** That all runs share. */
  readonly cores: number;
  /** Of a process that trains: weights, state, activations. */
  readonly bytesOfRun: number;
  /** That the machine has to spare. */
  readonly freeBytes: number;
  /** Whether the study is about seconds, which runs beside one another take from each other. */
  readonly isTimed: boolean;
}

export interface JobsChoice {
  readonly jobs: number;
  /** Cores of each run. */
  readonly threads: number;
  /** A clause for people; null where there was nothing to choose. */
  readonly why: string | null;
}

/**
 * That two runs with half of the cores each make of what one run makes with all of them: threads of one run wait
 * for one another at the end of each instruction. Measured: 1.02 to 1.19.
 */
const GAIN_OF_HALVING = 1.1;
/** Node, code and libraries of a process, and its part of the decoded images. */
const PROCESS_BYTES = 200 * 2 ** 20;
/** Of what is free: the images, the system's caches and other programs want some. */
const SHARE_OF_FREE = 0.75;

/** Updates a second of a run with so many cores, in units of a run with one. */
const speed = (cores: number): number => cores / GAIN_OF_HALVING ** Math.log2(cores);

/**
 * The number of runs at a time with the shortest sum of rounds: so many runs leave cores idle in the last round where
 * they do not divide, and so few wait for their own threads. Of equals the least, which takes the least memory.
 */
export function chooseJobs(question: JobsQuestion): JobsChoice {
  const { runs, cores, bytesOfRun, freeBytes, isTimed } = question;
  const alone = { jobs: 1, threads: cores };
  if (cores === 1 || runs === 1) return { ...alone, why: null };
  if (isTimed)
    return { ...alone, why: "runs beside it would lengthen the seconds that are asked for" };
  const fits = Math.floor((freeBytes * SHARE_OF_FREE) / (bytesOfRun + PROCESS_BYTES));
  const candidates = Array.from({ length: Math.min(cores, runs) }, (_, i) => i + 1).map((jobs) => {
    const threads = Math.floor(cores / jobs);
    return { jobs, threads, time: Math.ceil(runs / jobs) / speed(threads) };
  });
  const best = (of: typeof candidates) => of.reduce((a, b) => (b.time < a.time ? b : a));
  const fastest = best(candidates);
  const { jobs, threads } = best(candidates.filter(({ jobs }) => jobs === 1 || jobs <= fits));
  if (jobs < fastest.jobs)
    return {
      ...{ jobs, threads },
      why: `${fastest.jobs} at a time would take ${mebibytes(fastest.jobs * (bytesOfRun + PROCESS_BYTES))} of memory, of which ${mebibytes(freeBytes)} are free`,
    };
  return {
    ...{ jobs, threads },
    why:
      jobs === 1
        ? `${runs} runs would leave cores idle at the end if they shared them`
        : "runs do not wait for one another, as threads of one run do",
  };
}
