import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeExperiment } from "../../test/report/fake-records.ts";
import { armsOf } from "./figures/arms.ts";
import { counted, grouped, listed, milliseconds, percentSpread, short } from "./format.ts";
import { escapeText, html, trusted } from "./html.ts";
import { placeLabels } from "./labels.ts";
import { tenth, tenthText } from "./plot/line-plot.ts";
import { fitted, textWidth, wrapped } from "./text-width.ts";
import { decades, fractionDomain, integerTicks, linearTicks, rateDomain } from "./ticks.ts";

describe("html", () => {
  test("escapes every value but Markup, also within lists", () => {
    expect(html`<a title="${'"&'}">${["<b>", trusted("<i>")]}${null}${false}${0}</a>`.text).toBe(
      '<a title="&quot;&amp;">&lt;b&gt;<i>0</a>',
    );
  });
  test("what is escaped has nothing left that markup is made of", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escapeText(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});

describe("numbers of a figure", () => {
  // Ends of ranges, halves between two results, and what doubles make of them.
  const edges = [
    0.01, 0.1, 1, 10, 100, 0.12345, 1.2345, 12.345, 0.99995, 9.9995, 99.995, 1e-5, 1e5,
  ];
  const near = edges.flatMap((edge) => [edge, -edge, edge * (1 + 2 ** -52), edge * (1 - 2 ** -52)]);
  const all = fc.oneof(
    ...[
      fc.constantFrom(0, -0, ...near),
      fc.double({ noNaN: true, min: -200, max: 200 }),
      fc.double(),
    ],
    ...[fc.integer({ min: -2_000_000, max: 2_000_000 }).map((n) => n / 20_000)],
  );
  test("have four digits, as toPrecision has them", () => {
    fc.assert(
      fc.property(all, (value) => {
        expect(short(value) + 0).toBe(Number(value.toPrecision(4)) + 0);
      }),
      { numRuns: 20_000 },
    );
    expect(short(null)).toBeNull();
  });
  test("have the text of their tenth", () => {
    fc.assert(
      fc.property(all, (value) => {
        expect(tenthText(value)).toBe(`${tenth(value)}`);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("placeLabels", () => {
  const wishes = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), {
    minLength: 1,
    maxLength: 15,
  });
  const placesOf = (wanted: number[]) =>
    placeLabels(wanted, { gap: 16, low: 0, high: 300 }).map(({ placed }) => placed);

  test("labels lie a gap apart, within the frame, in the order of their wishes", () => {
    fc.assert(
      fc.property(wishes, (wanted) => {
        const placed = placesOf(wanted);
        const sorted = [...placed].sort((a, b) => a - b);
        expect(sorted[0]).toBeGreaterThanOrEqual(-1e-9);
        expect(sorted.at(-1)).toBeLessThanOrEqual(300 + 1e-9);
        for (let i = 1; i < sorted.length; i++)
          expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThanOrEqual(16 - 1e-9);
        for (const [i, a] of wanted.entries())
          for (const [j, b] of wanted.entries())
            if (a < b) expect(placed[i]).toBeLessThan(placed[j]!);
      }),
    );
  });
  test("labels with room stay where they are; crowded ones share the shift", () => {
    expect(placesOf([10, 100, 200])).toEqual([10, 100, 200]);
    expect(placesOf([100, 100])).toEqual([92, 108]);
    expect(placesOf([300, 299])).toEqual([300, 284]);
  });
});

describe("axes", () => {
  test("ticks are round and within the ends", () => {
    expect(linearTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(0.35, 0.65, 3)).toEqual([0.4, 0.5, 0.6]);
    expect(linearTicks(2, 2, 3)).toEqual([2]);
    expect(integerTicks(0, 3, 10)).toEqual([0, 1, 2, 3]);
    expect(decades(1e-7, 0.1)).toEqual([1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]);
    expect(decades(1e-7, 0.1, 4)).toEqual([1e-7, 1e-5, 1e-3, 1e-1]);
  });
  test("accuracies lie within their axis, and the axis within 0 .. 1", () => {
    const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(fractions, (values) => {
        const [low, high] = fractionDomain(values);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(high).toBeGreaterThan(low);
        expect(Math.min(...values)).toBeGreaterThanOrEqual(low - 1e-8);
        expect(Math.max(...values)).toBeLessThanOrEqual(high + 1e-8);
      }),
    );
  });
  test("an axis of rates always has a decade on it", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e3, noNaN: true }), (rate) => {
        const [low, high] = rateDomain([rate]);
        expect(decades(low, high).length).toBeGreaterThan(0);
      }),
    );
  });
});

test("numbers in words", () => {
  expect(grouped(1234567)).toBe("1,234,567");
  expect([counted(1, "class"), counted(2, "class"), counted(3, "seed")]).toEqual([
    "1 class",
    "2 classes",
    "3 seeds",
  ]);
  expect(listed(["a", "b", "c"])).toBe("a, b and c");
  expect(percentSpread({ mean: 0.6312, sd: 0.012 })).toBe("63.1 ± 1.2%");
  expect(percentSpread({ mean: 0.6312, sd: null })).toBe("63.1%");
  expect(percentSpread({ mean: null, sd: null })).toBe("–");
  expect([milliseconds(198.7), milliseconds(9.42), milliseconds(null)]).toEqual([
    "199",
    "9.4",
    "–",
  ]);
});

test("a label is cut to its room, never within a letter", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.integer({ min: 20, max: 300 }),
      (text, room) => {
        const cut = fitted(text, room);
        expect(textWidth(cut)).toBeLessThanOrEqual(room);
        if (cut !== text) {
          expect(cut.endsWith("…")).toBe(true);
          expect(text.startsWith(cut.slice(0, -1))).toBe(true);
        }
      },
    ),
  );
  expect(fitted("adam", 100)).toBe("adam");
  expect(fitted("naïve 🌷🌷🌷", 85)).toBe("naïve 🌷…");
});

