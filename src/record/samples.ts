/** @file samples.json: a few images of each class for the report, as they are and as they are augmented. */

import { z } from "zod";

/** An image as it stands in a page. */
export const imageUri = z.string().startsWith("data:image/");

/** One image of the data set beside augmented copies of it. */
export const sampleImages = z.object({
  className: z.string(),
  original: imageUri,
  augmented: z.array(imageUri).readonly(),
});
export type SampleImages = Readonly<z.infer<typeof sampleImages>>;

const written = z.object({
  formatVersion: z.literal(1),
  /** One a class, of as many classes as are shown. */
  samples: z.array(sampleImages),
});
export type SamplesRecord = z.infer<typeof written>;

/** Of lrscope 0.1: the list alone. */
export const samplesRecord = z.preprocess(
  (read) => (Array.isArray(read) ? { formatVersion: 1, samples: read } : read),
  written,
);
