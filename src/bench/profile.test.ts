import { describe, expect, test } from "vitest";
import { compileNetwork } from "../compile/index.ts";
import { openBackend } from "../engine/native/engines.ts";
import { createModel } from "../models/index.ts";
import { createOptimizer } from "../optimizers/index.ts";
import { openNoiseStep } from "./noise-step.ts";
import { profileOf, profileStep, winogradSaving } from "./profile.ts";
import { boundShares, layerCosts } from "./profile-costs.ts";
import { stepTrace } from "./step-trace.ts";
import { movedBytes } from "./traffic.ts";

const tiny = { size: 16, batch: 4, threads: 1 } as const;
const network = createModel("vanilla", { classes: 5, channels: 3, size: 16 });
const native = () => openBackend("native", { threads: 1 });

async function compiledWith(optimizer: string) {
  const backend = await native();
  const about = { network, backend, batch: 4, threads: 1 };
  return { backend, compiled: compileNetwork({ ...about, optimizer: createOptimizer(optimizer) }) };
}

describe("profileStep", async () => {
  const { profile, compiled } = await profileStep({ ...tiny, steps: 3 });
  const { instructions, recorded } = profile;

  test("has each instruction of the program, in its order", () => {
    const { train } = compiled.programs;
    expect(instructions.map(({ kind, layer }) => ({ kind, layer }))).toEqual(
      train.instructions.map(({ kind, layer }) => ({ kind, layer })),
    );
    expect(instructions.map(({ index }) => index)).toEqual(train.instructions.map((_, i) => i));
    const parts = instructions.map(({ part }) => part);
    expect(parts.indexOf("backward")).toBe(
      instructions.findIndex(({ kind }) => kind === "softmaxCrossEntropy") + 1,
    );
    expect(parts.filter((part) => part === "update")).toEqual(["update"]);
    expect(parts.at(-1)).toBe("update");
  });

  test("of each step, the instructions lie within it, one after the other", () => {
    expect(recorded).toHaveLength(3);
    for (const { ms, instructionMs } of recorded) {
      expect(instructionMs).toHaveLength(instructions.length);
      for (const one of instructionMs) expect(one).toBeGreaterThanOrEqual(0);
      expect(instructionMs.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(ms);
    }
    for (const [i, { startMs }] of recorded.entries())
      if (i > 0) expect(startMs).toBeGreaterThan(recorded[i - 1]!.startMs + recorded[i - 1]!.ms);
  });

  test("bytes and operations are those of the formulas", () => {
    const of = (kind: string, layer: string) =>
      instructions.find((one) => one.kind === kind && one.layer === layer)!;
    // (4,32,8,8) by (64,32,3,3): a product and a sum each, and a bias.
    const [inputs, weights, outputs] = [4 * 32 * 64, 64 * 32 * 9, 4 * 64 * 64];
    const convolution = of("conv2d", "features.4");
    expect(convolution.flops).toBe(2 * outputs * 32 * 9);
    expect(convolution.bytes).toBe(4 * (inputs + weights + 64 + outputs));
    // (4,128) by (512,128)
    const linear = of("linear", "classifier.1");
    expect(linear.bytes).toBe(4 * (4 * 128 + 512 * 128 + 512 + 4 * 512));
    expect(linear.flops).toBe(2 * 4 * 512 * 128);
    expect(of("optimizer", "sgd").bytes).toBe(12 * compiled.parameterCount);
  });

  test("rates, shares and bounds follow from time, bytes and operations", () => {
    const { machine } = profile;
    expect(machine.gbPerSecond).toBeGreaterThan(0);
    expect(machine.gflops).toEqual({ f32: expect.any(Number), bf16: 0 });
    expect(instructions.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    for (const { medianMs, bytes, flops, gbPerSecond, gflops, leastMs } of instructions) {
      expect(gbPerSecond * medianMs * 1e6).toBeCloseTo(medianMs > 0 ? bytes : 0, 3);
      expect(gflops * medianMs * 1e6).toBeCloseTo(medianMs > 0 ? flops : 0, 3);
      expect(leastMs).toBeGreaterThanOrEqual(machine.startMs);
      expect(leastMs).toBeGreaterThanOrEqual(bytes / machine.gbPerSecond / 1e6);
    }
    expect(boundShares(profile).reduce((sum, { instructions: n }) => sum + n, 0)).toBe(
      instructions.length,
    );
  });

  test("each layer's cost is the sum of its instructions", () => {
    const rows = layerCosts(profile);
    const total = rows.reduce((sum, r) => sum + r.forwardMs + r.backwardMs + r.updateMs, 0);
    expect(total).toBeCloseTo(
      instructions.reduce((sum, { medianMs }) => sum + medianMs, 0),
      9,
    );
    // The first block is one instruction, by its norm's name.
    expect(rows[0]!.name).toBe("features.1");
    expect(rows.at(-1)!.name).toBe("update by sgd");
    const of = (layer: string, part: string) =>
      instructions
        .filter((one) => one.layer === layer && one.part === part)
        .reduce((sum, { medianMs }) => sum + medianMs, 0);
    const row = rows.find(({ name }) => name === "features.8")!;
    expect(row.forwardMs).toBeCloseTo(of("features.8", "forward"), 12);
    expect(row.backwardMs).toBeCloseTo(of("features.8", "backward"), 12);
  });

  test("the trace has a span for every step, part and instruction, each within what holds it", () => {
    const trace = JSON.parse(JSON.stringify(stepTrace(profile, { network: "vanilla" })));
    expect(trace).toMatchObject({ displayTimeUnit: "ms", otherData: { network: "vanilla" } });
    const spans = trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
    expect(spans).toHaveLength(3 * (1 + 3 + instructions.length));
    for (const { ts, dur, pid, tid, name, cat } of spans) {
      expect(ts).toBeGreaterThanOrEqual(0);
      expect(dur).toBeGreaterThanOrEqual(0);
      expect([pid, tid]).toEqual([1, 1]);
      expect(name).not.toBe("");
      expect(["step", "part", "forward", "backward", "update"]).toContain(cat);
    }
    // Spans of one thread nest or follow: a viewer draws nothing else.
    const open: { end: number }[] = [];
    const slack = 1e-6;
    for (const { ts, dur } of spans.toSorted(
      (a: { ts: number; dur: number }, b: { ts: number; dur: number }) =>
        a.ts - b.ts || b.dur - a.dur,
    )) {
      while (open.length > 0 && open.at(-1)!.end <= ts + slack) open.pop();
      if (open.length > 0) expect(ts + dur).toBeLessThanOrEqual(open.at(-1)!.end + slack);
      open.push({ end: ts + dur });
    }
    const named = trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "M");
    expect(named.map(({ name }: { name: string }) => name)).toEqual([
      "process_name",
      "thread_name",
    ]);
    const curves = trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "C");
    expect(new Set(curves.map(({ name }: { name: string }) => name))).toEqual(
      new Set(["GB/s", "GFLOP/s"]),
    );
  });

  test("other programs have one too, without a backward part", async () => {
    const evaluated = await profileStep({ ...tiny, steps: 1, program: "predict" });
    expect(evaluated.profile.program).toBe("predict");
    expect(new Set(evaluated.profile.instructions.map(({ part }) => part))).toEqual(
      new Set(["forward"]),
    );
  });
});

