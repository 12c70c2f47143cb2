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

describe("the test part", () => {
  const labels = labelsOf([30, 9, 3]);
  const options = { labels, classes: 3, validation: 0.2, splitSeed: 5 };
  const perClass = (part: Int32Array) =>
    [0, 1, 2].map((label) => part.filter((i) => labels[i] === label).length);

  test("is drawn of each class, beside the other two, all together being everything", () => {
    const { train, validation, test: kept } = stratifiedSplit({ ...options, test: 0.1 });
    const all = [...train, ...validation, ...kept].sort((a, b) => a - b);
    expect(all).toEqual(Array.from(labels, (_, i) => i));
    expect([train, validation, kept].map(perClass)).toEqual([
      [21, 6, 1],
      [6, 2, 1],
      [3, 1, 1],
    ]);
  });

  test("without one, the split is what it was", () => {
    expect(stratifiedSplit({ ...options, test: 0 })).toEqual(stratifiedSplit(options));
    expect(stratifiedSplit(options).test).toHaveLength(0);
  });

  test("does not move when the validation part grows", () => {
    const [a, b] = [0.2, 0.4].map((validation) =>
      stratifiedSplit({ ...options, validation, test: 0.2 }),
    );
    expect(b!.test).toEqual(a!.test);
  });

  test("of given parts is taken from what would train", () => {
    const given = Uint8Array.from(labels, (_, i) => (i % 3 === 0 ? VALIDATION : TRAIN));
    const without = givenParts(given, options);
    const { train, validation, test: kept } = givenParts(given, { ...options, test: 0.1 });
    expect(validation).toEqual(without.validation);
    expect(kept.length).toBeGreaterThan(0);
    expect([...train, ...kept].sort((a, b) => a - b)).toEqual([...without.train]);
  });

  test("a class that cannot spare an image is refused", () => {
    const few = labelsOf([30, 2]);
    const split = { labels: few, classes: 2, validation: 0.2, test: 0.1, splitSeed: 0 };
    const classes = ["cat", "dog"];
    const parts = stratifiedSplit(split);
    expect(() =>
      checkClasses({ source: "pets", classes, labels: few, parts, tested: true, broken: [0, 0] }),
    ).toThrow('class "dog" has no usable image to spare for the test part');
  });
});

describe("classes that cannot be used", () => {
  const check = (labels: number[], parts: number[], broken = [0, 0]) =>
    checkClasses({
      source: "pets",
      classes: ["cat", "dog"],
      labels: Int32Array.from(labels),
      parts: givenParts(Uint8Array.from(parts), {
        labels: Int32Array.from(labels),
        classes: 2,
        splitSeed: 0,
      }),
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
