/** @file Which images train and which validate: stratified, seeded, independent of the trial's seed. */

import { at } from "../core/at.ts";
import { DataError } from "../core/errors.ts";
import { permutation, randomStream } from "../core/random.ts";
import { TEST, TRAIN, VALIDATION } from "./source.ts";

export interface Parts {
  /** Image numbers, ascending. */
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** Left alone until a trial is over; mostly empty. */
  readonly test: Int32Array;
}

/** Numbers i with labels[i] = label (and parts[i] = part), ascending, for each label. */
function byClass(labels: Int32Array, classes: number, keep: (i: number) => boolean): number[][] {
  const groups: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, i) => {
    if (keep(i)) at(groups, label, "classes").push(i);
  });
  return groups;
}

const ascending = (numbers: number[]) => Int32Array.from(numbers).sort();

export interface SplitOptions {
  /** Class of each image. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** Fraction of each class that validates, in (0, 1). */
  readonly validation: number;
  /** Fraction of each class that is kept for the test, in [0, 1 - validation); default 0. */
  readonly test?: number;
  readonly splitSeed: number;
}

/** Streams (splitSeed, split, class, n): 1 and 2 are those of limitItems. */
const TEST_STREAM = 3;

/**
 * Of each class's members a random round(count * test), at least one, but so that `keep` are left; none
 * where test is 0. What is not drawn keeps its order.
 */
function drawTest(
  members: readonly number[],
  label: number,
  { test, keep, splitSeed }: { test: number; keep: number; splitSeed: number },
): { drawn: number[]; rest: readonly number[] } {
  if (test === 0) return { drawn: [], rest: members };
  const wanted = Math.max(1, Math.round(members.length * test));
  const count = Math.max(0, Math.min(wanted, members.length - keep));
  const order = permutation(members.length, randomStream(splitSeed, "split", label, TEST_STREAM));
  const chosen = new Set(order.subarray(0, count));
  return {
    drawn: members.filter((_, j) => chosen.has(j)),
    rest: members.filter((_, j) => !chosen.has(j)),
  };
}

/**
 * Stratified split: of each class a random round(count * validation) images validate, at least one
 * and never all. Class c is permuted by the stream (splitSeed, split, c), so that what happens in one
 * class moves nothing in another. The test part is drawn before, by a stream of its own; both fractions are
 * of the whole class.
 */
export function stratifiedSplit(options: SplitOptions): Parts {
  const { labels, classes, validation, test = 0, splitSeed } = options;
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  for (const [label, members] of byClass(labels, classes, () => true).entries()) {
    const { drawn, rest } = drawTest(members, label, { test, keep: 2, splitSeed });
    const wanted = Math.max(1, Math.round(members.length * validation));
    const count = Math.min(wanted, rest.length - 1);
    const order = permutation(rest.length, randomStream(splitSeed, "split", label));
    order.forEach((j, rank) => {
      parts[rank < count ? "validation" : "train"].push(at(rest, j, "members"));
    });
    parts.test.push(...drawn);
  }
  return {
    train: ascending(parts.train),
    validation: ascending(parts.validation),
    test: ascending(parts.test),
  };
}

/**
 * The parts that a source brings. A test part that it has not is drawn from what would train, so that the
 * validation part stays the source's own.
 */
export function givenParts(
  given: Uint8Array,
  options: Pick<SplitOptions, "labels" | "classes" | "test" | "splitSeed">,
): Parts {
  const { labels, classes, test = 0, splitSeed } = options;
  const numbers = Array.from(given, (_, i) => i);
  const validation = Int32Array.from(numbers.filter((i) => given[i] === VALIDATION));
  if (test === 0)
    return {
      train: Int32Array.from(numbers.filter((i) => given[i] === TRAIN)),
      validation,
      test: Int32Array.from(numbers.filter((i) => given[i] === TEST)),
    };
  const groups = byClass(labels, classes, (i) => given[i] === TRAIN).map((members, label) =>
    drawTest(members, label, { test, keep: 1, splitSeed }),
  );
  return {
    train: ascending(groups.flatMap(({ rest }) => rest)),
    validation,
    test: ascending(groups.flatMap(({ drawn }) => drawn)),
  };
}

