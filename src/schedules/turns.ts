/** @file Where schedules turn: what is known of a curve of 10^15 updates without drawing it. */

import { at } from "../core/at.ts";
import type { Schedule } from "./schedule.ts";

/** How many of ascending numbers are at most `value`; by halves. */
export function countUpTo(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(ascending, middle, "turns") <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The `nextTurn` of a schedule that turns at these moments alone, ascending. */
export const turnsAt = (moments: readonly number[]) => {
  const own = [...moments];
  return (t: number): number => own[countUpTo(own, t)] ?? Number.POSITIVE_INFINITY;
};

/** The `nextTurn` of rounds of `length` updates, each of which turns within as `ofRound` says, and at its end. */
export const everyRound = (length: number, ofRound: (t: number) => number) => (t: number) => {
  if (!Number.isFinite(t)) return Number.POSITIVE_INFINITY;
  const start = t - (t % length);
  const next = start + Math.min(ofRound(t - start), length);
  return next > t ? next : updateAfter(t);
};

/** Where rounding puts a turn no later than it was asked for; past 2^53 no update is after another. */
export const updateAfter = (t: number): number =>
  t < Number.MAX_SAFE_INTEGER ? Math.floor(t) + 1 : Number.POSITIVE_INFINITY;

export interface Stretch {
  /** First and last update. */
  readonly from: number;
  readonly to: number;
  /** About so many updates are returned at most. */
  readonly most: number;
}

/**
 * Updates of [from, to], ascending, first and last among them: both sides of every turn, so that between
 * neighbours the rate only rises or only falls. Where there are more than `most`, the stretch is divided
 * evenly, and each part has its first turns and its last; a schedule that says nothing of its turns is
 * evaluated at each update, or at `most` of them, evenly spaced. `whole` tells whether nothing was left out.
 */
export function turningUpdates(
  { nextTurn }: Pick<Schedule, "nextTurn">,
  { from, to, most }: Stretch,
): { readonly updates: number[]; readonly whole: boolean } {
  if (!nextTurn) {
    const whole = to - from < most;
    const count = whole ? to - from + 1 : most;
    return { updates: evenly(from, to, count), whole };
  }
  const all = walk(nextTurn, { from, to, most });
  if (all) return { updates: all, whole: true };
  const edges = evenly(from, to, Math.max(2, Math.floor(most / 8)));
  const found = edges.slice(1).flatMap((end, i) => {
    const start = at(edges, i, "edges");
    const last = lastTurn(nextTurn, start, end);
    const firsts = [nextTurn(start), nextTurn(Math.ceil(nextTurn(start)))];
    return [start, ...[...firsts, last].flatMap((turn) => sides(turn, start, end)), end];
  });
  return { updates: [...new Set(found)].sort((a, b) => a - b), whole: false };
}

/** Every turn's two updates; null where there are more than `most`. */
function walk(nextTurn: (t: number) => number, { from, to, most }: Stretch): number[] | null {
  const updates = new Set([from]);
  // What lies between two updates has the same two beside it: the search goes on from the later one.
  for (let turn = nextTurn(from); turn <= to; turn = nextTurn(Math.ceil(turn))) {
    for (const update of sides(turn, from, to)) updates.add(update);
    if (updates.size >= most) return null;
  }
  return [...updates.add(to)];
}

/** The last update before a turn and the first from it on, within the stretch. */
const sides = (turn: number, from: number, to: number): number[] =>
  turn > to + 1 ? [] : [Math.ceil(turn) - 1, Math.ceil(turn)].filter((t) => t >= from && t <= to);

/** The last turn at or before `to`; Infinity where none is after `from`. */
function lastTurn(nextTurn: (t: number) => number, from: number, to: number): number {
  if (nextTurn(from) > to) return Number.POSITIVE_INFINITY;
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = before + Math.floor((after - before) / 2);
    if (nextTurn(middle) <= to) before = middle;
    else after = middle;
  }
  return nextTurn(before);
}

/** `count` updates from `from` to `to`, both among them, as far as there are so many. */
export function evenly(from: number, to: number, count: number): number[] {
  const distance = to - from;
  const parts = Math.min(distance, count - 1);
  if (parts < 1) return [...new Set([from, to])];
  return Array.from({ length: parts + 1 }, (_, i) =>
    i === parts ? to : from + (parts === distance ? i : Math.round(distance * (i / parts))),
  );
}
