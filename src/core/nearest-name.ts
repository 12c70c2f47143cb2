/** @file "Did you mean": the nearest known word, where one is near enough to be meant. */

import { distance } from "fastest-levenshtein";

/**
 * The known word that differs least, or null where none shares at least half of its letters. Of a path in a
 * network ("fc.weight"), the known module that it leads into ("fc") is meant.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const within = known.filter((candidate) => word.startsWith(`${candidate}.`));
  if (within.length > 0) return within.reduce((a, b) => (b.length > a.length ? b : a));
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    // Each letter more is one that differs: no need to compare a megabyte.
    if (word.length > 2 * candidate.length) continue;
    const apart = distance(word.toLowerCase(), candidate.toLowerCase());
    if (apart < least) {
      least = apart;
      best = candidate;
    }
  }
  // Two letters in each other's place are two that differ: "sdg" means sgd.
  return best !== null && least <= Math.ceil(Math.max(word.length, best.length) / 2) ? best : null;
}

/**
 * What ends a sentence about a word that is not known: `; did you mean "adam"?`, or nothing where none is near.
 * @param written the known word as it is to be written; default: as it is
 */
export function meantHint(
  word: string,
  known: readonly string[],
  written = (meant: string) => meant,
): string {
  const meant = nearest(word, known);
  return meant === null ? "" : `; did you mean "${written(meant)}"?`;
}

/** The end of a clause that goes on with those that are known: as `meantHint`, or `;`. */
export const didYouMean = (word: string, known: readonly string[]): string =>
  meantHint(word, known) || ";";
