import { describe, expect, test } from "vitest";
import { inTurn } from "../../../test/compile/in-turn.ts";
import { philox } from "../../core/philox.ts";
import { STREAMS } from "../../core/random.ts";
import type { BufferSpec, Instruction, Program, Region } from "../../program/index.ts";
import { referenceBackend } from "./index.ts";

const vector = (id: number, length: number, region: Region, offset = 0): BufferSpec => ({
  id,
  name: `b${id}`,
  shape: [length],
  dtype: region === "labels" ? "i32" : "f32",
  layout: "a",
  bytes: 4 * length,
  region,
  offset,
});

const instruction = (
  kind: Instruction["kind"],
  inputs: readonly number[],
  outputs: readonly number[],
  attributes: Instruction["attributes"] = {},
): Instruction => ({
  kind,
  layer: "layer",
  inputs,
  outputs,
  scratch: -1,
  attributes,
  implementation: "reference",
});

const open = async (precision: "f32" | "f64" = "f64", slots: 1 | 2 = 1) =>
  await referenceBackend({ precision }).openSession({
    persistentBytes: 1 << 16,
    arenaBytes: 1 << 12,
    outputBytes: 1 << 12,
    imageBytes: 256,
    labelBytes: 64,
    slots,
    threads: 1,
  });

const program = (
  buffers: readonly BufferSpec[],
  instructions: readonly Instruction[],
  outputs: Program["outputs"] = {},
): Program => ({
  name: "train",
  buffers,
  instructions,
  scalars: ["seed", "update"],
  outputs,
  batch: 1,
});

const scalars = (seed: number, update: number) => Float64Array.of(seed, update);

describe("dropout", () => {
  const COUNT = 4096;
  const ones = new Float64Array(COUNT).fill(1);
  const mask = async (seed: number, update: number, p: number, layerIndex: number) => {
    const session = await open();
    const buffers = [vector(0, COUNT, "persistent"), vector(1, COUNT, "persistent", 4 * COUNT)];
    await session.write(buffers[0]!, ones);
    const loaded = await session.load(
      program(buffers, [instruction("dropout", [0], [1], { p, layerIndex })]),
    );
    await loaded.run({ slot: 0, scalars: scalars(seed, update) });
    return session.readDouble(buffers[1]!);
  };

  test("keeps what the published counter says, scaled by 1 / (1 - p)", async () => {
    const got = await mask(7, 3, 0.25, 2);
    for (const element of [0, 1, 6, 1023, 4095]) {
      const word = philox([element >>> 2, 3, 2, 0], 7, STREAMS.dropout)[element % 4]!;
      expect(got[element]).toBe(word / 2 ** 32 >= 0.25 ? Math.fround(1 / 0.75) : 0);
    }
    const kept = got.filter((value) => value > 0).length / COUNT;
    // Five standard deviations: sqrt(0.25 * 0.75 / 4096) = 0.0068.
    expect(Math.abs(kept - 0.75)).toBeLessThan(0.034);
  });

  test("seed, update and layer each change the mask; p = 0 keeps everything", async () => {
    const base = await mask(1, 1, 0.5, 1);
    expect(await mask(1, 1, 0.5, 1)).toEqual(base);
    for (const [seed, update, layer] of [
      [2, 1, 1],
      [1, 2, 1],
      [1, 1, 2],
    ] as const)
      expect(await mask(seed, update, 0.5, layer)).not.toEqual(base);
    expect(await mask(1, 1, 0, 1)).toEqual(ones);
  });

  test("the derivative draws the same mask", async () => {
    const session = await open();
    const buffers = [0, 1, 2, 3].map((id) => vector(id, 64, "persistent", id * 256));
    const attributes = { p: 0.5, layerIndex: 0 };
    await session.write(buffers[0]!, new Float64Array(64).fill(1));
    await session.write(buffers[2]!, new Float64Array(64).fill(1));
    const code = [
      instruction("dropout", [0], [1], attributes),
      instruction("dropoutBackward", [2], [3], attributes),
    ];
    await (await session.load(program(buffers, code))).run({ slot: 0, scalars: scalars(5, 9) });
    expect(session.readDouble(buffers[3]!)).toEqual(session.readDouble(buffers[1]!));
  });
});

