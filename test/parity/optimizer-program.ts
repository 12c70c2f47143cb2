/** @file A program of nothing but an optimizer, on parameters and gradients that a test writes. */

import { encodeOptimizer } from "../../src/compile/encode-optimizer.ts";
import { type Optimizer, optimizerScalars } from "../../src/optimizers/index.ts";
import type { Backend, BufferSpec, Program, Session } from "../../src/program/index.ts";

export interface OptimizerRunOptions {
  readonly optimizer: Optimizer;
  readonly backend: Backend;
  /** Elements of each parameter tensor. */
  readonly sizes: readonly number[];
  readonly clip?: number;
  readonly scales?: readonly {
    readonly learningRateScale?: number;
    readonly weightDecayScale?: number;
    readonly isWeight?: boolean;
  }[];
}

export interface OptimizerRun<S extends Session> {
  readonly session: S;
  readonly program: Program;
  readonly parameters: readonly BufferSpec[];
  readonly gradients: readonly BufferSpec[];
  /** State of each tensor, in the order of `optimizer.state`. */
  readonly states: readonly (readonly BufferSpec[])[];
  /** Updates made so far count from 0. */
  step(
    update: number,
    learningRate: number,
    hyperparameters?: Readonly<Record<string, number>>,
  ): Promise<void>;
}

/** Every tensor is a flat one in persistent memory; state begins at its initial value. */
export function openOptimizerRun<S extends Session>({
  optimizer,
  backend,
  sizes,
  clip,
  scales = [],
}: OptimizerRunOptions & {
  readonly backend: { createSession(...args: never): S };
}): OptimizerRun<S> {
  const buffers: BufferSpec[] = [];
  let offset = 0;
  const buffer = (name: string, elements: number): BufferSpec => {
    const bytes = elements * 4;
    const spec: BufferSpec = {
      id: buffers.length,
      name,
      shape: [elements],
      dtype: "f32",
      layout: "a",
      bytes,
      region: "persistent",
      offset,
    };
    buffers.push(spec);
    offset += Math.ceil(bytes / 64) * 64;
    return spec;
  };
  const parameters = sizes.map((size, i) => buffer(`p${i}`, size));
  const gradients = sizes.map((size, i) => buffer(`p${i}:gradient`, size));
  const states = sizes.map((size, i) =>
    optimizer.state.map(({ name }) => buffer(`p${i}:${name}`, size)),
  );
  const { program: encoded, scalarNames } = encodeOptimizer(optimizer, {
    segments: sizes.map((elements, i) => ({
      name: `p${i}`,
      parameter: parameters[i]!.id,
      gradient: gradients[i]!.id,
      state: states[i]!.map(({ id }) => id),
      elements,
      ...scales[i],
    })),
    firstSlot: 2,
    ...(clip !== undefined && { clip }),
  });
  const program: Program = {
    name: optimizer.name,
    buffers,
    instructions: [
      {
        kind: "optimizer",
        layer: "optimizer",
        inputs: [],
        outputs: [],
        scratch: -1,
        attributes: {},
        implementation: "",
        optimizer: encoded,
      },
    ],
    scalars: ["seed", "update", ...scalarNames],
    outputs: {},
    batch: 1,
  };
  const session: S = (backend as Backend).createSession({
    persistentBytes: offset,
    arenaBytes: 64,
    outputBytes: 64,
    imageBytes: 64,
    labelBytes: 64,
    slots: 1,
    threads: 2,
  }) as S;
  for (const tensor of states)
    for (const [k, state] of tensor.entries())
      session.initialize(state, { kind: "constant", value: optimizer.state[k]!.initial }, 0, 0);
  const loaded = session.load(program);
  return {
    session,
    program,
    parameters,
    gradients,
    states,
    async step(update, learningRate, hyperparameters) {
      const values = optimizerScalars(optimizer, {
        learningRate,
        t: update + 1,
        ...(hyperparameters && { hyperparameters }),
      });
      await loaded.run({ slot: 0, scalars: Float64Array.from([0, update, ...values]) });
    },
  };
}
