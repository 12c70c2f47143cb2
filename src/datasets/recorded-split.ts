/** @file The split of a data set, made again from what a run recorded of it: the same images in the same parts. */

import { at } from "../core/at.ts";
import { counted } from "../core/words.ts";
import { type Source, TEST, TRAIN, VALIDATION } from "../data/source.ts";
import { countClasses } from "../data/split-checks.ts";
import type { DatasetRecord } from "../record/index.ts";
import { decodedFingerprint, withoutCopies } from "./fingerprint.ts";
import { itemsOf, type SplitChoices, splitSource } from "./split-source.ts";

export interface RecordedSplit {
  readonly dataset: DatasetRecord;
  /** What the run was asked for, by which its source was split. */
  readonly choices: SplitChoices;
}

/** Of each item its part; NO_PART of those that no part has: broken, left out, or beyond the limit. */
export type ReplayedParts = { readonly parts: Uint8Array } | { readonly why: string };
const NO_PART = 255;

/**
 * The parts of a source as the run had them; or why they cannot be told, a clause about the source: "its classes are
 * others". Files are hashed, none is decoded: which are broken, the record says.
 * @throws InterruptedError where `signal` aborts
 */
export async function replayedParts(
  source: Source,
  { dataset, choices }: RecordedSplit,
  signal?: AbortSignal,
): Promise<ReplayedParts> {
  const names = dataset.classes.map(({ name }) => name);
  if (names.length !== source.classes.length || names.some((name, i) => name !== source.classes[i]))
    return { why: "its classes are others" };
  const items = itemsOf(source, choices);
  const { broken, copiesLeftOut = 0 } = dataset;
  const recorded = dataset.images + broken.length + copiesLeftOut;
  if (items.length !== recorded)
    return {
      why: `the run knows ${counted(recorded, "file")} of it, and there ${items.length === 1 ? "is" : "are"} ${items.length}`,
    };
  const contents = await source.fingerprint(items, signal);
  if (!fingerprintsOf(source, contents, dataset).includes(dataset.fingerprint))
    return { why: "files of it are not what they were" };
  const lost = new Set(broken.map(({ file }) => file));
  const decoded = items.filter((item) => !lost.has(source.fileOf?.(item) ?? ""));
  const split = splitSource(source, decoded, choices);
  const { labels, leftOut, parts } = split;
  const same =
    labels.length - leftOut.size === dataset.images &&
    JSON.stringify(countClasses(source.classes, labels, parts)) === JSON.stringify(dataset.classes);
  if (!same) return { why: "the run's record counts other images in its parts" };
  const partOf = new Uint8Array(source.labels.length).fill(NO_PART);
  const numbers = { train: TRAIN, validation: VALIDATION, test: TEST };
  for (const [name, number] of Object.entries(numbers))
    for (const image of parts[name as keyof typeof numbers])
      partOf[at(decoded, image, "decoded")] = number;
  return { parts: partOf };
}

/** As this version and those before it would have recorded it. */
function fingerprintsOf(
  source: Source,
  contents: string,
  { size, copiesLeftOut = 0 }: DatasetRecord,
): string[] {
  const { decoding = 1 } = source;
  const versions = Array.from({ length: decoding }, (_, i) => decoding - i);
  const all = versions.map((version) => decodedFingerprint(source, contents, { size, version }));
  return copiesLeftOut > 0 ? all.map(withoutCopies) : all;
}
