/** @file Points of a schedule's curve for a figure, however long it is. */

import { at } from "../core/at.ts";
import type { Schedule } from "./schedule.ts";
import { evenly, turningUpdates } from "./turns.ts";

export interface SampledRate {
  readonly update: number;
  readonly lr: number;
}

/** Up to so many updates are drawn one by one: more are no longer seen. */
const MOST_POINTS = 20_000;

/** What is longer is divided into so many columns where it turns more than four times in each. */
const COLUMNS = 1_000;

/** Updates of a column whose rates are looked at. */
const OF_A_COLUMN = 64;

/**
 * The rates of updates 0 .. `last`, ascending by update, both among them: of each up to 20,000 of them; of
 * more, evenly spaced ones and both sides of every turn. Where those are too many, the first, the least,
 * the greatest and the last of a thousand columns, each by 64 updates or so.
 * @param last a safe integer, 0 or more
 */
export function sampledRates(schedule: Schedule, last: number): SampledRate[] {
  const rated = (updates: readonly number[]) =>
    updates.map((update) => ({ update, lr: schedule(update) }));
  if (last < MOST_POINTS) return rated(evenly(0, last, last + 1));
  const turns = turningUpdates(schedule, { from: 0, to: last, most: 4 * COLUMNS });
  const even = evenly(0, last, MOST_POINTS);
  if (turns.whole || !schedule.nextTurn)
    return rated([...new Set([...even, ...turns.updates])].sort((a, b) => a - b));
  const edges = evenly(0, last, COLUMNS + 1);
  return edges.slice(1).flatMap((edge, i) => {
    const from = i === 0 ? 0 : at(edges, i, "edges") + 1;
    return columnOf(schedule, from, Math.max(from, edge));
  });
}

/** First, least, greatest and last rate of the updates from `from` to `to`, in the order of the updates. */
export function columnOf(schedule: Schedule, from: number, to: number): SampledRate[] {
  const { updates } = turningUpdates(schedule, { from, to, most: OF_A_COLUMN });
  const all = updates.map((update) => ({ update, lr: schedule(update) }));
  const least = all.reduce((a, b) => (b.lr < a.lr ? b : a));
  const greatest = all.reduce((a, b) => (b.lr > a.lr ? b : a));
  const kept = new Set([all[0], least, greatest, all.at(-1)]);
  return all.filter((point) => kept.has(point));
}
