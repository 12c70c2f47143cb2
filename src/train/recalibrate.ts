/**
 * @file Batch norm's running statistics for weights that were not trained with: the mean, over some
 * training batches, of what a forward pass in training mode finds, as torch.optim.swa_utils.update_bn
 * takes it.
 */

import type { CompiledNetwork } from "../compile/index.ts";
import type { LoadedProgram, Session } from "../program/index.ts";
import { pipeline } from "./pipeline.ts";

/** Batches, as the authors of Schedule-Free advise; all full ones where an epoch has fewer. */
export const RECALIBRATION_BATCHES = 50;

export interface RecalibrationOptions {
  readonly compiled: CompiledNetwork;
  readonly session: Session;
  /** One of the network's recalibration programs. */
  readonly program: LoadedProgram;
  readonly seed: number;
  /** Full batches of the training split. */
  readonly batches: number;
  readonly slots: readonly number[];
  /** Brings batch `item` of them into a slot. */
  fill(item: number, slot: number): Promise<void>;
}

/** Overwrites the running statistics. Nothing is drawn from a random stream that training uses. */
export async function recalibrate(options: RecalibrationOptions): Promise<void> {
  const { compiled, session, program, seed, slots, fill } = options;
  const count = Math.min(RECALIBRATION_BATCHES, options.batches);
  const statistics = statisticsOf(compiled);
  const sums = statistics.map(({ buffer }) => new Float64Array(session.read(buffer).length));
  await pipeline({
    count,
    slots,
    fill,
    async step(item, slot) {
      await program.run({ slot, scalars: compiled.scalars({ seed, update: item }) });
      for (const [i, { buffer }] of statistics.entries())
        for (const [k, value] of session.read(buffer).entries()) sums[i]![k]! += value;
      return true;
    },
  });
  for (const [i, { buffer }] of statistics.entries())
    session.write(
      buffer,
      sums[i]!.map((sum) => sum / count),
    );
}

/** The running statistics as they are, and how to put them back. */
export function keepStatistics(compiled: CompiledNetwork, session: Session): () => void {
  const kept = statisticsOf(compiled).map(({ buffer }) => ({ buffer, data: session.read(buffer) }));
  return () => {
    for (const { buffer, data } of kept) session.write(buffer, data);
  };
}

const statisticsOf = ({ tensors }: CompiledNetwork) =>
  tensors.filter(({ role }) => role === "statistic");
