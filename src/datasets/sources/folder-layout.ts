/** @file Where the class folders of a folder lie: in itself, or in parts, as train/, val/ and test/. */

import { join } from "node:path";
import { DataError } from "../../core/errors.ts";
import { TEST, TRAIN, VALIDATION } from "../../data/source.ts";
import { legibleName } from "../../files/file-names.ts";
import { listEntries } from "./folder-listing.ts";

/** A part of the images, and the folder that holds its class folders; "" is the whole folder itself. */
export interface FolderPart {
  readonly part: number;
  readonly folder: string;
}

/** What parts are called, in any case, alone or with "set", "data" or "images" behind. */
const PART_NAMES: ReadonlyMap<string, number> = new Map([
  ...["train", "training"].map((name) => [name, TRAIN] as const),
  ...["val", "valid", "validation", "dev", "eval", "evaluation", "holdout"].map(
    (name) => [name, VALIDATION] as const,
  ),
  ...["test", "testing"].map((name) => [name, TEST] as const),
]);

const imageEnding = /\.(jpe?g|png|webp|gif|tiff?|bmp|avif|heic)$/i;

/** The part that a folder's name means, or null. */
export function partOfName(name: string): number | null {
  const plain = name.toLowerCase().replaceAll(/[\s._-]/g, "");
  const bare = plain.replace(/(sets?|data|dataset|images|imgs|split)$/, "");
  return PART_NAMES.get(plain) ?? PART_NAMES.get(bare) ?? null;
}

/**
 * The parts in the order train, validation, test; one that is the folder itself where it has none. A test
 * folder without a validation one validates.
 * @throws DataError for a folder that is empty, that has two folders for one part, or whose folders look like
 *   parts under other names
 */
export function findParts(root: string, name: string): readonly FolderPart[] {
  const { files, folders } = listEntries(root);
  if (files.length === 0 && folders.length === 0)
    throw new DataError(`${name}: the folder is empty; put one folder of images per class into it`);
  const parts = namedParts(name, folders);
  if (parts !== null) return parts;
  if (folders.length === 0) {
    const images = files.filter((file) => imageEnding.test(file)).length;
    throw new DataError(
      images > 0
        ? `${name}: ${images} images but no class folders; move the images of each class into a folder named after it`
        : `${name}: no class folders; put one folder of images per class into it`,
    );
  }
  refuseUnnamedParts(root, name, folders);
  return [{ part: TRAIN, folder: "" }];
}

function namedParts(name: string, folders: readonly string[]): readonly FolderPart[] | null {
  const of = (part: number): string | undefined => {
    const [first, second] = folders.filter((folder) => partOfName(folder) === part);
    if (second !== undefined)
      throw new DataError(
        `${name}: "${first}" and "${second}" both name ${part === TRAIN ? "the training" : part === TEST ? "the test" : "the validation"} part; rename or remove one of them`,
      );
    return first;
  };
  // Without one to train on they are names of classes, however they are called.
  if (!folders.some((folder) => partOfName(folder) === TRAIN)) return null;
  const [train, validation, test] = [of(TRAIN), of(VALIDATION), of(TEST)];
  const validating = validation ?? test;
  if (train === undefined || validating === undefined) return null;
  return [
    { part: TRAIN, folder: train },
    { part: VALIDATION, folder: validating },
    ...(validation !== undefined && test !== undefined ? [{ part: TEST, folder: test }] : []),
  ];
}

/** Parts whose names are none of ours would become classes, with every true class mixed into each. */
function refuseUnnamedParts(root: string, name: string, folders: readonly string[]): void {
  if (folders.length < 2) return;
  const entries = folders.map((folder) => listEntries(join(root, folder)));
  const [inner = []] = entries.map(({ folders: own }) => own);
  const alike = entries.every(
    (entry) => entry.files.length === 0 && entry.folders.join("\0") === inner.join("\0"),
  );
  if (!alike || inner.length < 2) return;
  const show = (names: readonly string[]) =>
    `${names
      .slice(0, 3)
      .map((each) => `"${legibleName(each)}"`)
      .join(", ")}${names.length > 3 ? ", ..." : ""}`;
  throw new DataError(
    `${name}: its folders ${show(folders)} hold no images of their own and all the same folders (${show(inner)}), so that they look like parts and not like classes; name them train and val (and test), or give one of them`,
  );
}
