/** @file The probabilities that a stored network gives to images, whatever decodes them, one image after another. */

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

export interface AnswerOptions<Image> {
  readonly stored: StoredNetwork;
  /** Whatever `decode` takes. */
  readonly images: readonly Image[];
  /** Brings images to pixels, one answer an image, as `preprocessing` of the metadata says. Two calls may be under way. */
  decode(images: readonly Image[]): Promise<readonly DecodedImage[]>;
  readonly backend: Backend;
  /** Images a run, and how many are decoded ahead. */
  readonly batch: number;
  readonly threads: number;
  /** Ends the work between two batches, with an InterruptedError. */
  readonly signal?: AbortSignal | undefined;
}

export interface ImageAnswer extends DecodedImage {
  /** One a class, in the network's order, valid until the next is asked for; null without pixels. */
  readonly probabilities: Float32Array | Float64Array | null;
}

/**
 * One answer an image, in their order.
 * @param subject what messages begin with
 * @throws WeightsError where the network's logits overflow
 * @throws InterruptedError where `signal` aborts
 */
export async function* answersOf<Image>(
  subject: string,
  { stored, images, backend, batch, threads, signal, ...options }: AnswerOptions<Image>,
): AsyncGenerator<ImageAnswer> {
  checkPositiveInteger(subject, "batch", batch);
  const { classes, channels, size, mean, std } = stored.metadata;
  const { session, run } = await openPredictor(stored, { backend, batch, threads });
  try {
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
      for (const image of decoded) {
        const place = image.pixels ? row++ * classes.length : 0;
        yield {
          ...image,
          probabilities: image.pixels
            ? probabilities.subarray(place, place + classes.length)
            : null,
        };
      }
    }
  } finally {
    session.dispose();
  }
}
