import { describe, expect, test } from "vitest";
import { fakeComparison } from "../../../test/report/fake-records.ts";
import { spreadOf } from "../../analysis/index.ts";
import type { TrialHistory } from "../../record/index.ts";
import { short } from "../format.ts";
import { BANDS, bandsOf, measuredCurve } from "./arm-curve.ts";
import type { Measure } from "./arms.ts";

const { trials: all } = fakeComparison({
  arms: ["adam"],
  seeds: 5,
  diverged: { adam: [null, 3, null, null, 6] },
});

/** Seeds that ended early, an epoch that was not validated, and values of many sizes. */
const trials = all.map(
  ({ trial, metrics }, seed): TrialHistory => ({
    trial,
    metrics: metrics.map((line, i) => ({
      ...line,
      validationLoss:
        i === 2 ? null : line.validationLoss === null ? null : line.validationLoss * 10 ** (i - 4),
      validationAccuracy: i === 2 || (i === 4 && seed > 1) ? null : line.validationAccuracy,
    })),
  }),
);

describe("an arm's curve", () => {
  test.each<Measure>(["validationLoss", "validationAccuracy", "trainLoss", "trainAccuracy"])(
    "of %s is over all seeds and all epochs, as spreadOf has each",
    (measure) => {
      const curve = measuredCurve(trials, measure);
      const length = Math.max(...trials.map(({ metrics }) => metrics.length));
      const spreads = Array.from({ length }, (_, i) =>
        spreadOf(trials.map(({ metrics }) => metrics[i]?.[measure] ?? null)),
      )
        .map((spread, i) => ({ ...spread, epoch: i + 1 }))
        .filter(({ mean }) => mean !== null);
      const present = spreads.map(({ values }) => values.filter((value) => value !== null));
      expect(curve?.epochs).toEqual(spreads.map(({ epoch }) => epoch));
      expect(curve?.mean).toEqual(spreads.map(({ mean }) => mean));
      expect(curve?.n).toEqual(present.map((values) => values.length));
      expect(curve?.least).toBe(Math.min(...present.flat()));
      expect(curve?.greatest).toBe(Math.max(...present.flat()));
      const bands = curve?.drawn.bands;
      expect(bands?.range.low).toEqual(present.map((values) => short(Math.min(...values))));
      expect(bands?.range.high).toEqual(present.map((values) => short(Math.max(...values))));
      expect(bands?.interval).toEqual({
        low: spreads.map(({ interval }) => short(interval?.low ?? null)),
        high: spreads.map(({ interval }) => short(interval?.high ?? null)),
      });
      expect(bands?.sd.low).toEqual(
        spreads.map(({ mean, sd }) => (mean === null || sd === null ? null : short(mean - sd))),
      );
      // A report keeps the bands as JSON.
      expect(curve && JSON.parse(JSON.stringify(bandsOf(curve, BANDS)))).toEqual(
        JSON.parse(JSON.stringify(bands)),
      );
    },
  );

  test("is worked out again where one seed has a new line, and only then", () => {
    const before = measuredCurve(trials, "trainLoss");
    expect(
      measuredCurve(
        trials.map((each) => ({ ...each })),
        "trainLoss",
      ),
    ).toBe(before);
    const [first, ...others] = trials as [TrialHistory, ...TrialHistory[]];
    const cut = [
      first,
      ...others.map(({ trial, metrics }) => ({ trial, metrics: metrics.slice(0, 1) })),
    ];
    expect(measuredCurve(cut, "trainLoss")?.n).toEqual([5, ...first.metrics.slice(1).map(() => 1)]);
  });
});
