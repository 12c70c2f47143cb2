/**
 * @file Each instruction of the reference backend, in float64, against PyTorch (kernels.py wrote
 * the fixture): what makes the reference an oracle for the native one.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { elementCount, type Shape } from "../../src/core/shapes.ts";
import { type ReferenceSession, referenceBackend } from "../../src/engine/reference/index.ts";
import type {
  AttributeValue,
  BufferSpec,
  InstructionKind,
  Program,
} from "../../src/program/index.ts";
import { plainLayout } from "../../src/program/index.ts";
import { dyadic } from "./dyadic.ts";

interface Given {
  readonly shape: Shape;
  readonly values: readonly number[];
}

type Operand =
  | Given
  | {
      readonly shape: Shape;
      readonly salt: number;
      readonly offset: number;
      readonly scale: number;
      readonly levels: number;
    };

interface Case {
  readonly title: string;
  readonly kind: InstructionKind;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly inputs: readonly Operand[];
  /** null: a workspace. */
  readonly outputs: readonly (Given | null)[];
  readonly inputsAfter?: Readonly<Record<string, Given>>;
  /** Of max pooling, whose backward pass reads the forward's workspace. */
  readonly backward?: { readonly dy: Operand; readonly dx: Given };
}

const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL("fixtures/kernels.json", import.meta.url), "utf8"),
);

function valuesOf(operand: Operand): Float64Array {
  if ("values" in operand) return Float64Array.from(operand.values);
  const { shape, salt, offset, scale, levels } = operand;
  return Float64Array.from({ length: elementCount(shape) }, (_, i) => {
    const value = dyadic(i, salt);
    return offset + scale * (levels ? Math.floor(value * levels) / levels : value);
  });
}

/** Runs instructions over persistent buffers of the given shapes; returns the session and buffers. */
async function execute(
  shapes: readonly Shape[],
  contents: Readonly<Record<number, Float64Array>>,
  instructions: readonly Pick<
    Program["instructions"][number],
    "kind" | "inputs" | "outputs" | "attributes"
  >[],
): Promise<(id: number) => Float64Array> {
  let offset = 0;
  const buffers = shapes.map((shape, id): BufferSpec => {
    const bytes = 4 * elementCount(shape);
    const layout = plainLayout(shape.length);
    const spec = { id, name: `b${id}`, shape, dtype: "f32", layout, bytes, offset } as const;
    offset += Math.ceil(bytes / 64) * 64;
    return { ...spec, region: "persistent" };
  });
  const session: ReferenceSession = await referenceBackend({ precision: "f64" }).openSession({
    persistentBytes: offset,
    arenaBytes: 0,
    outputBytes: 0,
    imageBytes: 0,
    labelBytes: 0,
    slots: 1,
    threads: 1,
  });
  for (const [id, values] of Object.entries(contents))
    await session.write(buffers[Number(id)]!, values);
  const program: Program = {
    name: "one",
    buffers,
    instructions: instructions.map((instruction) => ({
      ...instruction,
      layer: "layer",
      scratch: -1,
      implementation: "reference",
    })),
    scalars: ["seed", "update"],
    outputs: {},
    batch: 1,
  };
  await (await session.load(program)).run({ slot: 0, scalars: Float64Array.of(0, 0) });
  return (id) => session.readDouble(buffers[id]!);
}

function expectClose(got: Float64Array, want: Given, what: string): void {
  expect(got.length, what).toBe(want.values.length);
  for (const [i, value] of want.values.entries())
    expect(Math.abs(got[i]! - value), `${what}[${i}]`).toBeLessThan(1e-12 * (1 + Math.abs(value)));
}

describe("float64 reference against PyTorch", () => {
  test.each(cases)(
    "$title",
    async ({ kind, attributes, inputs, outputs, inputsAfter, backward }) => {
      const first = outputs.find((output) => output !== null)!;
      const shapes = [...inputs, ...outputs.map((output) => output ?? first)].map((o) => o.shape);
      const contents: Record<number, Float64Array> = {};
      for (const [id, operand] of inputs.entries()) contents[id] = valuesOf(operand);
      const ids = shapes.map((_, id) => id);
      const instructions = [
        {
          kind,
          attributes,
          inputs: ids.slice(0, inputs.length),
          outputs: ids.slice(inputs.length),
        },
      ];
      const dy = shapes.length;
      if (backward) {
        shapes.push(backward.dy.shape, backward.dx.shape);
        contents[dy] = valuesOf(backward.dy);
        const workspace = inputs.length + 1;
        const pass = {
          kind: "maxPool2dBackward" as const,
          inputs: [dy, workspace],
          outputs: [dy + 1],
        };
        instructions.push({ ...pass, attributes });
      }
      const read = await execute(shapes, contents, instructions);
      for (const [i, want] of outputs.entries())
        if (want) expectClose(read(inputs.length + i), want, `output ${i}`);
      for (const [i, want] of Object.entries(inputsAfter ?? {}))
        expectClose(read(Number(i)), want, `input ${i} afterwards`);
      if (backward) expectClose(read(dy + 1), backward.dx, "dx");
    },
  );

  test("all rows ignored: loss and gradient are 0", async () => {
    const contents = { 0: Float64Array.of(1, 2, 3, 4), 1: Float64Array.of(-1, -1) };
    const read = await execute([[2, 2], [2], [1], [1], [2, 2]], contents, [
      {
        kind: "softmaxCrossEntropy",
        inputs: [0, 1],
        outputs: [2, 3, 4],
        attributes: { labelSmoothing: 0.1 },
      },
    ]);
    expect([...read(2), ...read(3), ...read(4)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
