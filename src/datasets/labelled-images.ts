/**
 * @file Images with their classes for evaluation: a source's, matched by name to the classes of a network. Where the
 * source is what a run trained on, its parts are those of that run.
 */

import { at } from "../core/at.ts";
import { ArgumentError, DataError } from "../core/errors.ts";
import { meantHint } from "../core/nearest-name.ts";
import { counted } from "../core/words.ts";
import { type Source, type SourceContext, TEST, TRAIN, VALIDATION } from "../data/source.ts";
import { imagesOfSource, type ListedImage } from "./list-images.ts";
import { type RecordedSplit, replayedParts } from "./recorded-split.ts";
import { openSource } from "./sources/open-source.ts";

/** Which of the parts that a source brings, or that a run made of it. */
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
  /** How many images each part had in the run, where the parts are the run's; null: the source's own, or none. */
  readonly replayed: Readonly<Record<Exclude<LabelledPart, "all">, number>> | null;
  /** Why the parts of the run are not those of the source, a clause; null where they are, or there is no run. */
  readonly otherThanRun: string | null;
}

export interface LabelledOptions extends SourceContext {
  /** The network's, in its order. */
  readonly classes: readonly string[];
  /** Default: of a source with parts its test part, else its validation part; of any other all of it. */
  readonly part?: LabelledPart | undefined;
  /** The split of the run that the network is of: a source that is what it trained on has those parts. */
  readonly recorded?: RecordedSplit | undefined;
}

/**
 * @param source whatever `openDataset` takes; a folder of a single class too
 * @throws DataError for a source that cannot be read, one with no images there, or classes that the network
 *   does not know
 * @throws ArgumentError for a part that the source does not have
 */
export async function openLabelled(
  source: string,
  { classes, part, recorded, ...context }: LabelledOptions,
): Promise<LabelledImages> {
  const opened = await openSource(source, { ...context, leastClasses: 1 });
  const { name, labels } = opened;
  const { parts, otherThanRun, replayed } = await partsOf(opened, recorded, context.signal);
  const chosen = choosePart(name, { parts, otherThanRun }, part);
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
    ...{ replayed, otherThanRun },
  };
}

/** "all of it", "the test part". */
export const partWords = (part: LabelledPart): string =>
  part === "all" ? "all of it" : part === "train" ? "the training part" : `the ${part} part`;

interface SourceParts extends Pick<LabelledImages, "replayed" | "otherThanRun"> {
  readonly parts: Uint8Array | null;
}

/** A source's own parts, unless the run drew others from it. */
async function partsOf(
  source: Source,
  recorded: RecordedSplit | undefined,
  signal: AbortSignal | undefined,
): Promise<SourceParts> {
  const own = { parts: source.parts, replayed: null, otherThanRun: null };
  if (!recorded) return own;
  const { limit, test, copies } = recorded.choices;
  if (source.parts && limit === undefined && !test && copies !== "leave-out") return own;
  const found = await replayedParts(source, recorded, signal);
  if ("why" in found) return { ...own, otherThanRun: found.why };
  const { parts } = found;
  const count = (number: number) => parts.reduce((sum, part) => sum + Number(part === number), 0);
  return {
    parts,
    replayed: { train: count(TRAIN), validation: count(VALIDATION), test: count(TEST) },
    otherThanRun: null,
  };
}

function choosePart(
  name: string,
  { parts, otherThanRun }: Pick<SourceParts, "parts" | "otherThanRun">,
  part: LabelledPart | undefined,
): LabelledPart {
  if (part === undefined)
    return parts === null ? "all" : parts.includes(TEST) ? "test" : "validation";
  if (part === "all") return part;
  const there = LABELLED_PARTS.filter((each) => each !== "all" && parts?.includes(NUMBERS[each]));
  if (there.includes(part)) return part;
  const which = part === "train" ? "training" : part;
  if (parts !== null)
    throw new ArgumentError(`${name}: it has no ${which} part (it has: ${there.join(", ")})`);
  throw new ArgumentError(
    otherThanRun === null
      ? `${name}: it has no ${which} part (it is no folder of train/, val/ and test/); leave --part out, give the folder of the part itself, or the directory of the run, whose record tells the parts of what it trained on`
      : `${name}: it has no ${which} part of its own, nor is it what the run trained on: ${otherThanRun}; leave --part out, or give the images as they were`,
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
