/** @file A stored network compiled for prediction, its weights in the engine's memory. */

import { compilePredictor } from "../compile/index.ts";
import { get } from "../core/at.ts";
import { WeightsError } from "../core/errors.ts";
import { shownName } from "../formats/index.ts";
import type { Backend } from "../program/index.ts";
import type { StoredNetwork } from "./stored-network.ts";

/**
 * A stored network, ready to classify what is written to its session's slot 0; dispose the session
 * when done. `run` gives (batch, classes) probabilities, of which the first `rows` are checked.
 * @throws WeightsError from `run` where the network gives no probabilities, as its logits overflow
 */
export async function openPredictor(
  { file, metadata, network, weights }: StoredNetwork,
  {
    backend,
    batch,
    threads,
  }: { readonly backend: Backend; readonly batch: number; readonly threads: number },
) {
  const compiled = compilePredictor({ network, backend, batch, threads });
  const session = await backend.openSession(compiled.sessionOptions);
  try {
    for (const { name, buffer } of compiled.tensors)
      await session.write(buffer, get(weights, name, "weights").data);
    await compiled.prepare(session);
    const program = await session.load(compiled.program);
    const run = async (rows: number) => {
      const outputs = await program.run({ slot: 0, scalars: compiled.scalars });
      const probabilities = get(outputs, "probabilities", "outputs");
      const used = probabilities.subarray(0, rows * network.classes);
      if (!used.every((value) => Number.isFinite(value))) throw overflow(file, weights);
      return probabilities;
    };
    return { metadata, session, run };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

function overflow(file: string, weights: StoredNetwork["weights"]): WeightsError {
  let [largest, where] = [0, ""];
  for (const [name, { data }] of weights)
    for (const value of data)
      if (Math.abs(value) > largest) [largest, where] = [Math.abs(value), name];
  return new WeightsError(
    `checkpoint ${file}: gives no probabilities: its weights are finite, but the logits that they make are not (the largest weight is ${largest.toPrecision(3)}, in ${shownName(where)}). Take weights of an earlier epoch, or train again at a lower learning rate`,
  );
}
