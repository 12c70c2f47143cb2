/**
 * @file Derivatives against central differences: (loss(p + h) - loss(p - h)) / 2h for every element
 * of every parameter, in doubles, through compiled programs on the reference backend. The gradient
 * itself is read off one step of plain SGD at rate 1: parameter before minus parameter after.
 */

import { compileNetwork } from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { GraphBuilder, type Network } from "../../src/ir/index.ts";
import type { Layer } from "../../src/layers/index.ts";
import { add, flatten } from "../../src/ops/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import type { BufferSpec } from "../../src/program/index.ts";

export interface GradientCase {
  readonly layer: Layer;
  /** (B,C,H,W) */
  readonly input: readonly [number, number, number, number];
  readonly labels?: readonly number[];
  readonly labelSmoothing?: number;
  readonly classWeights?: readonly number[];
  /** Whether the layer reads the images themselves, which have no gradient. Default false. */
  readonly onImages?: boolean;
}

/**
 * images + offset -> layer -> flatten -> loss, one class a feature. The offset is a parameter of
 * the images' shape, so that its gradient is the layer's dx.
 */
function networkOf({ layer, input, onImages = false }: GradientCase): Network {
  const build = (batch: number) => {
    const builder = new GraphBuilder("case", batch);
    const images = builder.images(input);
    const moved = () => {
      const offset = builder.parameter("offset", input, { kind: "constant", value: 0 });
      return builder.apply(add, "input", { a: images, b: offset }, {}).y;
    };
    const x = onImages ? images : moved();
    const y = layer.build(x, { builder, name: "layer" });
    const logits = y.shape.length === 2 ? y : builder.apply(flatten, "flatten", { x: y }, {}).y;
    return builder.finish({ logits });
  };
  const logits = build(input[0]);
  const classes = logits.tensors[logits.outputs.logits!]!.shape[1]!;
  return { name: "case", inputShape: [input[1], input[2], input[3]], classes, build };
}

/** The ops of the case's network, and the instructions that its training step is made of. */
export function kindsIn(item: GradientCase): string[] {
  const network = networkOf(item);
  const [batch] = item.input;
  const { programs } = compileNetwork({
    network,
    batch,
    ...{ backend: referenceBackend(), optimizer: sgd(), threads: 1, slots: 1 },
  });
  return [
    ...network.build(batch).nodes.map(({ op }) => op),
    ...programs.train.instructions.map(({ kind }) => kind),
  ];
}

/** Largest |analytic - numeric| / (1e-3 + |numeric|) of each parameter, by name. */
export async function gradientErrors(item: GradientCase): Promise<Record<string, number>> {
  const network = networkOf(item);
  const [batch] = item.input;
  const backend = referenceBackend({ precision: "f64" });
  const optimizer = sgd();
  const compiled = compileNetwork({
    network,
    backend,
    batch,
    optimizer,
    threads: 1,
    slots: 1,
    labelSmoothing: item.labelSmoothing ?? 0,
    ...(item.classWeights && { classWeights: item.classWeights }),
  });
  const session = await backend.openSession(compiled.sessionOptions);
  const program = await session.load(compiled.programs.train);
  const stream = randomStream(7, "synthetic");
  const draw = () => 2 * stream.uniform() - 1;
  await compiled.initialize(session, 3);
  session.images(0).set(Float32Array.from({ length: elementCount(item.input) }, draw));
  session
    .labels(0)
    .set(item.labels ?? Array.from({ length: batch }, (_, b) => b % network.classes));

  const lossNow = async () => {
    const scalars = compiled.scalars({ seed: 1, update: 0, learningRate: 0 });
    return (await program.run({ slot: 0, scalars })).loss![0]!;
  };
  const numericGradient = async (buffer: BufferSpec, values: Float64Array, i: number) => {
    const h = 1e-5;
    const lossAt = async (change: number) => {
      const moved = values.slice();
      moved[i]! += change;
      await session.write(buffer, moved);
      return lossNow();
    };
    return ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
  };

  const segments = compiled.programs.train.instructions.at(-1)!.optimizer!.segments;
  const trained = new Set(segments.map(({ name }) => name));
  const parameters = compiled.tensors.filter(({ name }) => trained.has(name));
  const start = parameters.map(({ buffer }) =>
    Float64Array.from({ length: elementCount(buffer.shape) }, () => 0.7 * draw() + 0.1),
  );
  const writeAll = async () => {
    for (const [i, { buffer }] of parameters.entries()) await session.write(buffer, start[i]!);
  };
  await writeAll();
  await program.run({
    slot: 0,
    scalars: compiled.scalars({ seed: 1, update: 0, learningRate: 1 }),
  });
  const after = parameters.map(({ buffer }) => session.readDouble(buffer));
  await writeAll();

  const errors: Record<string, number> = {};
  for (const [p, { name, buffer }] of parameters.entries()) {
    let worst = 0;
    for (let i = 0; i < start[p]!.length; i++) {
      const analytic = start[p]![i]! - after[p]![i]!;
      const numeric = await numericGradient(buffer, start[p]!, i);
      worst = Math.max(worst, Math.abs(analytic - numeric) / (1e-3 + Math.abs(numeric)));
    }
    await session.write(buffer, start[p]!);
    errors[name] = worst;
  }
  session.dispose();
  return errors;
}
