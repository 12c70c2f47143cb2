/** @file plan.json: the choices that fix an experiment's bits, and what its step costs. */

import type { CompiledNetwork } from "../compile/index.ts";
import { defaultThreads } from "./machine.ts";
import type { TrainingSetup } from "./options.ts";

export interface Plan {
  /** "oneDNN 2.6.3, avx2, 2 threads" */
  readonly engine: string;
  readonly threads: number;
  readonly memory: CompiledNetwork["memory"];
  readonly flops: CompiledNetwork["flops"];
  /** Which implementation runs each instruction of the training step, in order. */
  readonly implementations: readonly { layer: string; kind: string; implementation: string }[];
}

export const describePlan = (setup: TrainingSetup, compiled: CompiledNetwork): Plan => ({
  engine: setup.backend.description,
  threads: setup.threads ?? defaultThreads(),
  memory: compiled.memory,
  flops: compiled.flops,
  implementations: compiled.programs.train.instructions.map(({ layer, kind, implementation }) => ({
    layer,
    kind,
    implementation,
  })),
});
