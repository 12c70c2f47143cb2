/**
 * @file The greatest counts that are taken: far above what anybody trains, and low enough that what is
 * planned, looked through or drawn for them stays within seconds and megabytes.
 */

import { ArgumentError } from "./errors.ts";

export const LIMITS = {
  /** Epochs of a run. */
  epochs: 1_000_000,
  /** Updates of a run: its epochs times the updates of one. */
  updates: 1_000_000_000,
  /** Updates that are looked through for the ends of cycles, by averages and snapshots. */
  cycleSearch: 10_000_000,
  /** Seeds of a comparison or a range test. */
  seeds: 10_000,
  /** Arms of a comparison, multiples of their rates counted. */
  arms: 1_000,
  /** Trials of a comparison: arms times seeds. */
  trials: 100_000,
  /** Multiples of its rate at which an arm is trained. */
  sensitivity: 999,
  /** Augmented views of an image in the feature cache. */
  views: 10_000,
  /** Cores of a step; more than any machine has. */
  threads: 1024,
  /** Schedules within schedules. */
  scheduleDepth: 64,
} as const;

/** "1,000,000" */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** @throws ArgumentError above the limit; the remedy ends the sentence */
export function checkAtMost(
  subject: string,
  name: string,
  { value, most, remedy }: { value: number; most: number; remedy?: string },
): void {
  if (value > most)
    throw new ArgumentError(
      `${subject}: ${name} must be at most ${grouped(most)}; got ${value}${remedy ? `. ${remedy}` : ""}`,
    );
}
