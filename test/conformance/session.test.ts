/** @file What a native session promises beside its numbers: threads, order, refusals, memory. */

import { afterEach, describe, expect, test } from "vitest";
import { AddonError } from "../../src/core/errors.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type { Instruction, Program, Session } from "../../src/program/index.ts";
import { inTurn } from "../compile/in-turn.ts";
import { type Case, prepareCase, relativeError, runCase, uniformValues } from "./harness.ts";

const native = nativeBackend({ threads: 2 });
const zeros = { slot: 0, scalars: Float64Array.of(0, 0) };
const attributes = { stride: [1, 1], padding: [1, 1] };

/** A convolution repeated, about 2 GFLOP: long enough for a timer to fall due within it. */
function longCase(): Case {
  const x = [4, 32, 64, 64];
  const w = [32, 32, 3, 3];
  return {
    tensors: {
      x: { shape: x, values: uniformValues(x, 1), layout: "abcd" },
      w: { shape: w, values: uniformValues(w, 2) },
      y: { shape: x },
      z: { shape: x },
    },
    steps: Array.from({ length: 20 }, () => ({
      kind: "conv2d" as const,
      attributes,
      inputs: ["x", "w"],
      outputs: ["y"],
    })).concat([{ kind: "conv2d", attributes, inputs: ["y", "w"], outputs: ["z"] }]),
  };
}

const addCase: Case = {
  tensors: {
    a: { shape: [5], values: [1, 2, 3, 4, 5] },
    b: { shape: [5], values: [10, 20, 30, 40, 50] },
    y: { shape: [5] },
  },
  steps: [{ kind: "add", inputs: ["a", "b"], outputs: ["y"] }],
};

const open: Session[] = [];
async function prepared(given: Case) {
  const all = await prepareCase(native, given);
  open.push(all.session);
  return all;
}
afterEach(() => {
  for (const session of open.splice(0)) session.dispose();
});

describe("a run", () => {
  test("leaves the JavaScript thread free: a timer set before it fires while it runs", async () => {
    const { program, session } = await prepared(longCase());
    const loaded = await session.load(program);
    const events: string[] = [];
    const timer = new Promise<void>((resolve) =>
      setTimeout(() => {
        events.push("timer");
        resolve();
      }, 0),
    );
    const run = loaded.run(zeros).then(() => events.push("run"));
    events.push("called");
    await Promise.all([timer, run]);
    expect(events).toEqual(["called", "timer", "run"]);
  });

  test("gives the same bits every time", async () => {
    const first = await runCase(native, longCase());
    const second = await runCase(native, longCase());
    expect(second.z).toEqual(first.z);
  });

  test("waits for the runs asked for before it, of other programs too", async () => {
    const slow = await prepared(longCase());
    const quick = await prepared(addCase);
    const slowProgram = await slow.session.load(slow.program);
    const quickProgram = await quick.session.load(quick.program);
    const order: string[] = [];
    await Promise.all([
      slowProgram.run(zeros).then(() => order.push("slow")),
      quickProgram.run(zeros).then(() => order.push("quick")),
      slowProgram.run(zeros).then(() => order.push("slow again")),
    ]);
    expect(order).toEqual(["slow", "quick", "slow again"]);
  });

  test("takes images, labels and outputs of its slot", async () => {
    const session = await native.openSession({
      persistentBytes: 0,
      arenaBytes: 0,
      outputBytes: 64,
      imageBytes: 64,
      labelBytes: 64,
      slots: 2,
      threads: 2,
    });
    open.push(session);
    const buffer = (id: number, region: "images" | "outputs") => ({
      id,
      name: `${region}`,
      shape: [2, 3],
      dtype: "f32" as const,
      layout: "ab",
      bytes: 24,
      region,
      offset: 0,
    });
    const loaded = await session.load({
      name: "slots",
      buffers: [buffer(0, "images"), buffer(1, "outputs")],
      instructions: [instruction("relu", [0], [1])],
      scalars: ["seed", "update"],
      outputs: { y: 1 },
      batch: 2,
    });
    session.images(0).set([1, -2, 3, -4, 5, -6]);
    session.images(1).set([-1, 2, -3, 4, -5, 6]);
    const [first, second] = await Promise.all([0, 1].map((slot) => loaded.run({ ...zeros, slot })));
    expect([...first!.y!]).toEqual([1, 0, 3, 0, 5, 0]);
    expect([...second!.y!]).toEqual([0, 2, 0, 4, 0, 6]);
    await expect(loaded.run({ ...zeros, slot: 2 })).rejects.toThrow("slot must be below 2");
    await expect(loaded.run({ ...zeros, scalars: new Float64Array(1) })).rejects.toThrow(
      'program "slots": expects 2 scalars; got 1',
    );
  });

  test("is profiled instruction by instruction", async () => {
    const { program, session } = await prepared(longCase());
    const milliseconds = await (await session.load(program)).profile(zeros);
    expect(milliseconds).toHaveLength(program.instructions.length);
    expect(milliseconds.every((value) => value >= 0)).toBe(true);
  });

  test("times one instruction, as often as it is asked to", async () => {
    const { program, session } = await prepared(longCase());
    const loaded = await session.load(program);
    const milliseconds = await loaded.time!({ ...zeros, instruction: 0, repetitions: 5 });
    expect(milliseconds).toHaveLength(5);
    expect(milliseconds.every((value) => value >= 0)).toBe(true);
    const instruction = program.instructions.length;
    await expect(loaded.time!({ ...zeros, instruction, repetitions: 1 })).rejects.toThrow(
      "out of range",
    );
  });

  test("refuses a label that is no class, naming the layer", async () => {
    const { program, session } = await prepared({
      tensors: {
        logits: { shape: [2, 3], values: [0, 0, 0, 0, 0, 0] },
        labels: { shape: [2], values: [0, 3], dtype: "i32" },
        loss: { shape: [1] },
        correct: { shape: [1] },
      },
      steps: [
        {
          kind: "softmaxCrossEntropy",
          attributes: { labelSmoothing: 0 },
          inputs: ["logits", "labels"],
          outputs: ["loss", "correct"],
        },
      ],
    });
    await expect((await session.load(program)).run(zeros)).rejects.toThrow(
      'softmaxCrossEntropy "softmaxCrossEntropy": label 3 of row 1 is not below the number of classes, 3',
    );
  });
});

