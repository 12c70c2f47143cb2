/** @file Which of a source's images each part has, once it is known which of them can be decoded. */

import { at } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import { copiesToLeaveOut } from "../data/copies.ts";
import { type Source, TEST } from "../data/source.ts";
import { givenParts, limitItems, type Parts, stratifiedSplit } from "../data/split.ts";
import { VALIDATION_FRACTION } from "../data/split-checks.ts";
import type { OpenOptions } from "../data/types.ts";

export type SplitChoices = Pick<
  OpenOptions,
  "validation" | "test" | "splitSeed" | "limit" | "copies"
>;

/** The items of a source that a data set is made of, in the order in which they are decoded. */
export const itemsOf = (source: Source, { limit, splitSeed = 0 }: SplitChoices): Int32Array =>
  limit === undefined
    ? Int32Array.from(source.labels, (_, item) => item)
    : limitItems({ ...source, classes: source.classes.length, limit, splitSeed });

/** A data set's images are numbered by their place in `decoded`. */
export interface SplitSource {
  /** Class of each image. */
  readonly labels: Int32Array;
  /** What tells whether two of them are the same bytes. */
  readonly contents: readonly (string | undefined)[];
  /** Copies that belong to no part, as it was asked for. */
  readonly leftOut: ReadonlySet<number>;
  readonly parts: Parts;
}

/**
 * @param decoded the items that can be decoded; the source has seen their contents, as of a fingerprint
 * @throws ArgumentError where a test part is asked of a source that has one
 */
export function splitSource(
  source: Source,
  decoded: Int32Array,
  choices: SplitChoices,
): SplitSource {
  const { splitSeed = 0, validation = VALIDATION_FRACTION, test = 0, copies } = choices;
  const { parts: given } = source;
  refuseSecondTest(source.name, given, test);
  const labels = decoded.map((item) => at(source.labels, item, "labels"));
  const contents = Array.from(decoded, (item) => source.contentOf?.(item));
  const partOf = given && Uint8Array.from(decoded, (item) => at(given, item, "parts"));
  const leftOut =
    copies === "leave-out" ? copiesToLeaveOut({ contents, labels }, partOf) : new Set<number>();
  const usable = Int32Array.from(labels.keys()).filter((image) => !leftOut.has(image));
  const of = {
    labels: usable.map((image) => at(labels, image, "labels")),
    classes: source.classes.length,
    test,
    splitSeed,
  };
  const split =
    partOf === null
      ? stratifiedSplit({ ...of, validation })
      : givenParts(
          Uint8Array.from(usable, (image) => at(partOf, image, "parts")),
          of,
        );
  const numbered = (part: Int32Array) => part.map((i) => at(usable, i, "images"));
  const { train, validation: validating, test: tested } = split;
  return {
    ...{ labels, contents, leftOut },
    parts: { train: numbered(train), validation: numbered(validating), test: numbered(tested) },
  };
}

function refuseSecondTest(name: string, given: Uint8Array | null, test: number): void {
  if (test > 0 && given?.includes(TEST))
    throw new ArgumentError(
      `${name}: it has a test part of its own, so that none can be drawn; leave --test out, or rename its test folder`,
    );
}
