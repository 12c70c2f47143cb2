/** @file A program of nothing but an optimizer, on parameters and gradients that a test writes. */

import { encodeOptimizer, isMatrixOf } from "../../src/compile/encode/encode-optimizer.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { type Optimizer, optimizerScalars } from "../../src/optimizers/index.ts";
import {
  type Backend,
  type BufferSpec,
  type Program,
  plainLayout,
  type Session,
} from "../../src/program/index.ts";

export interface OptimizerRunOptions {
  readonly optimizer: Optimizer;
  readonly backend: Backend;
  /** Elements of each parameter tensor; or its shape. */
  readonly sizes: readonly (number | readonly number[])[];
  readonly clip?: number;
  readonly scales?: readonly {
    readonly learningRateScale?: number;
    readonly weightDecayScale?: number;
    readonly isWeight?: boolean;
    readonly isHidden?: boolean;
  }[];
}

export interface OptimizerRun<S extends Session> {
  readonly optimizer: Optimizer;
  readonly session: S;
  readonly program: Program;
  readonly parameters: readonly BufferSpec[];
  readonly gradients: readonly BufferSpec[];
  /** What is evaluated with. */
  readonly evaluated: readonly BufferSpec[];
  /** State of each tensor, in the order of `optimizer.state`: what the tensor does not have is left out. */
  readonly states: readonly (readonly BufferSpec[])[];
  /** Writes the parameters, and what begins as a copy of them. */
  begin(values: readonly Float64Array[]): Promise<void>;
  /** What stands between the two gradients, where there are two. */
  perturb(update: number): Promise<void>;
  /** Updates made so far count from 0. */
  step(
    update: number,
    learningRate: number,
    hyperparameters?: Readonly<Record<string, number>>,
  ): Promise<void>;
}

/** Every tensor is a plain one in persistent memory; state begins at its initial value. */
export async function openOptimizerRun<S extends Session>({
  optimizer,
  backend,
  sizes,
  clip,
  scales = [],
}: OptimizerRunOptions & {
  readonly backend: { openSession(...args: never): Promise<S> };
}): Promise<OptimizerRun<S>> {
  const buffers: BufferSpec[] = [];
  let offset = 0;
  const place = (spec: Omit<BufferSpec, "id" | "region" | "offset">): BufferSpec => {
    const placed: BufferSpec = { ...spec, id: buffers.length, region: "persistent", offset };
    buffers.push(placed);
    offset += Math.ceil(spec.bytes / 64) * 64;
    return placed;
  };
  const buffer = (name: string, shape: readonly number[]) =>
    place({
      name,
      shape,
      dtype: "f32",
      layout: plainLayout(shape.length),
      bytes: 4 * elementCount(shape),
    });
  const shapes = sizes.map((size) => (typeof size === "number" ? [size] : size));
  const extents = shapes.map((shape) => {
    const elements = elementCount(shape);
    const [rows, columns] = [shape[0]!, elements / shape[0]!];
    return { parameter: shape, row: [rows], column: [columns], tensor: [1], global: [1] };
  });
  const parameters = shapes.map((shape, i) => buffer(`p${i}`, shape));
  const gradients = shapes.map((shape, i) => buffer(`p${i}:gradient`, shape));
  const shared = new Map<string, BufferSpec>();
  const stateBuffers = shapes.map((_, i) =>
    optimizer.state.map((state) => {
      if (state.only && (state.only === "matrices") !== isMatrixOf(optimizer, scales[i] ?? {}))
        return null;
      const known = state.shape === "global" ? shared.get(state.name) : undefined;
      const made = known ?? buffer(`p${i}:${state.name}`, extents[i]![state.shape]);
      shared.set(state.name, made);
      return made;
    }),
  );
  const side = Math.max(...extents.map(({ row, column }) => Math.max(row[0]!, column[0]!)));
  const workspace = place({
    name: "workspace",
    shape: [16 * side * side + 1024],
    dtype: "u8",
    layout: "opaque",
    bytes: 16 * side * side + 1024,
  });
  const encode = (part: "update" | "perturbation") =>
    encodeOptimizer(optimizer, {
      segments: shapes.map((shape, i) => ({
        name: `p${i}`,
        parameter: parameters[i]!.id,
        gradient: gradients[i]!.id,
        state: stateBuffers[i]!.map((state) => state?.id ?? -1),
        elements: elementCount(shape),
        rows: extents[i]!.row[0]!,
        columns: extents[i]!.column[0]!,
        ...scales[i],
      })),
      firstSlot: 2,
      part,
      ...(clip !== undefined && { clip }),
      scratch: (segment, domain) => buffer(`p${segment}:${domain}`, extents[segment]![domain]).id,
    });
  const programOf = (part: "update" | "perturbation"): Program => {
    const { program, scalarNames } = encode(part);
    return {
      name: optimizer.name,
      buffers,
      instructions: [
        {
          kind: "optimizer",
          layer: "optimizer",
          inputs: [],
          outputs: [],
          scratch: workspace.id,
          attributes: {},
          implementation: "",
          optimizer: program,
        },
      ],
      scalars: ["seed", "update", ...scalarNames],
      outputs: {},
      batch: 1,
    };
  };
  const program = programOf("update");
  const perturbation = optimizer.perturbation && programOf("perturbation");
  const session = (await (backend as Backend).openSession({
    persistentBytes: offset,
    arenaBytes: 64,
    outputBytes: 64,
    imageBytes: 64,
    labelBytes: 64,
    slots: 1,
    threads: 2,
  })) as S;
  for (const tensor of stateBuffers)
    for (const [k, state] of tensor.entries()) {
      const { initial } = optimizer.state[k]!;
      if (state && initial !== "parameter")
        await session.initialize(state, { kind: "constant", value: initial }, 0, 0);
    }
  const loaded = await session.load(program);
  const loadedPerturbation = perturbation && (await session.load(perturbation));
  const scalars = (update: number, learningRate: number, hyperparameters = {}) => {
    const values = optimizerScalars(optimizer, { learningRate, t: update + 1, hyperparameters });
    return Float64Array.from([0, update, ...values]);
  };
  const average = optimizer.state.findIndex(({ name }) => name === optimizer.evaluationWeights);
  return {
    optimizer,
    session,
    program,
    evaluated: average < 0 ? parameters : stateBuffers.map((tensor) => tensor[average]!),
    parameters,
    gradients,
    states: stateBuffers.map((tensor) => tensor.filter((state) => state !== null)),
    async begin(values) {
      for (const [i, parameter] of parameters.entries()) {
        await session.write(parameter, values[i]!);
        for (const [k, state] of stateBuffers[i]!.entries())
          if (state && optimizer.state[k]!.initial === "parameter")
            await session.write(state, values[i]!);
      }
    },
    async perturb(update) {
      await loadedPerturbation!.run({ slot: 0, scalars: scalars(update, 0) });
    },
    async step(update, learningRate, hyperparameters) {
      await loaded.run({ slot: 0, scalars: scalars(update, learningRate, hyperparameters) });
    },
  };
}