test("a name without room is broken into two lines before anything of it is cut", () => {
  expect(wrapped("adam", 100)).toEqual(["adam"]);
  expect(wrapped("rmsprop@1e-2 − rmsprop@3.9e-5", 150)).toEqual([
    "rmsprop@1e-2 −",
    "rmsprop@3.9e-5",
  ]);
  expect(wrapped("layer4-uncached/adadelta", 150)).toEqual(["layer4-uncached/", "adadelta"]);
  expect(wrapped("averylongnamewithoutbreak", 100)).toEqual([
    fitted("averylongnamewithoutbreak", 100),
  ]);
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.integer({ min: 20, max: 300 }), (name, room) => {
      const lines = wrapped(name, room);
      expect(lines.length).toBeLessThanOrEqual(2);
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(room);
      if (lines.length === 2 && !lines.some((line) => line.endsWith("…")))
        expect(lines.join("").replaceAll(" ", "")).toBe(name.replaceAll(" ", ""));
    }),
  );
});

test("experiments side by side: the arm has the colour, but where all have the same one", () => {
  const looks = (...arms: string[]) => {
    const experiment = fakeExperiment();
    const named = arms.map((name, i) => ({ ...experiment.arms[0]!, name, slug: `${i}` }));
    const experiments = ["a", "b"].map((name) => ({ name, experiment }));
    const found = armsOf({ experiment: { ...experiment, arms: named }, trials: [], experiments });
    return found.map(({ look }) => look);
  };
  const [sgdA, adamA, adamB] = looks("a: sgd", "a: adam", "b: adam");
  expect(adamB!.colour).toBe(adamA!.colour);
  expect(adamB!.dash).not.toEqual(adamA!.dash);
  expect(sgdA!.colour).not.toBe(adamA!.colour);
  const [onlyA, onlyB] = looks("a: adam", "b: adam");
  expect(onlyA!.colour).not.toBe(onlyB!.colour);
});
