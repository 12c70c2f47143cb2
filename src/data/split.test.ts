import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TRAIN, VALIDATION } from "./source.ts";
import { checkClasses, givenParts, limitItems, stratifiedSplit } from "./split.ts";

/** Counts of 2 - 40 images for 2 - 6 classes, interleaved in some order. */
const labelsOf = (counts: readonly number[]) =>
  Int32Array.from(
    counts
      .flatMap((count, label) =>
        Array.from({ length: count }, (_, i) => [i * 7919 + label, label] as const),
      )
      .sort((a, b) => a[0] - b[0])
      .map(([, label]) => label),
  );
const counts = fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 2, maxLength: 6 });
const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });
const seed = fc.integer({ min: 0, max: 2 ** 31 });

describe("stratified split", () => {
  test("is disjoint, complete, ascending, stratified within one image, and repeatable", () => {
    fc.assert(
      fc.property(counts, fraction, seed, (perClass, validation, splitSeed) => {
        const labels = labelsOf(perClass);
        const options = { labels, classes: perClass.length, validation, splitSeed };
        const parts = stratifiedSplit(options);
        const all = [...parts.train, ...parts.validation].sort((a, b) => a - b);
        expect(all).toEqual(Array.from(labels, (_, i) => i));
        for (const part of [parts.train, parts.validation])
          expect(part.every((image, i) => i === 0 || part[i - 1]! < image)).toBe(true);
        perClass.forEach((count, label) => {
          const drawn = parts.validation.filter((i) => labels[i] === label).length;
          expect(Math.abs(drawn - count * validation)).toBeLessThanOrEqual(1);
          expect(drawn).toBeGreaterThanOrEqual(1);
          expect(drawn).toBeLessThan(count);
        });
        expect(stratifiedSplit(options)).toEqual(parts);
      }),
    );
  });

  test("another seed draws other images", () => {
    const labels = labelsOf([40, 40]);
    const draw = (splitSeed: number) =>
      stratifiedSplit({ labels, classes: 2, validation: 0.5, splitSeed }).validation;
    expect(draw(0)).not.toEqual(draw(1));
  });

  test("a class's draw does not depend on the other classes", () => {
    const first = (labels: Int32Array, classes: number) =>
      stratifiedSplit({ labels, classes, validation: 0.3, splitSeed: 4 }).validation.filter(
        (i) => labels[i] === 0,
      );
    const alone = Int32Array.from([...Array(20).fill(0), ...Array(5).fill(1)]);
    const crowded = Int32Array.from([
      ...Array(20).fill(0),
      ...Array(30).fill(1),
      ...Array(9).fill(2),
    ]);
    expect(first(alone, 2)).toEqual(first(crowded, 3));
  });

  test("counts of the published data set", () => {
    const labels = labelsOf([764, 1052, 784, 733, 984]);
    const { train, validation } = stratifiedSplit({
      labels,
      classes: 5,
      validation: 0.2,
      splitSeed: 0,
    });
    expect([train.length, validation.length]).toEqual([3453, 864]);
  });
});

describe("limit", () => {
  test("at most N of each class, drawn by the seed, in both parts in proportion", () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 3, max: 30 }), seed, (perClass, limit, splitSeed) => {
        const labels = labelsOf(perClass);
        const parts = Uint8Array.from(labels, (_, i) => (i % 3 === 0 ? VALIDATION : TRAIN));
        for (const given of [null, parts]) {
          const items = limitItems({
            labels,
            parts: given,
            classes: perClass.length,
            limit,
            splitSeed,
          });
          expect(new Set(items).size).toBe(items.length);
          perClass.forEach((count, label) => {
            const kept = items.filter((i) => labels[i] === label).length;
            expect(kept).toBeLessThanOrEqual(limit);
            if (given === null) expect(kept).toBe(Math.min(limit, count));
          });
        }
      }),
    );
  });

  test("parts that a source brings keep their proportion", () => {
    const labels = new Int32Array(700);
    const parts = Uint8Array.from(labels, (_, i) => (i < 600 ? TRAIN : VALIDATION));
    const items = limitItems({ labels, parts, classes: 1, limit: 70, splitSeed: 0 });
    expect([items.filter((i) => i < 600).length, items.filter((i) => i >= 600).length]).toEqual([
      60, 10,
    ]);
  });
});

describe("classes that cannot be used", () => {
  const check = (labels: number[], parts: number[], broken = [0, 0]) =>
    checkClasses({
      source: "pets",
      classes: ["cat", "dog"],
      labels: Int32Array.from(labels),
      parts: givenParts(Uint8Array.from(parts)),
      broken,
    });
  test("fewer than two usable images", () => {
    expect(() => check([0, 0, 1], [0, 1, 0], [0, 3])).toThrow(
      'pets: class "dog" has 1 usable image (3 broken); at least two are needed: add images to it or remove it',
    );
  });
  test("none for validation, none to train on", () => {
    expect(() => check([0, 0, 1, 1], [0, 1, 0, 0])).toThrow(
      'class "dog" has no usable image for validation',
    );
    expect(() => check([0, 0, 1, 1], [0, 1, 1, 1])).toThrow(
      'class "dog" has no usable image to train on',
    );
  });
  test("two of each pass", () => {
    expect(() => check([0, 0, 1, 1], [0, 1, 0, 1])).not.toThrow();
  });
});
