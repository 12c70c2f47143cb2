/** @file Images that are the same bytes: across the split they flatter, in two classes they contradict. */

import type { CopiesRecord } from "../record/index.ts";
import { TEST, TRAIN, VALIDATION } from "./source.ts";

/** What is done about copies: nothing but to say it, or one of each is kept. */
export const COPY_CHOICES = ["keep", "leave-out"] as const;
export type CopyChoice = (typeof COPY_CHOICES)[number];

/** Groups that a record names. */
const MOST_GROUPS = 20;
/** Files of a group that it names. */
const MOST_FILES = 5;

export interface CopyOptions {
  /** What tells contents apart, for each image; undefined where it is not known. */
  readonly contents: readonly (string | undefined)[];
  readonly labels: Int32Array;
}

/** The images of each content that several have, in the order of the first. */
export function groupsOfCopies(contents: CopyOptions["contents"]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [image, content] of contents.entries()) {
    if (content === undefined) continue;
    const group = groups.get(content);
    if (group) group.push(image);
    else groups.set(content, [image]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/**
 * Images to leave out so that each content is there once. Of one class the first stays, or, where the source
 * brings its parts, the first of the test part, else of the validation part, which stay as they are given.
 * Of a content in two classes none stays: nobody knows which is right.
 */
export function copiesToLeaveOut(
  { contents, labels }: CopyOptions,
  parts: Uint8Array | null,
): Set<number> {
  const out = new Set<number>();
  for (const group of groupsOfCopies(contents)) {
    const contradicts = group.some((image) => labels[image] !== labels[group[0] as number]);
    const rank = (image: number) => [TEST, VALIDATION, TRAIN].indexOf(parts?.[image] ?? TRAIN);
    const [kept] = [...group].sort((a, b) => rank(a) - rank(b) || a - b);
    for (const image of group) if (contradicts || image !== kept) out.add(image);
  }
  return out;
}

export interface CopyRecordOptions extends CopyOptions {
  readonly partOf: (image: number) => "train" | "validation" | "test";
  readonly nameOf: (image: number) => string;
}

/** What a record says of copies; undefined where there are none. */
export function recordCopies(options: CopyRecordOptions): CopiesRecord | undefined {
  const { contents, labels, partOf, nameOf } = options;
  const groups = groupsOfCopies(contents);
  if (groups.length === 0) return undefined;
  const differ = (values: readonly unknown[]) => new Set(values).size > 1;
  const across = groups.filter((group) => differ(group.map(partOf)));
  const contradicting = groups.filter((group) => differ(group.map((image) => labels[image])));
  // What harms most is named first.
  const named = [...new Set([...contradicting, ...across, ...groups])].slice(0, MOST_GROUPS);
  return {
    files: groups.reduce((sum, group) => sum + group.length - 1, 0),
    acrossParts: across.length,
    inTwoClasses: contradicting.length,
    groups: named.map((group) => ({
      files: group.slice(0, MOST_FILES).map(nameOf),
      count: group.length,
    })),
  };
}