function instruction(
  kind: Instruction["kind"],
  inputs: number[],
  outputs: number[],
  more: Partial<Instruction> = {},
): Instruction {
  return {
    kind,
    layer: "layer",
    inputs,
    outputs,
    scratch: -1,
    attributes: {},
    implementation: "",
    ...more,
  };
}

describe("a session", () => {
  test("refuses to be read or written while a run is in flight", async () => {
    const { program, session, buffer } = await prepared(longCase());
    const loaded = await session.load(program);
    const run = loaded.run(zeros);
    await expect(session.read(buffer("x"))).rejects.toThrow(
      "x: a run is in flight; await it first",
    );
    await expect(session.write(buffer("w"), new Float32Array(32 * 32 * 9))).rejects.toThrow(
      AddonError,
    );
    await run;
    expect(await session.read(buffer("x"))).toHaveLength(4 * 32 * 64 * 64);
  });

  test("is disposed of once, waits for its runs, and refuses everything afterwards", async () => {
    const { program, session, buffer } = await prepared(longCase());
    const loaded = await session.load(program);
    const labels = session.labels(0);
    const run = loaded.run(zeros);
    session.dispose();
    session.dispose();
    await run;
    await expect(session.read(buffer("x"))).rejects.toThrow("the session is disposed of");
    await expect(loaded.run(zeros)).rejects.toThrow("the session is disposed of");
    expect(() => session.images(0)).toThrow(AddonError);
    labels.fill(7); // keeps its own memory alive
    expect(labels.at(-1)).toBe(7);
  });

  test("writes and reads every layout in logical order", async () => {
    for (const layout of ["abcd", "acdb", "aBcd8b", "ABcd8b8a", "ABcd16b16a", "Acdb8a"]) {
      const shape = [5, 3, 2, 7];
      const values = uniformValues(shape, 1);
      const { session, buffer } = await prepared({
        tensors: { x: { shape, values, layout } },
        steps: [],
      });
      expect(await session.read(buffer("x"))).toEqual(values);
    }
  });

  // Each is more than a thread takes at a time, and has rows that are no multiple of what is walked together.
  const large: [shape: number[], layout: string][] = [
    [[70, 9001], "ab"],
    [[70, 9001], "ba"],
    [[3, 200_003], "ba"],
    [[70, 2003, 3, 3], "ABcd8b8a"],
    [[70, 2003, 3, 3], "acdb"],
    [[300_007], "a"],
  ];
  test.each(large)(
    "initialises, writes and reads %j in %s, whole and in parts",
    async (shape, layout) => {
      const plain = "abcd".slice(0, shape.length);
      const drawn = await inTurn(
        [native, nativeBackend({ threads: 1 }), referenceBackend()],
        async (backend) => {
          const { session, buffer } = await prepareCase(backend, {
            tensors: { x: { shape, layout: backend.kind === "native" ? layout : plain } },
            steps: [],
          });
          open.push(session);
          await session.initialize(buffer("x"), { kind: "uniform", low: -1, high: 1 }, 5, 7);
          return { session, buffer: buffer("x"), values: await session.read(buffer("x")) };
        },
      );
      const [two, one, reference] = drawn as [
        (typeof drawn)[0],
        (typeof drawn)[0],
        (typeof drawn)[0],
      ];
      expect(two.values).toEqual(reference.values);
      expect(one.values).toEqual(reference.values);
      const values = reference.values.map((_, i) => i);
      for (const { session, buffer } of drawn) {
        await session.write(buffer, values);
        expect(await session.read(buffer)).toEqual(values);
        for (const [from, length] of [
          [0, 1],
          [8999, 270_005],
          [values.length - 5, 5],
          [values.length, 0],
        ]) {
          const part = new Float32Array(length!);
          await session.readPart(buffer, from!, part);
          expect(part).toEqual(values.slice(from, from! + length!));
        }
        await expect(
          session.readPart(buffer, values.length - 5, new Float32Array(6)),
        ).rejects.toThrow();
        await expect(session.readPart(buffer, -1, new Float32Array(1))).rejects.toThrow();
      }
    },
  );

  test.each([
    { kind: "uniform", low: -0.25, high: 0.5 },
    { kind: "normal", std: 0.02 },
    { kind: "constant", value: 3 },
  ] as const)("initialises as the reference backend does: $kind", async (initializer) => {
    const shape = [5, 3, 3, 7];
    const filled = await inTurn([native, referenceBackend()], async (backend) => {
      const layout = backend.kind === "native" ? "ABcd8b8a" : "abcd";
      const { session, buffer } = await prepareCase(backend, {
        tensors: { x: { shape, layout } },
        steps: [],
      });
      await session.initialize(buffer("x"), initializer, 4_000_000_000, 12);
      const values = await session.read(buffer("x"));
      session.dispose();
      return values;
    });
    expect(relativeError(filled[0]!, filled[1]!)).toBeLessThan(1e-7);
  });
});

