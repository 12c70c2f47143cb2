/**
 * @file Batch norm's running statistics for weights that were not trained with: the mean, over some
 * training batches, of what a forward pass in training mode finds, as torch.optim.swa_utils.update_bn
 * takes it.
 */

import type { CompiledNetwork, PersistentTensor } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { elementCount } from "../core/shapes.ts";
import type { BufferSpec, LoadedProgram, Session } from "../program/index.ts";
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
  const sums = statistics.map(({ buffer }) => new Float64Array(elementCount(buffer.shape)));
  await pipeline({
    count,
    slots,
    fill,
    async step(item, slot) {
      await program.run({ slot, scalars: compiled.scalars({ seed, update: item }) });
      for (const [i, { buffer }] of statistics.entries())
        for (const [k, value] of (await session.read(buffer)).entries()) {
          const sum = at(sums, i, "sums");
          sum[k] = at(sum, k, "sums") + value;
        }
      return true;
    },
  });
  for (const [i, { buffer }] of statistics.entries())
    await session.write(
      buffer,
      at(sums, i, "sums").map((sum) => sum / count),
    );
}

/** The running statistics as they are, and how to put them back. */
export const keepStatistics = (compiled: CompiledNetwork, session: Session) =>
  keepTensors(statisticsOf(compiled), session);

/** Tensors as they are, and how to put them back. */
export async function keepTensors(
  tensors: readonly Pick<PersistentTensor, "buffer">[],
  session: Session,
): Promise<() => Promise<void>> {
  const kept: { buffer: BufferSpec; data: Float32Array }[] = [];
  for (const { buffer } of tensors) kept.push({ buffer, data: await session.read(buffer) });
  return async () => {
    for (const { buffer, data } of kept) await session.write(buffer, data);
  };
}

const statisticsOf = ({ tensors }: CompiledNetwork) =>
  tensors.filter(({ role }) => role === "statistic");
