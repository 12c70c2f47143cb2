/** @file Flags that change an update, or average what it leaves, as the lab takes them. */

import { ArgumentError } from "../../core/errors.ts";
import type { SetupSpec } from "../../study/setup.ts";
import type { FlagValues } from "./define-command.ts";
import type { trainingFlags } from "./flags.ts";
import type { averageFlags } from "./update-flags.ts";

type UpdateFlags = Pick<
  FlagValues<typeof trainingFlags>,
  "clipValue" | "lrScale" | "decayScale" | "decayOnBias"
> &
  Partial<FlagValues<typeof averageFlags>>;

/** Of --average ema, where --average-decay is not given. */
const DEFAULT_DECAY = 0.999;

/** @throws ArgumentError for --average-decay without --average ema */
export function updateOptions(kind: string, flags: UpdateFlags): Partial<SetupSpec["training"]> {
  const { clipValue, decayOnBias, average, averageDecay, snapshots } = flags;
  if (averageDecay !== undefined && average !== "ema")
    throw new ArgumentError(
      `${kind}: --average-decay has no effect without --average ema; give both, or leave it out`,
    );
  const groups = parameterGroups(flags);
  return {
    ...(clipValue === undefined ? {} : { clipValue }),
    ...(groups.length > 0 ? { parameterGroups: groups } : {}),
    ...(decayOnBias ? {} : { decayBiasesAndNorms: false }),
    ...(average === "ema"
      ? { average: { kind: average, decay: averageDecay ?? DEFAULT_DECAY } }
      : {}),
    ...(average === "swa" ? { average: { kind: average } } : {}),
    ...(snapshots ? { snapshots } : {}),
  };
}

/** Both scales of a name make one group. */
function parameterGroups({ lrScale = [], decayScale = [] }: UpdateFlags) {
  const names = [...new Set([...lrScale, ...decayScale].map(({ name }) => name))];
  const scaleOf = (list: typeof lrScale, name: string) =>
    list.find((entry) => entry.name === name)?.scale;
  return names.map((prefix) => {
    const [rate, decay] = [scaleOf(lrScale, prefix), scaleOf(decayScale, prefix)];
    return {
      prefix,
      ...(rate === undefined ? {} : { learningRateScale: rate }),
      ...(decay === undefined ? {} : { weightDecayScale: decay }),
    };
  });
}
