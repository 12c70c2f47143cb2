import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arrangeMarks } from "../figures/range-test.ts";
import { escapeText } from "../html.ts";
import { placeLabels } from "../labels.ts";
import { pageScript } from "../live/script.ts";
import { simplified } from "../simplify.ts";
import { textWidth } from "../text-width.ts";
import { logRateAxis, numberAxis, secondsAxis } from "./axes.ts";
import { bandPath, drawLines, type LinePlot, linePath, pixelOf } from "./line-plot.ts";

describe("paths", () => {
  test("a line breaks at gaps", () => {
    expect(linePath([[0, 0], [1, 2], null, [3, 4.06]])).toBe("M0,0L1,2M3,4.1");
    expect(linePath([null, null])).toBe("");
  });
  test("a band goes along its lower edge and back along its upper one, and breaks at gaps of either", () => {
    const low = [[0, 5], [1, 5], null, [3, 5], [4, 5]] as const;
    const high = [
      [0, 1],
      [1, 2],
      [2, 2],
      [3, 3],
      [4, 4],
    ] as const;
    expect(bandPath(low, high)).toBe("M0,5L1,5L1,2L0,1ZM3,5L4,5L4,4L3,3Z");
    // A single point has no area.
    expect(bandPath([[0, 1]], [[0, 2]])).toBe("");
  });
});

describe("axes", () => {
  test("a log axis has its geometric mean in the middle, a linear one its mean", () => {
    expect(pixelOf(logRateAxis("", [1e-4, 1]), 1e-2, 300)).toBeCloseTo(150, 9);
    expect(pixelOf(numberAxis("", [2, 4]), 3, 300)).toBeCloseTo(150, 9);
  });
  test("time is told in the unit that suits it, ticks in seconds", () => {
    expect(secondsAxis(100).title).toMatch(/^seconds/);
    const axis = secondsAxis(7200);
    expect(axis.title).toMatch(/^minutes/);
    expect(axis.ticks[1]).toEqual({ at: 1200, text: "20" });
    expect(secondsAxis(36_000).title).toMatch(/^hours/);
  });
});

const axis = numberAxis("loss", [0, 10]);
const frame = { height: 100, top: 0, right: 0, bottom: 0, left: 0 };
const plot: LinePlot = {
  name: "example",
  x: [axis, logRateAxis("rate", [1, 100])],
  y: [axis, logRateAxis("log", [1, 100])],
  frames: [frame, frame],
  bands: [],
  lines: [
    {
      key: "a",
      name: "a",
      colour: "red",
      dash: [1, 0],
      x: [
        [0, 5, 10],
        [0, 10, 100],
      ],
      y: [0, 5, 10],
    },
    {
      key: "b",
      name: "<b>",
      colour: "blue",
      dash: [2, 2],
      x: [[0, 10]],
      y: [1, 1],
      labels: ["<b>", "b"],
    },
  ],
};
const drawn = (view: { x?: number; y?: number; hidden?: string[] }) =>
  drawLines(
    plot,
    { width: 100, x: 0, y: 0, band: "", hidden: [], ...view },
    { placeLabels, escapeText },
  );

describe("drawLines", () => {
  test("points lie where the axes put them", () => {
    expect(drawn({})).toContain('d="M0,100L50,50L100,0"');
  });
  test("another axis takes its own x values; what a log axis does not have is left out", () => {
    expect(drawn({ x: 1 })).toContain('d="M50,50L100,0"');
    expect(drawn({ y: 1 })).toContain(
      `d="M50,${100 - Math.round(500 * Math.log10(5)) / 10}L100,50"`,
    );
  });
  test("what is hidden is not drawn, nor labelled", () => {
    expect(drawn({ hidden: ["b"] })).not.toContain("blue");
    expect(drawn({ hidden: ["a"] })).not.toContain('stroke="red"');
  });
  test("text is escaped", () => {
    const wide = drawLines(
      plot,
      { width: 800, x: 0, y: 0, band: "", hidden: [] },
      { placeLabels, escapeText },
    );
    expect(wide).toContain(">&lt;b&gt;</text>");
  });
});

test("a simplified line passes every point that it leaves out within the tolerance", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 60 }),
      fc.double({ min: 0.001, max: 0.3, noNaN: true }),
      (values, tolerance) => {
        const points = values.map((lr, update) => ({ update, lr }));
        const kept = simplified(points, tolerance);
        for (const { update, lr } of points) {
          const after = kept.findIndex((point) => point.update >= update);
          const [a, b] = [kept[Math.max(0, after - 1)]!, kept[after]!];
          const part = b.update === a.update ? 0 : (update - a.update) / (b.update - a.update);
          expect(Math.abs(a.lr + part * (b.lr - a.lr) - lr)).toBeLessThanOrEqual(tolerance + 1e-12);
        }
      },
    ),
  );
});

test("labels of a range test's marks have rows of their own, and cross no line of their side", () => {
  const rates = fc.uniqueArray(fc.double({ min: -5, max: 0, noNaN: true }), {
    minLength: 1,
    maxLength: 7,
  });
  fc.assert(
    fc.property(rates, (exponents) => {
      const xs = exponents.map((exponent) => 10 ** exponent).sort((a, b) => a - b);
      const marks = xs.map((x, i) => ({ x, text: `rule ${i}` }));
      const rateAxis = logRateAxis("", [1e-5, 1]);
      const placed = arrangeMarks(marks, rateAxis, 700);
      expect([...placed.map(({ row }) => row)].sort()).toEqual(xs.map((_, i) => i));
      for (const [i, { row, side }] of placed.entries())
        for (const [j, other] of placed.entries()) {
          if (i === j || other.side !== side || other.row < row) continue;
          const [from, to] = [xs[i]!, xs[j]!].map((x) => pixelOf(rateAxis, x, 700));
          const distance = side === "right" ? to! - from! : from! - to!;
          expect(distance <= 0 || distance >= textWidth(marks[i]!.text)).toBe(true);
        }
    }),
  );
});

test("the page's script is one expression that parses, and closes no element", () => {
  const script = pageScript();
  expect(() => new Function(script)).not.toThrow();
  expect(script).not.toMatch(/<\/script/i);
});
