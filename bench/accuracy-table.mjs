// The table of bench/paired-accuracy.ts: each seed's accuracies by two ways to compute, their mean and its interval.
const { tInterval } = await import("../dist/analysis/statistics/student-t.js");

/** Of two ways to compute, on paired seeds: bench/paired-accuracy.ts. */
export function accuracyTable(accuracy, { sides, titles: [first, second] }, table) {
  const seeds = [...new Set(accuracy.lines.map(({ seed }) => seed))];
  const of = (seed, side) =>
    accuracy.lines.find((line) => line.seed === seed && line.side === side);
  const scores = Object.entries({ final: "final", best: "best epoch", late: "last third" }).filter(
    ([which]) => accuracy.lines.every((line) => line[which] !== undefined),
  );
  const mean = (pick) => seeds.reduce((sum, seed) => sum + pick(seed), 0) / seeds.length;
  const interval = ([which]) => {
    const { low, high } = tInterval(
      seeds.map((seed) => of(seed, sides[0])[which] - of(seed, sides[1])[which]),
    );
    return ["", "", `${low.toFixed(4)} to ${high.toFixed(4)}`];
  };
  const row = (name, pick) => [
    name,
    ...scores.flatMap(([which]) => {
      const [one, other] = sides.map((side) => pick((seed) => of(seed, side)[which]));
      return [one.toFixed(4), other.toFixed(4), (one - other).toFixed(4)];
    }),
  ];
  return table(
    ["seed", ...scores.flatMap(([, title]) => [`${first}, ${title}`, second, "difference"])],
    [
      ...seeds.map((seed) => row(seed, (pick) => pick(seed))),
      row("mean", mean),
      ["95% t interval", ...scores.flatMap(interval)],
    ],
  );
}
