/** @file Groups of parameters: how prefixes match, and what a compiled step makes of the scales. */

import { describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/compile.ts";
import { type ParameterGroup, parameterScales } from "../../src/compile/encode/parameter-groups.ts";
import type { CompileOptions } from "../../src/compile/types.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { batchNorm, conv2d, flatten, linear, network, sequential } from "../../src/layers/index.ts";
import { adamw, sgd } from "../../src/optimizers/index.ts";

const NAMES = ["features.0.weight", "features.0.bias", "features.01.weight", "head.weight"];
const scalesOf = (groups: readonly ParameterGroup[]) =>
  Object.fromEntries(
    [...parameterScales("net", NAMES, groups)].map(([name, scales]) => [
      name,
      [scales.learningRateScale, scales.weightDecayScale],
    ]),
  );

test("a prefix matches whole parts of a name, and the longest one decides", () => {
  expect(scalesOf([])).toEqual({});
  expect(
    scalesOf([
      { prefix: "features.0.bias", weightDecayScale: 0 },
      { prefix: "features", learningRateScale: 0.5 },
      { prefix: "features.0", learningRateScale: 0.1 },
    ]),
  ).toEqual({
    "features.0.weight": [0.1, 1],
    "features.0.bias": [1, 0],
    "features.01.weight": [0.5, 1],
  });
});

test.each([
  [[{ prefix: "feat" }], 'net: parameter group "feat" matches no trainable parameter; they are'],
  [[{ prefix: "" }], 'parameter group "" matches no trainable parameter'],
  [[{ prefix: "head" }, { prefix: "head" }], 'parameter group "head" is named twice'],
  [
    [{ prefix: "head", learningRateScale: -1 }],
    'parameter group "head": learningRateScale must be a number, 0 or more; got -1',
  ],
  [
    [{ prefix: "head", weightDecayScale: Number.NaN }],
    "weightDecayScale must be a number, 0 or more; got NaN",
  ],
])("refuses %j", (groups, message) => {
  expect(() => parameterScales("net", NAMES, groups)).toThrow(message);
});

describe("in a compiled network", () => {
  const net = network({
    name: "small",
    classes: 3,
    inputShape: [1, 4, 4],
    layer: sequential([
      conv2d({ channels: 2, kernel: 3 }),
      batchNorm(),
      flatten(),
      linear({ features: 3 }),
    ]),
  });
  /** What one update adds to each parameter, by name. */
  async function changes(options: Partial<CompileOptions>) {
    const backend = referenceBackend({ precision: "f64" });
    const optimizer = sgd({ weightDecay: 0.5 });
    const compiled = compileNetwork({
      network: net,
      backend,
      batch: 4,
      optimizer,
      threads: 1,
      ...options,
    });
    const session = await backend.openSession(compiled.sessionOptions);
    await compiled.initialize(session, 1);
    const parameters = compiled.tensors.filter(({ role }) => role === "parameter");
    const read = () => parameters.map(({ buffer }) => session.readDouble(buffer));
    // Away from zero, so that what decays is seen to.
    for (const { buffer } of parameters)
      await session.write(
        buffer,
        session.readDouble(buffer).map((value) => value + 0.25),
      );
    session.images(0).forEach((_, i) => {
      session.images(0)[i] = Math.sin(i);
    });
    session.labels(0).set([0, 1, 2, 0]);
    const before = read();
    const scalars = compiled.scalars({ seed: 0, update: 0, learningRate: 0.125 });
    await (await session.load(compiled.programs.train)).run({ slot: 0, scalars });
    const after = read();
    return Object.fromEntries(
      parameters.map(({ name }, i) => [
        name,
        Array.from(after[i]!, (value, k) => value - before[i]![k]!),
      ]),
    );
  }
  const times = (values: readonly number[], factor: number) => values.map((v) => factor * v);
  const expectClose = (got: readonly number[], want: readonly number[]) => {
    expect(got).toHaveLength(want.length);
    for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 14);
  };

  test("a group's parameters move by its fraction of the rate; a frozen one not at all", async () => {
    const plain = await changes({});
    const [conv, gamma, head] = [Object.keys(plain)[0]!, "1", Object.keys(plain).at(-2)!];
    const scaled = await changes({
      parameterGroups: [
        { prefix: conv.replace(/\.weight$/, ""), learningRateScale: 0.25 },
        { prefix: gamma, learningRateScale: 0 },
      ],
    });
    expect(plain[conv]!.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    expectClose(scaled[conv]!, times(plain[conv]!, 0.25));
    expect(scaled["1.weight"]!.every((value) => value === 0)).toBe(true);
    expect(plain["1.weight"]!.every((value) => value === 0)).toBe(false);
    expect(scaled[head]).toEqual(plain[head]);
  });

  test("biases and norms do not decay where they are excluded; weights do", async () => {
    const rate = { learningRate: 0.125, weightDecay: 0.5 };
    const all = await changes({ optimizer: adamw(rate) });
    const weights = await changes({ optimizer: adamw({ ...rate, excludeBiasesAndNorms: 1 }) });
    const none = await changes({ optimizer: adamw({ ...rate, weightDecay: 0 }) });
    const excluded = Object.keys(all).filter((name) => !/^[03]\.weight$/.test(name));
    expect(excluded).toEqual(["0.bias", "1.weight", "1.bias", "3.bias"]);
    for (const name of Object.keys(all)) {
      expect(weights[name], name).toEqual(excluded.includes(name) ? none[name] : all[name]);
      expect(all[name], name).not.toEqual(none[name]);
    }
  });

  test("a gradient clipped by value moves no parameter of plain SGD by more than rate x limit", async () => {
    const plain = await changes({ optimizer: sgd() });
    const clipped = await changes({ optimizer: sgd(), clipValue: 0.125 });
    const limit = 0.125 * 0.125;
    let limited = 0;
    for (const [name, values] of Object.entries(plain))
      for (const [i, value] of values.entries()) {
        expect(clipped[name]![i]).toBeCloseTo(Math.max(-limit, Math.min(limit, value)), 14);
        if (Math.abs(value) > limit) limited++;
      }
    expect(limited).toBeGreaterThan(2);
    await expect(changes({ clipValue: 0 })).rejects.toThrow(
      "sgd: clipValue must be a positive number; got 0",
    );
  });
});
