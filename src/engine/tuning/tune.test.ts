import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compileNetwork } from "../../compile/index.ts";
import { createModel } from "../../models/index.ts";
import { createOptimizer } from "../../optimizers/index.ts";
import { openTuningCache } from "../../store/tuning-cache.ts";
import { describePlan, planDifferences } from "../../train/plan.ts";
import { nativeBackend } from "../native/index.ts";
import { convolutionKey, implementationsOf } from "./convolution-choice.ts";
import { boundMemory, forceEverywhere, sessionBytes } from "./memory-bound.ts";
import { type TuneOptions, tune as tuneWith } from "./tune.ts";

const threads = 1;
const backend = nativeBackend({ threads });
const network = createModel("vanilla", { classes: 3, channels: 3, size: 32 });
const optimizer = createOptimizer("sgd");
const options = { network, backend, batch: 4, optimizer, threads };

/** With a memory in a folder. */
const tune = ({
  cacheDir,
  onNote,
  ...rest
}: TuneOptions & { cacheDir: string; onNote?: (text: string) => void }) =>
  tuneWith({ ...rest, remember: (about) => openTuningCache({ ...about, cacheDir, onNote }) });

let cacheDir: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "lrscope-tune-"));
});
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

describe("tune", () => {
  test("tries every convolution in every pass, and what it chooses compiles", async () => {
    const tuned = await tune({ ...options, cacheDir });
    // Three layers of four: the first one is part of an instruction that has one implementation.
    expect(Object.keys(tuned.rule)).toHaveLength(9);
    for (const key of Object.keys(tuned.rule)) {
      const tried = tuned.candidates[key]!;
      expect(tried.map(({ implementation }) => implementation)).toContain("direct");
      expect(tried.every(({ ms, stepMs }) => ms > 0 && stepMs >= ms)).toBe(true);
    }
    expect(tuned.stepMs).toBeLessThanOrEqual(tuned.ruleStepMs);
    const { convolutions } = tuned;
    compileNetwork({ ...options, implementations: implementationsOf(convolutions) });
  });

  test("remembers: the second time nothing is timed, and the choice is the same", async () => {
    const first = await tune({ ...options, cacheDir });
    const second = await tune({ ...options, cacheDir });
    expect(second.convolutions).toEqual(first.convolutions);
    expect([...second.clock.times]).toEqual([...first.clock.times]);
  });

  test("a damaged file is left aside with a note, and written anew", async () => {
    await tune({ ...options, cacheDir });
    const folder = join(cacheDir, "tuning");
    const [name] = readdirSync(folder);
    writeFileSync(join(folder, name!), '{"times": 3');
    const notes: string[] = [];
    await tune({ ...options, cacheDir, onNote: (text) => notes.push(text) });
    expect(notes).toEqual([expect.stringContaining("is damaged, and is left aside")]);
    const again: string[] = [];
    await tune({ ...options, cacheDir, onNote: (text) => again.push(text) });
    expect(again).toEqual([]);
  });
});

describe("a memory bound", () => {
  const needed = (convolutions = {}) =>
    sessionBytes(compileNetwork({ ...options, implementations: implementationsOf(convolutions) }));

  test("that is met changes nothing", () => {
    const bounded = boundMemory({ ...options, limitBytes: needed() });
    expect(bounded).toMatchObject({ convolutions: {}, givenUp: [] });
  });

  test("below that gives implementations with large scratchpads up", () => {
    // What is forced here takes more scratch than another one, whichever the machine is.
    const forced = forceEverywhere(options, "winograd");
    const direct = needed(forceEverywhere(options, "direct"));
    const large = needed(forced);
    if (large <= direct) return;
    const bounded = boundMemory({ ...options, convolutions: forced, limitBytes: large - 1 });
    expect(bounded.bytes).toBeLessThan(large);
    expect(bounded.givenUp.length).toBeGreaterThan(0);
  });

  test("that nothing meets is refused with the least that is needed", () => {
    expect(() => boundMemory({ ...options, limitBytes: 1 })).toThrow(
      /memory: the step must fit into 1M; the least that it needs is \d+M/,
    );
  });
});

test("a convolution's key names pass and shapes, and leaves the batch out", () => {
  const attributes = { stride: [1, 1], padding: [1, 1] };
  const tensor = (...shape: number[]) => ({ shape });
  const keys = [2, 64].map((batch) => [
    convolutionKey({
      kind: "conv2d",
      attributes,
      inputs: [tensor(batch, 3, 8, 8), tensor(16, 3, 3, 3)],
      outputs: [tensor(batch, 16, 8, 8)],
    }),
    convolutionKey({
      kind: "conv2dBackwardData",
      attributes,
      inputs: [tensor(batch, 16, 8, 8), tensor(16, 3, 3, 3)],
      outputs: [tensor(batch, 3, 8, 8)],
    }),
    convolutionKey({
      kind: "conv2dBackwardWeights",
      attributes,
      inputs: [tensor(batch, 3, 8, 8), tensor(batch, 16, 8, 8)],
      outputs: [tensor(16, 3, 3, 3)],
    }),
  ]);
  const shapes = "3x8x8 > 16x8x8 by 3x3 stride 1x1 padding 1x1";
  expect(keys[0]).toEqual([
    `forward ${shapes}`,
    `backward-data ${shapes}`,
    `backward-weights ${shapes}`,
  ]);
  expect(keys[1]).toEqual(keys[0]);
});

test("a plan holds its choices, and differs from one with others by name", () => {
  const convolutions = forceEverywhere(options, "channels-last");
  const plans = [{}, { convolutions, convolutionsDecidedBy: "tuned" as const }].map((choice) => {
    const implementations = implementationsOf(choice.convolutions ?? {});
    return describePlan(
      { ...options, ...choice } as never,
      compileNetwork({ ...options, implementations }),
    );
  });
  const [rule, tuned] = plans;
  expect(rule).toMatchObject({ convolutions: {}, decidedBy: "rule" });
  expect(tuned).toMatchObject({ convolutions, decidedBy: "tuned" });
  expect(planDifferences(rule!, rule!)).toEqual([]);
  if (Object.keys(convolutions).length > 0)
    expect(planDifferences(rule!, tuned!).length).toBeGreaterThan(0);
});