describe("initialize", () => {
  const COUNT = 8192;
  const buffer = vector(0, COUNT, "persistent");
  const word = (element: number, seed: number, ordinal: number) =>
    philox([element >>> 2, ordinal, 0, 0], seed, STREAMS.initialise);

  test("uniform: low + (high - low) u, rounded once, equal in both precisions", async () => {
    const values = await inTurn(["f32", "f64"] as const, async (precision) => {
      const session = await open(precision);
      await session.initialize(buffer, { kind: "uniform", low: -0.1, high: 0.3 }, 11, 4);
      return session.readDouble(buffer);
    });
    expect(values[0]).toEqual(values[1]);
    for (const element of [0, 5, 8191])
      expect(values[1]![element]).toBe(
        Math.fround(-0.1 + (0.3 - -0.1) * (word(element, 11, 4)[element % 4]! / 2 ** 32)),
      );
  });

  test("normal: Box-Muller on the two pairs of words, mean 0 and the given deviation", async () => {
    const session = await open();
    await session.initialize(buffer, { kind: "normal", std: 2 }, 3, 1);
    const values = session.readDouble(buffer);
    const [w0, w1, w2, w3] = word(4, 3, 1);
    const radius = (w: number) => Math.sqrt(-2 * Math.log((w + 1) / 2 ** 32));
    const angle = (w: number) => 2 * Math.PI * (w / 2 ** 32);
    const want = [
      radius(w0) * Math.cos(angle(w1)),
      radius(w0) * Math.sin(angle(w1)),
      radius(w2) * Math.cos(angle(w3)),
      radius(w2) * Math.sin(angle(w3)),
    ];
    for (const [i, value] of want.entries()) expect(values[4 + i]).toBeCloseTo(2 * value, 6);
    const mean = values.reduce((sum, v) => sum + v, 0) / COUNT;
    const variance = values.reduce((sum, v) => sum + v * v, 0) / COUNT;
    // Five standard errors: 2 / sqrt(8192) = 0.022 and 4 sqrt(2 / 8192) = 0.0625.
    expect(Math.abs(mean)).toBeLessThan(0.11);
    expect(Math.abs(variance - 4)).toBeLessThan(0.32);
  });

  test("constant", async () => {
    const session = await open();
    await session.initialize(buffer, { kind: "constant", value: 0.5 }, 0, 0);
    expect(new Set(await session.read(buffer))).toEqual(new Set([0.5]));
  });
});

describe("a session", () => {
  test("a run takes the slot that it names, and resolves with copies of the outputs", async () => {
    const session = await open("f64", 2);
    const [x, y] = [vector(0, 4, "images"), vector(1, 4, "outputs")];
    const loaded = await session.load(program([x, y], [instruction("relu", [0], [1])], { y: 1 }));
    session.images(0).set([1, -2, 3, -4]);
    session.images(1).set([-1, 2, -3, 4]);
    const first = await loaded.run({ slot: 0, scalars: scalars(0, 0) });
    const second = await loaded.run({ slot: 1, scalars: scalars(0, 1) });
    expect([...first.y!]).toEqual([1, 0, 3, 0]);
    expect([...second.y!]).toEqual([0, 2, 0, 4]);
    const profile = await loaded.profile({ slot: 0, scalars: scalars(0, 2) });
    expect(profile).toHaveLength(1);
    expect(profile[0]).toBeGreaterThanOrEqual(0);
  });

  test("float32 rounds what it stores, float64 does not", async () => {
    const sums = [];
    for (const precision of ["f32", "f64"] as const) {
      const session = await open(precision);
      const buffers = [0, 1, 2].map((id) => vector(id, 1, "persistent", id * 64));
      await session.write(buffers[0]!, Float64Array.of(1));
      await session.write(buffers[1]!, Float64Array.of(1e-9));
      const loaded = await session.load(program(buffers, [instruction("add", [0, 1], [2])]));
      await loaded.run({ slot: 0, scalars: scalars(0, 0) });
      sums.push(session.readDouble(buffers[2]!)[0]);
    }
    expect(sums).toEqual([1, 1 + 1e-9]);
  });

  test("buffers that share arena bytes share elements", async () => {
    const session = await open();
    const [a, b] = [vector(0, 4, "arena", 64), vector(1, 4, "arena", 64)];
    await session.write(a!, Float64Array.of(1, 2, 3, 4));
    expect([...session.readDouble(b!)]).toEqual([1, 2, 3, 4]);
  });
});

describe("refuses", () => {
  const x = vector(0, 4, "persistent");
  test.each([
    [
      "a layout that is not plain",
      program([{ ...x, shape: [1, 1, 2, 2], layout: "acdb" }], [instruction("relu", [0], [0])]),
      'relu "layer": the reference backend has plain layouts only; buffer "b0" is "acdb"',
    ],
    [
      "a buffer that is not there",
      program([x], [instruction("relu", [7], [0])]),
      'program "train": no buffer 7',
    ],
    [
      "an optimizer instruction without its program",
      program([x], [instruction("optimizer", [], [])]),
      'optimizer "layer": instruction has no program',
    ],
  ])("%s, when the program is loaded", async (_, bad, message) => {
    const session = await open();
    await expect(session.load(bad)).rejects.toThrow(message);
  });

  test("the wrong number of scalars, a missing attribute, and a buffer past its region", async () => {
    const session = await open();
    const relu = await session.load(program([x], [instruction("relu", [0], [0])]));
    await expect(relu.run({ slot: 0, scalars: Float64Array.of(1) })).rejects.toThrow(
      'program "train": expects 2 scalars; got 1',
    );
    const dropout = await session.load(
      program([x], [instruction("dropout", [0], [0], { p: 0.5 })]),
    );
    await expect(dropout.run({ slot: 0, scalars: scalars(0, 0) })).rejects.toThrow(
      'dropout "layer": attribute layerIndex must be a number; got undefined',
    );
    await expect(session.read(vector(0, 1, "persistent", 1 << 16))).rejects.toThrow(
      'past the 65536 bytes of region "persistent"',
    );
    await expect(session.write(x, Float64Array.of(1))).rejects.toThrow(
      'write "b0": expects 4 values; got 1',
    );
  });

  test("use after dispose, and an unknown precision", async () => {
    const session = await open();
    session.dispose();
    session.dispose();
    await expect(session.read(x)).rejects.toThrow("used after dispose()");
    expect(() => referenceBackend({ precision: "f16" as "f32" })).toThrow(
      'precision must be "f32" or "f64"; got "f16"',
    );
  });
});
