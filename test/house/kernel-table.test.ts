/**
 * @file The one table of kernels, src/program/kernels.ts, against everything that has a table of its own:
 * the ops, the C++ engine, and the programs that networks compile to.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CompileOptions, compileNetwork } from "../../src/compile/index.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import {
  conv2d,
  flatten,
  linear,
  maxPool2d,
  network,
  relu,
  sequential,
} from "../../src/layers/index.ts";
import { createModel, MODEL_NAMES } from "../../src/models/index.ts";
import { OPS } from "../../src/ops/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import {
  type Backend,
  KERNELS,
  type KernelSpec,
  kernelFaults,
  operandCounts,
  type Program,
} from "../../src/program/index.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { littleNetwork, residualNetwork } from "../compile/networks.ts";
import { root } from "./rooms.ts";

const kinds: readonly (readonly [string, KernelSpec])[] = Object.entries(KERNELS);
const absent = engineAbsent();

test("operands that may be absent are the last of their list", () => {
  for (const [kind, { inputs, outputs }] of kinds)
    for (const names of [inputs, outputs])
      expect([
        kind,
        names.slice(0, operandCounts(names)[0]).filter((n) => n.endsWith("?")),
      ]).toEqual([kind, []]);
});

test("an op that becomes an instruction has its operands", () => {
  // The compiler makes others of the first two, and an update and a conversion are no ops.
  const neverEncoded = ["batchNorm", "softmaxCrossEntropyGradient"];
  const encoded = OPS.filter(({ name, alias }) => !alias && !neverEncoded.includes(name));
  expect([...encoded.map(({ name }) => name), "reorder", "optimizer"].sort()).toEqual(
    kinds.map(([kind]) => kind).sort(),
  );
  for (const { name, inputs, outputs } of encoded)
    expect({ name, inputs, outputs }).toEqual({
      name,
      inputs: KERNELS[name as keyof typeof KERNELS].inputs,
      outputs: KERNELS[name as keyof typeof KERNELS].outputs,
    });
});

test.skipIf(absent)(`the C++ engine has the same kinds, operands and attributes`, () => {
  const table = kinds.map(([kind, { inputs, outputs, attributes }]) => ({
    kind,
    inputs: operandCounts(inputs),
    outputs: operandCounts(outputs),
    attributes: Object.keys(attributes).sort(),
  }));
  const native = loadAddon()
    .engineKernels()
    .map((kernel) => ({ ...kernel, attributes: [...kernel.attributes].sort() }));
  const byKind = (a: { kind: string }, b: { kind: string }) => (a.kind < b.kind ? -1 : 1);
  expect(native.sort(byKind)).toEqual(table.sort(byKind));
});

test("the C++ engine is compared with the reference on every kind", () => {
  const folder = join(root, "test", "conformance");
  const cases = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join();
  expect(kinds.map(([kind]) => kind).filter((kind) => !cases.includes(`kind: "${kind}"`))).toEqual(
    [],
  );
});

describe.skipIf(absent)("the C++ engine refuses what its table does not allow", () => {
  const tensor = { shape: [2, 4], dtype: "f32", layout: "any" };
  const softmax = {
    kind: "softmax",
    layer: "l",
    attributes: {},
    inputs: [tensor],
    outputs: [tensor],
  };
  const choose = (change: object) => () =>
    loadAddon().chooseLayouts({ ...softmax, ...change }, 1, false);

  test("another number of operands, an unknown attribute, an unknown kind", () => {
    choose({})();
    expect(choose({ inputs: [tensor, tensor] })).toThrow("expects 1 inputs; got 2");
    expect(choose({ outputs: [] })).toThrow("expects 1 outputs; got 0");
    expect(choose({ attributes: { axis: 1 } })).toThrow("takes no attribute axis");
    expect(choose({ kind: "sofmax" })).toThrow('the engine has no kernel for "sofmax"');
  });
});

describe("what is against the table is named", () => {
  const conv2d = {
    kind: "conv2d",
    inputs: [0, 1],
    outputs: [2],
    attributes: { stride: [1, 1], padding: [0, 0] },
  };
  test.each([
    [{}, []],
    [{ kind: "conv3d" }, ['no kernel is called "conv3d"']],
    [{ kind: "toString" }, ['no kernel is called "toString"']],
    [{ inputs: [0] }, ["expects 2 to 3 inputs; got 1"]],
    [{ outputs: [2, 3] }, ["expects 1 outputs; got 2"]],
    [{ attributes: { stride: [1, 1] } }, ["attribute padding must be of type pair; got undefined"]],
    [
      { attributes: { stride: [1, 1], padding: [0, 0], groups: 0.5, relu: 1, dilation: 2 } },
      [
        "attribute groups must be of type integer; got 0.5",
        "attribute relu must be of type flag; got 1",
        "takes no attribute dilation",
      ],
    ],
  ])("%o", (change, faults) => {
    expect(kernelFaults({ ...conv2d, ...change })).toEqual(faults);
  });
});

/** Every program of a network, by the options that change what a program is made of. */
function programsOf(backend: Backend, network: CompileOptions["network"]): Program[] {
  const first = network.build(1).tensors.filter(({ role }) => role === "parameter");
  const middle = first[Math.floor(first.length / 2)]!.name.split(".").slice(0, -1).join(".");
  const variants: Partial<CompileOptions>[] = [
    { lastBatch: 2, classWeights: Array.from({ length: network.classes }, () => 1), average: true },
    { trainFrom: middle, precision: "bf16" },
    { trainFrom: middle, frozenBatchNorm: "train", clip: 1, accumulate: true },
  ];
  const optimizer = createOptimizer("sgd");
  return variants.flatMap((variant) =>
    Object.values(
      compileNetwork({ network, backend, batch: 3, threads: 1, optimizer, ...variant }).programs,
    ).filter((program) => program !== null),
  );
}

/** Pooling and ReLU with nothing beside them that takes them in. */
const bareNetwork = network({
  name: "bare",
  inputShape: [2, 6, 6],
  classes: 3,
  layer: sequential([
    conv2d({ channels: 4, kernel: 3, padding: 1 }),
    maxPool2d({ kernel: 2 }),
    relu(),
    flatten(),
    linear({ features: 3 }),
  ]),
});

const networks = [
  bareNetwork,
  littleNetwork(),
  residualNetwork(),
  ...MODEL_NAMES.map((name) => createModel(name, { classes: 3, channels: 3, size: 64 })),
];
const backends: readonly (readonly [string, () => Backend])[] = [
  ["the reference engine", () => referenceBackend()],
  ...(absent
    ? []
    : [["the C++ engine", () => nativeBackend({ threads: 1, emulateBf16: true })] as const]),
];

describe.each(backends)("programs for %s obey the table", (_, open) => {
  const backend = open();
  const used = new Set<string>();
  test.each(networks.map((each) => [each.name, each] as const))("%s", (_name, each) => {
    for (const { instructions } of programsOf(backend, each))
      for (const instruction of instructions) {
        used.add(instruction.kind);
        const { kind, layer } = instruction;
        expect({ kind, layer, faults: kernelFaults(instruction) }).toEqual({
          kind,
          layer,
          faults: [],
        });
      }
  });

  test("and hold every kind, but for those that no network of the collection needs", () => {
    // A norm that is frozen amid what is trained; test/conformance/native.test.ts has it.
    const unused = kinds.map(([kind]) => kind).filter((kind) => !used.has(kind));
    expect(unused).toEqual(["batchNormEvaluateBackward"]);
  });
});