describe("loading a program", () => {
  const refused = (change: (program: Program) => Program) => async () => {
    const { program, session } = await prepared(addCase);
    await session.load(change(program));
  };
  const withBuffer = (change: object) =>
    refused((p) => ({ ...p, buffers: [{ ...p.buffers[0]!, ...change }, ...p.buffers.slice(1)] }));
  const withInstruction = (change: object) =>
    refused((p) => ({ ...p, instructions: [{ ...p.instructions[0]!, ...change }] }));

  test.each([
    ["beyond the region", withBuffer({ offset: 1 << 20 }), "does not lie within its region"],
    ["a negative offset", withBuffer({ offset: -64 }), "offset must be an integer in range"],
    ["a huge size", withBuffer({ bytes: 2 ** 45 }), "does not lie within its region"],
    ["off the alignment", withBuffer({ offset: 4 }), "64-byte aligned"],
    ["fewer bytes than the layout takes", withBuffer({ bytes: 16 }), "its layout takes 20"],
    ["another shape", withBuffer({ shape: [4] }), '"b" must be [4]; got [5]'],
    ["a layout of another rank", withBuffer({ layout: "ab" }), "does not fit shape [5]"],
    ["a layout that is none", withBuffer({ layout: "A99999999a" }), "does not fit shape [5]"],
    [
      "blocks whose product overflows",
      withBuffer({ layout: "a4096a4096a4096a4096a4096a4096a" }),
      "does not fit shape [5]",
    ],
    ["a zero extent", withBuffer({ shape: [0] }), "an extent must be an integer in range"],
    ["an unknown buffer", withInstruction({ inputs: [0, 77] }), "there is no buffer 77"],
    ["too few operands", withInstruction({ inputs: [0] }), "expects 2 inputs; got 1"],
    ["an unknown kind", withInstruction({ kind: "median" }), 'no kernel for "median"'],
    [
      "no program",
      withInstruction({ kind: "optimizer", inputs: [], outputs: [] }),
      "has no optimizer program",
    ],
  ])("refuses %s", async (_, load, message) => {
    await expect(load()).rejects.toThrow(AddonError);
    await expect(load()).rejects.toThrow(message);
  });

  test("names the layer that failed", async () => {
    await expect(withInstruction({ inputs: [0], layer: "block.2" })()).rejects.toThrow(
      'add "block.2": expects 2 inputs; got 1',
    );
  });

  test("refuses a scratchpad that is too small for the primitive", async () => {
    const shape = [7, 17, 9, 9];
    const { program: bn, session } = await prepared({
      tensors: {
        x: { shape, values: uniformValues(shape, 1) },
        ...Object.fromEntries(
          ["gamma", "beta", "rm", "rv", "mean", "variance"].map((name) => [name, { shape: [17] }]),
        ),
        y: { shape },
      },
      steps: [
        {
          kind: "batchNormTrain",
          attributes: { epsilon: 1e-5, momentum: 0.1 },
          inputs: ["x", "gamma", "beta", "rm", "rv"],
          outputs: ["y", "mean", "variance"],
        },
      ],
    });
    const without = bn.instructions.map((each) => ({ ...each, scratch: -1 }));
    await expect(session.load({ ...bn, instructions: without })).rejects.toThrow(
      /batchNormTrain "batchNormTrain": needs a scratchpad of \d+ bytes; the program gives 0/,
    );
  });
});
