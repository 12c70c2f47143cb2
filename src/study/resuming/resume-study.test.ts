import { expect, test } from "vitest";
import type { ExperimentRecord } from "../../record/index.ts";
import { checkSame, jobsOf } from "./resume-study.ts";

const experiment = (threads: number) =>
  ({
    protocol: { threads, seeds: [0, 1] },
    arms: [{}, {}],
  }) as unknown as ExperimentRecord;

test.each([
  { said: undefined, begunWith: 2, threads: 1, cores: 4, jobs: 2 },
  { said: undefined, begunWith: undefined, threads: 1, cores: 4, jobs: 1 },
  { said: undefined, begunWith: 8, threads: 2, cores: 4, jobs: 2 },
  { said: undefined, begunWith: 2, threads: 8, cores: 4, jobs: 1 },
  { said: 3, begunWith: 1, threads: 1, cores: 4, jobs: 3 },
  { said: 8, begunWith: 1, threads: 1, cores: 16, jobs: 4 },
  { said: 1, begunWith: 2, threads: 8, cores: 4, jobs: 1 },
])(
  "said $said, begun with $begunWith of $threads threads, on $cores cores: $jobs jobs",
  ({ said, begunWith, threads, cores, jobs }) => {
    const call = { command: "compare", jobs: said } as const;
    expect(jobsOf(call, experiment(threads), begunWith, cores)).toBe(jobs);
  },
);

test("more jobs than there are cores for are refused", () => {
  const call = { command: "compare", jobs: 3 } as const;
  expect(() => jobsOf(call, experiment(2), 1, 4)).toThrow(/would take 6 cores.*Use --jobs 2/);
});

test.each([
  ["as-stored", true],
  ["unnamed", true],
  ["other-width", true],
  ["by-class", false],
  ["other-classes", false],
  ["missing", false],
] as const)(
  "weights of a run of 0.1, whose last layer is now %s: gone on with %s",
  (lastLayer, goesOn) => {
    const run = (pretrained: object) =>
      ({
        lrscope: "0.2.0",
        dataset: {},
        model: { name: "net", pretrained },
      }) as unknown as ExperimentRecord;
    const weights = { source: "w.pth", sha256: "0a" };
    const check = () => checkSame("run", run(weights), run({ ...weights, lastLayer }));
    if (goesOn) expect(check).not.toThrow();
    else expect(check).toThrow("model.pretrained.lastLayer");
    const now = run({ ...weights, lastLayer });
    expect(() => checkSame("run", now, now)).not.toThrow();
  },
);
