/** @file How a stored network answers on images whose classes are known. */

import type { Answered } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import { noConfusion } from "../train/scores.ts";
import { type AnswerOptions, answersOf } from "./answers.ts";

/** The least probability that float32 holds: what an underflown one counts as, 103.3 nats. */
const LEAST_PROBABILITY = 2 ** -149;

export interface ScoreOptions<Image> extends AnswerOptions<Image> {
  /** Class of each image: its number among the network's. */
  readonly labels: Int32Array;
  /** Wrong answers to keep, the surest; default 12. */
  readonly mistakes?: number;
}

export interface ScoredMistake {
  /** Number of the image. */
  readonly image: number;
  readonly truth: number;
  readonly answer: number;
  readonly probability: number;
  /** (size, size, channels) u8, as the network saw it. */
  readonly pixels: Uint8Array;
}

export interface Scores {
  /** Of each image that could be decoded. */
  readonly answered: readonly Answered[];
  /** Mean cross-entropy over them, in nats; NaN of none. */
  readonly loss: number;
  /** Counts; rows are true classes, columns answers, in the network's order. */
  readonly counts: readonly (readonly number[])[];
  /** The surest first. */
  readonly mistakes: readonly ScoredMistake[];
  /** Images that could not be decoded. */
  readonly leftOut: readonly { readonly image: number; readonly reason: string }[];
}

/**
 * Scores every image, the first of equally probable classes being the answer.
 * @throws WeightsError where the network's logits overflow
 * @throws InterruptedError where `signal` aborts
 */
export async function scoreImages<Image>(options: ScoreOptions<Image>): Promise<Scores> {
  const { labels, stored, mistakes: kept = 12 } = options;
  const counts = noConfusion(stored.metadata.classes.length);
  const answered: Answered[] = [];
  const leftOut: { image: number; reason: string }[] = [];
  let mistakes: ScoredMistake[] = [];
  let loss = 0;
  let image = -1;
  for await (const { probabilities, pixels, reason } of answersOf("evaluate", options)) {
    image++;
    if (!probabilities || !pixels) {
      leftOut.push({ image, reason: reason ?? "it has no pixels" });
      continue;
    }
    const truth = at(labels, image, "labels");
    let probability = 0;
    for (const value of probabilities) probability = Math.max(probability, value);
    const answer = Math.max(0, probabilities.indexOf(probability));
    const row = at(counts, truth, "counts");
    // Of very many classes a row holds those answers alone that were given.
    row[answer] = (row[answer] ?? 0) + 1;
    loss -= Math.log(Math.max(at(probabilities, truth, "probabilities"), LEAST_PROBABILITY));
    answered.push({ confidence: probability, right: answer === truth });
    const least = mistakes.length < kept ? -1 : (mistakes.at(-1)?.probability ?? -1);
    if (answer !== truth && probability > least)
      mistakes = [...mistakes, { image, truth, answer, probability, pixels }]
        .sort((a, b) => b.probability - a.probability)
        .slice(0, kept);
  }
  return { answered, loss: loss / answered.length, counts, mistakes, leftOut };
}
