/** @file How a step's cost grows with batch, image size and threads: vanilla, and ours alone. */

import { InterruptedError } from "../core/errors.ts";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { describeMachine } from "../files/machine.ts";
import { loadModel } from "../study/load-model.ts";
import { type GrowthPoint, growthFile } from "./growth-file.ts";
import { openOurs } from "./step.ts";
import { statistics } from "./turns.ts";

export interface GrowthRecord {
  readonly model: string;
  readonly points: readonly GrowthPoint[];
  readonly machine: ReturnType<typeof describeMachine>;
  readonly engine: string;
}

/** Along each line one quantity grows. */
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;
const SIZES = [32, 48, 64, 96, 128, 160, 192, 224] as const;
const BATCH = 64;
const SIZE = 128;
/** Milliseconds of steps measured at each point, and how many at least and at most. */
const BUDGET_MS = 1500;

/**
 * How a step grows with batch, image size and threads: milliseconds and memory at each point.
 * @param options.into a file that takes the points as they are measured; those that it holds of an earlier call
 *   are not measured again
 * @throws ArgumentError where that file holds something else
 */
export async function benchGrowth(
  options: {
    readonly model?: string;
    readonly into?: string | undefined;
    readonly signal?: AbortSignal;
  } = {},
): Promise<GrowthRecord> {
  const { model = "vanilla", into, signal } = options;
  const build = await loadModel(model);
  const { known, keep } = growthFile(into);
  const wanted = new Map<string, { threads: number; batch: number; size: number }>();
  for (const threads of [1, 2]) {
    for (const batch of BATCHES)
      wanted.set(`${threads} ${batch} ${SIZE}`, { threads, batch, size: SIZE });
    for (const size of SIZES)
      wanted.set(`${threads} ${BATCH} ${size}`, { threads, batch: BATCH, size });
  }
  const points = [...known];
  let engine = "";
  const record = () => ({ model, points, machine: describeMachine(), engine });
  for (const { threads, batch, size } of wanted.values()) {
    if (signal?.aborted) throw new InterruptedError("interrupted; the points so far are kept");
    const backend = await openBackend(DEFAULT_ENGINE, { threads });
    engine = backend.description;
    if (points.some((p) => p.threads === threads && p.batch === batch && p.size === size)) continue;
    const network = build({ classes: 5, channels: 3, size });
    const ours = await openOurs({ network, batch, threads, backend });
    try {
      const [, first = 1] = await ours.run(2);
      const times = await ours.run(Math.min(60, Math.max(5, Math.ceil(BUDGET_MS / first))));
      const own = statistics(times);
      points.push({
        threads,
        batch,
        size,
        ...own,
        usPerKilopixel: (own.medianMs * 1e6) / (batch * size * size),
        memoryMiB: ours.memoryBytes / 2 ** 20,
      });
      keep(record());
    } finally {
      ours.close();
    }
  }
  keep(record());
  return record();
}
