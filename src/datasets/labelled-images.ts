/** @file Images with their classes for evaluation: a source's, matched by name to the classes of a network. */

import { at } from "../core/at.ts";
import { ArgumentError, DataError } from "../core/errors.ts";
import { meantHint } from "../core/nearest-name.ts";
import { counted } from "../core/words.ts";
import { type SourceContext, TEST, TRAIN, VALIDATION } from "../data/source.ts";
import { imagesOfSource, type ListedImage } from "./list-images.ts";
import { openSource } from "./sources/open-source.ts";

/** Which of the parts that a source brings. */
export const LABELLED_PARTS = ["all", "train", "validation", "test"] as const;
export type LabelledPart = (typeof LABELLED_PARTS)[number];

const NUMBERS: Readonly<Record<Exclude<LabelledPart, "all">, number>> = {
  train: TRAIN,
  validation: VALIDATION,
  test: TEST,
};

export interface LabelledImages {
  /** The folder's own name or the source's. */
  readonly name: string;
  readonly part: LabelledPart;
  readonly images: readonly ListedImage[];
  /** Class of each image: its number among the network's. */
  readonly labels: Int32Array;
  /** Classes of the network that no image is of. */
  readonly absent: readonly string[];
}

export interface LabelledOptions extends SourceContext {
  /** The network's, in its order. */
  readonly classes: readonly string[];
  /** Default: of a source with parts its test part, else its validation part; of any other all of it. */
  readonly part?: LabelledPart | undefined;
}

/**
 * @param source whatever `openDataset` takes; a folder of a single class too
 * @throws DataError for a source that cannot be read, one with no images there, or classes that the network
 *   does not know
 * @throws ArgumentError for a part that the source does not have
 */
export async function openLabelled(
  source: string,
  { classes, part, ...context }: LabelledOptions,
): Promise<LabelledImages> {
  const opened = await openSource(source, { ...context, leastClasses: 1 });
  const { name, parts, labels } = opened;
  const chosen = choosePart(name, parts, part);
  const all = imagesOfSource(opened);
  const items = all.flatMap((_, item) =>
    chosen === "all" || parts?.[item] === NUMBERS[chosen] ? [item] : [],
  );
  if (items.length === 0)
    throw new DataError(`${name}: there are no images in ${partWords(chosen)}`);
  const used = [...new Set(items.map((item) => at(labels, item, "labels")))].sort((a, b) => a - b);
  const numbers = matched(name, {
    own: used.map((label) => at(opened.classes, label, "classes")),
    network: classes,
  });
  const numberOf = new Map(used.map((label, i) => [label, at(numbers, i, "numbers")]));
  const known = new Set(numbers);
  return {
    name,
    part: chosen,
    images: items.map((item) => at(all, item, "images")),
    labels: Int32Array.from(items, (item) => numberOf.get(at(labels, item, "labels")) ?? 0),
    absent: classes.filter((_, number) => !known.has(number)),
  };
}

/** "all of it", "the test part". */
export const partWords = (part: LabelledPart): string =>
  part === "all" ? "all of it" : part === "train" ? "the training part" : `the ${part} part`;

function choosePart(
  name: string,
  parts: Uint8Array | null,
  part: LabelledPart | undefined,
): LabelledPart {
  if (part === undefined)
    return parts === null ? "all" : parts.includes(TEST) ? "test" : "validation";
  if (part === "all") return part;
  const there = LABELLED_PARTS.filter((each) => each !== "all" && parts?.includes(NUMBERS[each]));
  if (there.includes(part)) return part;
  throw new ArgumentError(
    `${name}: it has no ${part === "train" ? "training" : part} part ${parts === null ? "(it is no folder of train/, val/ and test/); leave --part out, or give the folder of the part itself" : `(it has: ${there.join(", ")})`}`,
  );
}

/** One name in two Unicode forms looks the same, and is. */
const sameLook = (name: string) => name.normalize("NFC");

function matched(
  name: string,
  { own, network }: { readonly own: readonly string[]; readonly network: readonly string[] },
): number[] {
  const numbers = new Map(network.map((each, number) => [sameLook(each), number]));
  const strange = own.filter((each) => !numbers.has(sameLook(each)));
  const [first] = strange;
  if (first !== undefined)
    throw new DataError(
      `${name}: the network does not know ${counted(strange.length, "class")} of it: ${strange
        .slice(0, 5)
        .map((each) => `"${each}"`)
        .join(
          ", ",
        )}${strange.length > 5 ? ", ..." : ""}${meantHint(first, network)} (it knows: ${shown(network)}); rename or remove what is in excess, or give a checkpoint that was trained on these classes`,
    );
  return own.map((each) => numbers.get(sameLook(each)) ?? 0);
}

const shown = (names: readonly string[]) =>
  `${names.slice(0, 20).join(", ")}${names.length > 20 ? ", ..." : ""}`;
