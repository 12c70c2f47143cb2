/** @file A compiled network on one batch of noise, ready to step: what every measurement of steps runs. */

import type { CompiledNetwork } from "../compile/index.ts";
import { randomStream } from "../core/random.ts";
import type { Backend, LoadedProgram, Program, Session } from "../program/index.ts";

/** A program over memory of its own, with a batch in slot 0. */
export interface NoiseStep {
  readonly session: Session;
  readonly loaded: LoadedProgram;
  /** Scalars of the next update; counts it. */
  scalars(): Float64Array;
  /** Milliseconds of each of so many steps, one after the other. */
  run(steps: number): Promise<number[]>;
  close(): void;
}

const LEARNING_RATE = 1e-3;

/**
 * Opens a session, draws the weights, and fills a batch: uniform in [-sqrt 3, sqrt 3), mean 0 and variance 1,
 * as normalised images have; labels 0, 1, ... in turn.
 * @param program default: the training step
 */
export async function openNoiseStep(options: {
  readonly compiled: CompiledNetwork;
  readonly backend: Backend;
  readonly program?: Program;
}): Promise<NoiseStep> {
  const { compiled, backend, program = compiled.programs.train } = options;
  const session = await backend.openSession(compiled.sessionOptions);
  try {
    await compiled.initialize(session, 0);
    const noise = randomStream(0, "synthetic");
    const images = session.images(0);
    for (let i = 0; i < images.length; i++) images[i] = (noise.uniform() * 2 - 1) * Math.sqrt(3);
    session.labels(0).forEach((_, i, labels) => {
      labels[i] = i % compiled.network.classes;
    });
    const loaded = await session.load(program);
    let update = 0;
    const scalars = () =>
      compiled.scalars({ seed: 0, update: update++, learningRate: LEARNING_RATE });
    return {
      session,
      loaded,
      scalars,
      close: () => session.dispose(),
      async run(steps) {
        const times: number[] = [];
        for (let i = 0; i < steps; i++) {
          const values = scalars();
          const started = performance.now();
          await loaded.run({ slot: 0, scalars: values });
          times.push(performance.now() - started);
        }
        return times;
      },
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}
