/** @file How many updates a run makes: counted exactly, or refused. */

import { ArgumentError } from "../core/errors.ts";

/**
 * Updates of so many epochs.
 * @throws ArgumentError where they are more than 2^53 - 1: an update more would be no other number
 */
export function updatesOfRun(subject: string, epochs: number, updatesPerEpoch: number): number {
  const updates = epochs * updatesPerEpoch;
  if (updates <= Number.MAX_SAFE_INTEGER) return updates;
  const most = Math.floor(Number.MAX_SAFE_INTEGER / updatesPerEpoch);
  throw new ArgumentError(
    `${subject}: --epochs must be at most ${most}, where an epoch has ${updatesPerEpoch} updates; got ${epochs}`,
  );
}