export interface LimitOptions {
  readonly labels: Int32Array;
  readonly parts: Uint8Array | null;
  readonly classes: number;
  /** Images a class, at most. */
  readonly limit: number;
  readonly splitSeed: number;
}

/**
 * Draw at most `limit` items of each class; stream (splitSeed, split, class, 1 + part). Where the
 * source brings its own parts, both shrink in proportion, to no fewer than two and one; those of a test part
 * come on top, in the same proportion.
 * @returns item numbers, ascending
 */
export function limitItems({ labels, parts, classes, limit, splitSeed }: LimitOptions): Int32Array {
  const draw = (members: number[], count: number, label: number, part: number) => {
    const order = permutation(members.length, randomStream(splitSeed, "split", label, 1 + part));
    return Array.from(order.subarray(0, Math.max(0, count)), (j) => at(members, j, "members"));
  };
  const train = byClass(labels, classes, (i) => parts === null || parts[i] === TRAIN);
  const validation = byClass(labels, classes, (i) => parts !== null && parts[i] === VALIDATION);
  const tested = byClass(labels, classes, (i) => parts !== null && parts[i] === TEST);
  const chosen: number[] = [];
  for (const [label, t] of train.entries()) {
    const v = at(validation, label, "validation");
    const total = t.length + v.length;
    const e = at(tested, label, "tested");
    const tests = e.length === 0 ? 0 : Math.max(1, Math.round((limit * e.length) / total));
    chosen.push(...draw(e, Math.min(e.length, tests), label, TEST));
    if (total <= limit) {
      chosen.push(...t, ...v);
      continue;
    }
    const share = v.length === 0 ? 0 : Math.max(1, Math.round((limit * v.length) / total));
    chosen.push(...draw(t, Math.max(Math.min(2, limit), limit - share), label, TRAIN));
    chosen.push(...draw(v, Math.min(share, limit - 2), label, VALIDATION));
  }
  return ascending(chosen);
}

export interface CheckOptions {
  readonly source: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly parts: Parts;
  /** Whether a test part was asked for. */
  readonly tested?: boolean;
  /** Broken images of each class. */
  readonly broken: readonly number[];
}

/** @throws DataError for a class with fewer than two usable images, or none in one of the parts */
export function checkClasses(options: CheckOptions): void {
  const { source, classes, labels, parts, tested = false, broken } = options;
  const count = (numbers: Int32Array) => {
    const counts = new Array<number>(classes.length).fill(0);
    for (const i of numbers) {
      const label = at(labels, i, "labels");
      counts[label] = at(counts, label, "classes") + 1;
    }
    return counts;
  };
  const counts = [parts.train, parts.validation, parts.test].map(count);
  for (const [label, name] of classes.entries()) {
    const [train = 0, validation = 0, test = 0] = counts.map((of) => of[label]);
    const usable = train + validation + test;
    const lost = at(broken, label, "broken") > 0 ? ` (${broken[label]} broken)` : "";
    const remedy = "add images to it or remove it";
    if (usable < 2)
      throw new DataError(
        `${source}: class "${name}" has ${usable} usable image${usable === 1 ? "" : "s"}${lost}; at least two are needed: ${remedy}`,
      );
    if (validation === 0)
      throw new DataError(
        `${source}: class "${name}" has no usable image for validation${lost}; ${remedy}`,
      );
    if (train === 0)
      throw new DataError(
        `${source}: class "${name}" has no usable image to train on${lost}; ${remedy}`,
      );
    if (tested && test === 0)
      throw new DataError(
        `${source}: class "${name}" has no usable image to spare for the test part${lost}, as one trains and one validates; ${remedy}`,
      );
  }
}