describe("what a profile is of", () => {
  test("an engine without a profile is refused, by name and with what to use", async () => {
    await expect(profileStep({ ...tiny, engine: "reference-f64" })).rejects.toThrow(
      'profile: the engine "reference-f64" has no profile, as its times are not those of training; use the engine "native"',
    );
  });

  test("no steps are refused", async () => {
    await expect(profileStep({ ...tiny, steps: 0 })).rejects.toThrow(
      "profile: steps must be a positive integer; got 0",
    );
  });

  test("timed steps leave the weights that plain steps leave, to the bit", async () => {
    const { backend, compiled } = await compiledWith("adam");
    const weightsAfter = async (timed: boolean) => {
      const step = await openNoiseStep({ compiled, backend });
      try {
        for (let i = 0; i < 3; i++) {
          const run = { slot: 0, scalars: step.scalars() };
          await (timed ? step.loaded.profile(run) : step.loaded.run(run));
        }
        return await Promise.all(compiled.tensors.map(({ buffer }) => step.session.read(buffer)));
      } finally {
        step.close();
      }
    };
    const [plain, timed] = [await weightsAfter(false), await weightsAfter(true)];
    expect(timed).toEqual(plain);
  });

  // Loads and stores of each rule by hand: parameter and gradient in, parameter out, state both ways.
  test.each([
    ["sgd", 3],
    ["adam", 7],
    ["rmsprop", 5],
    ["lion", 5],
    ["adadelta", 7],
  ])("%s moves %d numbers a parameter", async (optimizer, numbers) => {
    const { compiled } = await compiledWith(optimizer);
    const bytes = movedBytes(compiled.programs.train).at(-1);
    expect(bytes).toBe(4 * numbers * compiled.parameterCount);
  });

  test.each([
    ["winograd:avx512 F(4x4,3x3)", 4],
    ["winograd:avx2 F(2x2,3x3)", 2.25],
    ["jit:avx512_core", 1],
  ])("%s takes %d times fewer products than the formula", (implementation, times) => {
    expect(winogradSaving(implementation)).toBe(times);
  });

  test("an instruction waits for what takes longest", async () => {
    const { compiled } = await compiledWith("sgd");
    const program = compiled.programs.train;
    const recorded = [
      { startMs: 0, ms: 1000, instructionMs: program.instructions.map((_, i) => i + 1) },
    ];
    const boundsOn = (gbPerSecond: number, f32: number, startMs: number) =>
      new Set(
        profileOf({
          program,
          recorded,
          plain: [1],
          machine: { gbPerSecond, gflops: { f32, bf16: 0 }, startMs },
        }).instructions.map(({ bound }) => bound),
      );
    expect(boundsOn(1e-6, 1e6, 0)).toEqual(new Set(["memory"]));
    expect(boundsOn(1e6, 1e6, 1e6)).toEqual(new Set(["start"]));
    // Whatever multiplies waits for arithmetic on a machine of endless bandwidth.
    expect(boundsOn(1e12, 1e-6, 0)).toContain("arithmetic");
  });
});
