/**
 * @file A range test that is not read yet: what was told of its ramps, and their curves as they grow. Once all seeds are
 * measured and read, the report's own figure takes its place.
 */

import type { RangeTestPoint, StudyEvent } from "../src/record/index.ts";
import { lossCeiling } from "../src/report/figures/range-test.ts";
import { seriesLook } from "../src/report/palette.ts";
import { logRateAxis, numberAxis } from "../src/report/plot/axes.ts";
import type { Line, LinePlot } from "../src/report/plot/line-plot.ts";

export interface Ramp {
  readonly arm: string;
  readonly seed: number;
  /** Updates to make; null of one that was only heard of when it was whole. */
  readonly updates: number | null;
  /** The quick ramp that finds the ends of the others. */
  readonly isSearch: boolean;
  readonly isWhole: boolean;
  /** In the order of updates; of one that grows as many as were told. */
  readonly points: readonly Point[];
}

type Point = Pick<RangeTestPoint, "update" | "lr" | "loss" | "smoothedLoss">;

/** By arm and seed. */
export type Ramps = ReadonlyMap<string, Ramp>;

/** The ramps after an event. */
export function heardRamps(ramps: Ramps, event: StudyEvent): Ramps {
  const put = (ramp: Ramp) => new Map(ramps).set(`${ramp.arm} ${ramp.seed}`, ramp);
  switch (event.type) {
    case "range-test-started": {
      const { arm, seed, updates, search } = event;
      const isSearch = search !== undefined;
      // What is measured is not measured again: this was told before it was whole, and is heard late.
      if (ramps.get(`${arm} ${seed}`)?.isWhole) return ramps;
      return put({ arm, seed, updates, isSearch, isWhole: false, points: [] });
    }
    case "range-test-update": {
      const { arm, seed, update, lr, loss, smoothedLoss } = event;
      const ramp = ramps.get(`${arm} ${seed}`);
      if (!ramp || ramp.isWhole || (ramp.points.at(-1)?.update ?? -1) >= update - 1) return ramps;
      return put({
        ...ramp,
        points: [...ramp.points, { update: update - 1, lr, loss, smoothedLoss }],
      });
    }
    case "range-test-run": {
      const { arm, run } = event;
      const updates = run.points.length;
      return put({ arm, ...run, updates, isSearch: false, isWhole: true });
    }
    case "range-test-search":
    case "range-test-finished":
      return new Map(
        [...ramps].filter(([, { arm, isSearch }]) =>
          arm !== event.arm ? true : event.type === "range-test-search" ? !isSearch : false,
        ),
      );
    default:
      return ramps;
  }
}

/** "seed 0 is measured; seed 1: update 57 of 200" */
export const rampsText = (ramps: readonly Ramp[]): string =>
  ramps
    .map(({ seed, updates, points, isSearch, isWhole }) => {
      if (isWhole) return `seed ${seed} is measured`;
      const at = `update ${(points.at(-1)?.update ?? -1) + 1} of ${updates ?? "?"}`;
      return isSearch
        ? `a quick ramp looks for the least and the greatest rate: ${at}`
        : `seed ${seed}: ${at}`;
    })
    .join("; ");

/** Loss against rate, a line a seed, single batches faintly beneath; null before two points can be joined. */
export function growingPlot(ramps: readonly Ramp[], kind: "exponential" | "linear") {
  const curves = ramps.flatMap((ramp, i) => {
    const points = ramp.points.flatMap(({ lr, loss, smoothedLoss }) =>
      loss === null || smoothedLoss === null ? [] : [{ lr, loss, smoothed: smoothedLoss }],
    );
    return points.length < 2 ? [] : [{ ramp, points, look: seriesLook(i) }];
  });
  if (curves.length === 0) return null;
  const rates = curves.flatMap(({ points }) => points.map(({ lr }) => lr));
  const from = Math.min(...rates);
  const to = Math.max(...rates, ...ramps.map((ramp) => endOf(ramp, kind) ?? 0));
  const smoothed = curves.map(({ points }) => ({
    smoothed: points.map(({ lr, smoothed: loss }) => ({ lr, loss })),
  }));
  const ceiling = lossCeiling(smoothed);
  const least = Math.min(...curves.flatMap(({ points }) => points.map((p) => p.smoothed)));
  const room = 0.2 * (ceiling - least);
  const frame = { top: 30, right: 76, bottom: 46, left: 44 };
  const lineOf = ({ ramp, points, look }: (typeof curves)[number], part: "raw" | "smooth") => {
    const isRaw = part === "raw";
    const name = `seed ${ramp.seed}`;
    return {
      ...{ key: isRaw ? "single batches" : name, name, colour: look.colour },
      ...(isRaw
        ? { dash: [1, 0], width: 1, opacity: 0.2, silent: true }
        : { dash: look.dash, width: 2, labels: [name, name] as const }),
      x: [points.map(({ lr }) => lr)],
      y: points.map((point) => (isRaw ? point.loss : point.smoothed)),
    } satisfies Line;
  };
  const plot: LinePlot = {
    name: "range-test-under-way",
    x: [logRateAxis("learning rate (log scale)", [from, Math.max(to, from * 1.01)])],
    y: [numberAxis("training loss, nats", [least - room, ceiling])],
    frames: [
      { ...frame, height: 380 },
      { ...frame, height: 280 },
    ],
    lines: [
      ...curves.map((curve) => lineOf(curve, "raw")),
      ...curves.map((curve) => lineOf(curve, "smooth")),
    ],
    bands: [],
    clip: true,
  };
  return plot;
}

/** The rate at which a ramp will end, from how fast it rises; null where that is not known yet. */
export function endOf(
  { points, updates }: Pick<Ramp, "points" | "updates">,
  kind: "exponential" | "linear",
): number | null {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || last.update === first.update || updates === null) return null;
  const part = (updates - 1 - first.update) / (last.update - first.update);
  return kind === "exponential"
    ? first.lr * (last.lr / first.lr) ** part
    : first.lr + part * (last.lr - first.lr);
}
