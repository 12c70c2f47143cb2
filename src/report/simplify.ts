/** @file Fewer points for the same line. */

import { sampleSchedule, type Schedule } from "../schedules/index.ts";

/** Updates of a line before it is simplified. */
const MOST_POINTS = 20_000;

/**
 * Updates 0 .. `updates` of a schedule: evenly spaced ones, of no more than 40,000; of a longer one the
 * first, the least and the greatest of each column, and the ends of its cycles.
 */
export function tracedUpdates(
  schedule: Schedule,
  updates: number,
): { readonly update: number; readonly lr: number }[] {
  if (updates > 100 * MOST_POINTS) return sampleSchedule(schedule, updates + 1, MOST_POINTS);
  const stride = Math.max(1, Math.floor(updates / MOST_POINTS));
  const points: { update: number; lr: number }[] = [];
  for (let update = 0; update <= updates; update += stride)
    points.push({ update, lr: schedule(update) });
  return points;
}

/**
 * Douglas and Peucker's selection, vertical distance: where a point is left out, the line through
 * its neighbours passes within `tolerance` of it. First and last stay.
 * @see Douglas and Peucker, Cartographica 10(2), 1973
 */
export function simplified<P extends { update: number; lr: number }>(
  points: readonly P[],
  tolerance: number,
): P[] {
  const kept = new Set([0, points.length - 1]);
  const open: [number, number][] = [[0, points.length - 1]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [from, to] = range;
    const a = points[from]!;
    const b = points[to]!;
    let worst = tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const p = points[i]!;
      const onLine = a.lr + ((b.lr - a.lr) * (p.update - a.update)) / (b.update - a.update);
      const distance = Math.abs(p.lr - onLine);
      if (distance > worst) {
        worst = distance;
        at = i;
      }
    }
    if (at >= 0) {
      kept.add(at);
      open.push([from, at], [at, to]);
    }
  }
  return points.filter((_, i) => kept.has(i));
}
