/**
 * @file A network compiled for prediction alone, or its frozen part for its features: no optimizer, no
 * gradients, one program. As nothing changes a weight, every batch norm behind a convolution is folded.
 */

import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import type { Graph, Network } from "../ir/index.ts";
import type { Backend, Program, Session, SessionOptions } from "../program/index.ts";
import { encode, inputBytes, outputBytes } from "./encode/encode.ts";
import { writeFolded } from "./graph/fold.ts";
import { featuresGraph, predictionGraph } from "./graph/passes.ts";
import { checkPrecision, type Precision } from "./graph/precision.ts";
import type { Prefix } from "./graph/split.ts";
import { plan } from "./memory/arena.ts";
import { layOut } from "./memory/lay-out.ts";
import { persistentTensors } from "./memory/persistent.ts";
import type { PersistentTensor } from "./types.ts";

export interface PredictorOptions {
  readonly network: Network;
  readonly backend: Backend;
  /** Images a run. */
  readonly batch: number;
  readonly threads: number;
  /** As of CompileOptions; default "fp32". */
  readonly precision?: Precision | undefined;
}

export interface CompiledPredictor {
  readonly sessionOptions: SessionOptions;
  /** Parameters and running statistics, for a checkpoint to fill. */
  readonly tensors: readonly PersistentTensor[];
  /** Output "probabilities" (batch x classes), or "features". */
  readonly program: Program;
  /** What a run is given: prediction depends on no scalar. */
  readonly scalars: Float64Array;
  /** Fold the batch norms: to be called once the tensors have been written. */
  prepare(session: Session): Promise<void>;
}

/** @throws ArgumentError where the network can only be built for another batch */
export function compilePredictor(options: PredictorOptions): CompiledPredictor {
  const { network, batch } = options;
  checkPositiveInteger(network.name, "batch", batch);
  const graph = predictionGraph(network, batch, { whole: true });
  return compileForward("predict", network, graph, options);
}

/** The frozen part of a split network: the program's output "features" is what the rest takes. */
export function compileFeatures(
  options: Omit<PredictorOptions, "network"> & { readonly prefix: Prefix },
): CompiledPredictor {
  const { prefix, batch } = options;
  checkPositiveInteger(prefix.name, "batch", batch);
  return compileForward("features", prefix, featuresGraph(prefix.build(batch)), options);
}

function compileForward(
  name: string,
  network: Pick<Network, "name" | "inputShape">,
  unplaced: Graph,
  { backend, batch, threads, precision }: Omit<PredictorOptions, "network">,
): CompiledPredictor {
  checkPrecision(network.name, backend, precision);
  const graph = layOut(unplaced, { backend, precision });
  if (graph.batch !== batch)
    throw new ArgumentError(
      `${network.name}: its graph is for batches of ${graph.batch}; got a batch of ${batch}`,
    );
  const persistent = persistentTensors(graph, null);
  const planned = plan(graph);
  const scalars = ["seed", "update"];
  const program = encode({ name, graph, plan: planned, persistent, scalars });
  return {
    program,
    tensors: persistent.tensors.filter(({ role }) => role !== "folded"),
    prepare: (session) => writeFolded(session, persistent.folded),
    scalars: new Float64Array(scalars.length),
    sessionOptions: {
      persistentBytes: persistent.bytes,
      arenaBytes: planned.peakBytes,
      outputBytes: outputBytes(program, backend.alignment),
      ...inputBytes(batch, network.inputShape, backend.alignment),
      slots: 1,
      threads,
    },
  };
}
