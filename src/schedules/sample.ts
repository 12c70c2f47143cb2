/** @file A schedule at a bounded number of updates, however long it is. */

import type { Schedule } from "./schedule.ts";

/** A range of no more updates is gone through one by one. */
const EXHAUSTIVE = 4096;

/** Evenly spaced updates tried within a column of a drawing. */
const TRIED = 8;

/**
 * Updates 0 .. `updates` - 1: all where they are no more than `most`, else the first `most` / 2 and as many
 * evenly spaced over the whole, the last among them; ascending, each once.
 */
export function sampleUpdates(updates: number, most: number): number[] {
  if (updates <= most) return Array.from({ length: updates }, (_, t) => t);
  const half = Math.floor(most / 2);
  const chosen = new Set(Array.from({ length: half }, (_, t) => t));
  for (let i = 0; i < half; i++) chosen.add(Math.floor((i / (half - 1)) * (updates - 1)));
  return [...chosen].sort((a, b) => a - b);
}

/**
 * The update from `from` to `to` with the greatest rate, or the least: by ternary search, which finds it
 * where the rate has a single peak there, and one by one at the end.
 */
export function extremeOf(
  schedule: Schedule,
  { from, to, greatest }: { from: number; to: number; greatest: boolean },
): number {
  const better = (a: number, b: number) =>
    greatest ? schedule(a) > schedule(b) : schedule(a) < schedule(b);
  let [low, high] = [from, to];
  while (high - low > EXHAUSTIVE) {
    const third = Math.floor((high - low) / 3);
    if (better(low + third, high - third)) high -= third;
    else low += third;
  }
  let best = low;
  for (let t = low + 1; t <= high; t++) if (better(t, best)) best = t;
  return best;
}

/**
 * What a drawing of the updates 0 .. `updates` - 1 needs: every update where there are at most `most`, else
 * for each of `most` / 4 columns its first update, and those of the least and the greatest rate found in
 * it; with them the ends of cycles and the updates beside them, as far as there is room, and the last.
 */
export function sampleSchedule(
  schedule: Schedule,
  updates: number,
  most: number,
): { readonly update: number; readonly lr: number }[] {
  const point = (update: number) => ({ update, lr: schedule(update) });
  if (updates <= most) return Array.from({ length: updates }, (_, update) => point(update));
  const columns = Math.floor(most / 4);
  const chosen = new Set<number>([updates - 1]);
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column / columns) * updates);
    const to = Math.floor(((column + 1) / columns) * updates) - 1;
    chosen.add(from);
    const tried = Array.from({ length: TRIED + 1 }, (_, i) =>
      Math.floor(from + ((to - from) * i) / TRIED),
    );
    const of = (sign: number) =>
      tried.reduce((best, t) => (sign * schedule(t) > sign * schedule(best) ? t : best));
    chosen.add(of(1)).add(of(-1));
  }
  for (const t of corners(schedule, updates, columns / 4))
    for (const near of [t - 1, t, t + 1]) if (near >= 0 && near < updates) chosen.add(near);
  return [...chosen].sort((a, b) => a - b).map(point);
}

/** Ends of cycles and of the schedule, and the peak of each cycle; of no more cycles than `most`. */
function corners({ steps, cycleEnd, ...rest }: Schedule, updates: number, most: number): number[] {
  const { stepSize } = rest.toJSON() as { stepSize?: unknown };
  const found = Number.isFinite(steps) ? [Math.round(steps)] : [];
  if (!cycleEnd) return found;
  let begin = 0;
  for (let n = 1; n <= most; n++) {
    const end = Math.round(cycleEnd(n));
    found.push(end);
    if (typeof stepSize === "number") found.push(begin + stepSize);
    if (end >= updates || !(end > begin)) break;
    begin = end;
  }
  return found;
}
