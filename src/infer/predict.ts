/** @file Which classes a stored network sees in images, whatever decodes them. */

import { checkPositiveInteger } from "../core/checks.ts";
import { InterruptedError } from "../core/errors.ts";
import { fillPredictions } from "../data/normalise.ts";
import type { Backend } from "../program/index.ts";
import { openPredictor } from "./predictor.ts";
import type { StoredNetwork } from "./stored-network.ts";

/** An image as the network takes it: (size, size, channels) u8; null with a reason where there is none. */
export interface DecodedImage {
  readonly pixels: Uint8Array | null;
  readonly reason: string | null;
}

export interface ClassifyOptions<Image> {
  readonly stored: StoredNetwork;
  /** Whatever `decode` takes. */
  readonly images: readonly Image[];
  /** Brings images to pixels, one answer an image, as `preprocessing` of the metadata says. Two calls may be under way. */
  decode(images: readonly Image[]): Promise<readonly DecodedImage[]>;
  readonly backend: Backend;
  /** How many classes to name for each image; default 3 (or all, where there are fewer). */
  readonly top?: number;
  /** Images a run, and how many are decoded ahead. */
  readonly batch: number;
  readonly threads: number;
  /** Ends the work between two batches, with an InterruptedError. */
  readonly signal?: AbortSignal | undefined;
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
  const { stored, images, backend, top = 3, batch, threads, signal } = options;
  checkPositiveInteger("predict", "top", top);
  checkPositiveInteger("predict", "batch", batch);
  const { classes, channels, size, mean, std } = stored.metadata;
  const { session, run } = await openPredictor(stored, { backend, batch, threads });
  try {
    const answers: Classified[] = [];
    const decode = (first: number) => {
      const decoding =
        first < images.length
          ? options.decode(images.slice(first, first + batch))
          : Promise.resolve([]);
      // What goes wrong is thrown where it is awaited, which an earlier failure may keep it from.
      decoding.catch(() => undefined);
      return decoding;
    };
    let next = decode(0);
    for (let first = 0; first < images.length; first += batch) {
      if (signal?.aborted) throw new InterruptedError("interrupted");
      const decoded = await next;
      // The next images are decoded while these go through the network.
      next = decode(first + batch);
      const usable = decoded.flatMap(({ pixels }) => (pixels ? [pixels] : []));
      fillPredictions({ images: session.images(0), pixels: usable, channels, size, mean, std });
      const probabilities = usable.length > 0 ? await run(usable.length) : new Float32Array(0);
      let row = 0;
      for (const { pixels, reason } of decoded) {
        const place = pixels ? row++ * classes.length : 0;
        const ranked = classes
          .map((name, i) => ({ class: name, probability: probabilities[place + i] ?? 0 }))
          .sort((a, b) => b.probability - a.probability);
        answers.push({ top: pixels ? ranked.slice(0, top) : [], reason });
      }
    }
    return answers;
  } finally {
    session.dispose();
  }
}
