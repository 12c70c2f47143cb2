/** @file A network compiled for prediction alone: no optimizer, no gradients, one program. */

import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import type { Network } from "../ir/index.ts";
import type { Backend, Program, SessionOptions } from "../program/index.ts";
import { encode, inputBytes, outputBytes } from "./encode.ts";
import { layOut } from "./lay-out.ts";
import { predictionGraph } from "./passes.ts";
import { persistentTensors } from "./persistent.ts";
import { plan } from "./plan.ts";
import type { PersistentTensor } from "./types.ts";

export interface PredictorOptions {
  readonly network: Network;
  readonly backend: Backend;
  /** Images a run. */
  readonly batch: number;
  readonly threads: number;
}

export interface CompiledPredictor {
  readonly sessionOptions: SessionOptions;
  /** Parameters and running statistics, for a checkpoint to fill. */
  readonly tensors: readonly PersistentTensor[];
  /** Output "probabilities" (batch x classes). */
  readonly program: Program;
  /** What a run is given: prediction depends on no scalar. */
  readonly scalars: Float64Array;
}

/** @throws ArgumentError where the network can only be built for another batch */
export function compilePredictor(options: PredictorOptions): CompiledPredictor {
  const { network, backend, batch, threads } = options;
  checkPositiveInteger(network.name, "batch", batch);
  const graph = layOut(predictionGraph(network, batch), { backend });
  if (graph.batch !== batch)
    throw new ArgumentError(
      `${network.name}: its graph is for batches of ${graph.batch}; got a batch of ${batch}`,
    );
  const persistent = persistentTensors(graph, null);
  const planned = plan(graph);
  const scalars = ["seed", "update"];
  const program = encode({ name: "predict", graph, plan: planned, persistent, scalars });
  return {
    program,
    tensors: persistent.tensors,
    scalars: new Float64Array(scalars.length),
    sessionOptions: {
      persistentBytes: persistent.bytes,
      arenaBytes: planned.peakBytes,
      outputBytes: outputBytes(program),
      ...inputBytes(batch, network.inputShape),
      slots: 1,
      threads,
    },
  };
}
