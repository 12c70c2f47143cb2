/** @file Fewer points for the same line. */

import { at } from "../core/at.ts";

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
    const a = at(points, from, "points");
    const b = at(points, to, "points");
    let worst = tolerance;
    let farthest = -1;
    for (let i = from + 1; i < to; i++) {
      const p = at(points, i, "points");
      const onLine = a.lr + riseOf(b.lr - a.lr, p.update - a.update, b.update - a.update);
      const distance = Math.abs(p.lr - onLine);
      if (distance > worst) {
        worst = distance;
        farthest = i;
      }
    }
    if (farthest >= 0) {
      kept.add(farthest);
      open.push([from, farthest], [farthest, to]);
    }
  }
  return points.filter((_, i) => kept.has(i));
}

/** Of `rise` over `length`, the part of the first `done`; their product may be too great for a number. */
function riseOf(rise: number, done: number, length: number): number {
  const product = rise * done;
  return Number.isFinite(product) ? product / length : rise * (done / length);
}
