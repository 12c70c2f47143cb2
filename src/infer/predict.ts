/** @file Which classes a stored network sees in images, whatever decodes them. */

import { checkPositiveInteger } from "../core/checks.ts";
import { type AnswerOptions, answersOf } from "./answers.ts";

export interface ClassifyOptions<Image> extends AnswerOptions<Image> {
  /** How many classes to name for each image; default 3 (or all, where there are fewer). */
  readonly top?: number;
}

/** What the network sees in one image. */
export interface Classified {
  /** Most probable first; empty where the image could not be decoded. */
  readonly top: readonly { readonly class: string; readonly probability: number }[];
  /** Why the image could not be decoded, or null. */
  readonly reason: string | null;
}

/**
 * Probabilities of each image's likeliest classes, one answer an image. Images that cannot be decoded are
 * answered with a reason.
 * @throws WeightsError where the network's logits overflow
 * @throws InterruptedError where `signal` aborts
 */
export async function classify<Image>(options: ClassifyOptions<Image>): Promise<Classified[]> {
  const { top = 3, stored } = options;
  checkPositiveInteger("predict", "top", top);
  const answers: Classified[] = [];
  for await (const { probabilities, reason } of answersOf("predict", options)) {
    const ranked = stored.metadata.classes
      .map((name, i) => ({ class: name, probability: probabilities?.[i] ?? 0 }))
      .sort((a, b) => b.probability - a.probability);
    answers.push({ top: probabilities ? ranked.slice(0, top) : [], reason });
  }
  return answers;
}
