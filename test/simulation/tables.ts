/** @file The cells that are simulated, and the tables of docs/guide/statistics.md that come of them. */

import { seedsNeeded } from "../../src/analysis/index.ts";
import { type Cell, type Rates, simulate } from "./experiments.ts";

export interface Plan {
  /** Experiments a cell; fewer where an experiment is made image by image. */
  readonly experiments: number;
  /** Told after each cell. */
  readonly onCell?: (text: string) => void;
}

const SEEDS = [3, 5, 6, 8, 12] as const;
const FEW_SEEDS = [3, 6, 12] as const;
/** A cell of images costs as much as several others. */
const OF_IMAGES = 0.4;

/** A part of all in percent, "4.7"; in bold where it misses what is said of it by more than chance. */
export const cell = (part: number | null, misses: (part: number) => boolean): string => {
  if (part === null) return "–";
  const text = (100 * part).toFixed(1);
  return misses(part) ? `**${text}**` : text;
};

/** Two standard errors of a part of so many. */
export const slack = (part: number, of: number) => 2 * Math.sqrt((part * (1 - part)) / of);

/** More than 5%, by more than the simulation's own error. */
const above = (experiments: number) => (part: number) => part - slack(0.05, experiments) > 0.05;

/** Outside 93 to 97%, by more than the simulation's own error. */
const outside = (experiments: number) => (part: number) =>
  part + slack(0.93, experiments) < 0.93 || part - slack(0.97, experiments) > 0.97;

/** Equal arms, every trial done. */
export const EQUAL: readonly {
  readonly noise: Cell["noise"];
  readonly arms: number;
  readonly images?: number;
}[] = [
  ...(["normal", "heavy tails", "skewed"] as const).flatMap((noise) =>
    [2, 3, 6].map((arms) => ({ noise, arms })),
  ),
  { noise: "one skewed", arms: 2 },
  { noise: "one skewed", arms: 6 },
  { noise: "uneven", arms: 6 },
  { noise: "normal", arms: 2, images: 60 },
  { noise: "normal", arms: 6, images: 60 },
];

/** All tables, in Markdown. */
export function tables({ experiments, onCell = () => {} }: Plan): string {
  let key = 0;
  const run = (of: Cell, count = experiments): Rates => {
    const rates = simulate(of, count, key++);
    onCell(`${JSON.stringify(of)} ${JSON.stringify(rates)}`);
    return rates;
  };
  return [equalArms, differing, missing, overImages, power]
    .map((table) => table(run, experiments))
    .join("\n\n");
}

type Run = (cell: Cell, experiments?: number) => Rates;

export const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map((_, i) => (i === 0 ? ":--" : "--:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");

function equalArms(run: Run, experiments: number): string {
  const rows = EQUAL.map((of) => ({
    name: `${of.noise}, ${of.arms} arms${of.images ? `, ${of.images} images` : ""}`,
    rates: SEEDS.map((seeds) => run({ ...of, seeds })),
  }));
  const head = (first: string) => [first, ...SEEDS.map((seeds) => `${seeds} seeds`)];
  const of = (read: (rates: Rates) => string) =>
    rows.map(({ name, rates }) => [name, ...rates.map(read)]);
  const coverage = outside(experiments);
  return [
    "Equal arms: experiments in which any pair was called apart, in percent.",
    table(
      head("noise"),
      of((rates) => cell(rates.false, above(experiments))),
    ),
    "The same experiments: 95% intervals of a difference between two arms that held the truth, in percent.",
    table(
      head("noise"),
      of((rates) => cell(rates.pairCoverage, coverage)),
    ),
    "95% intervals of the accuracy of the second arm.",
    table(
      head("noise"),
      of((rates) => cell(rates.armCoverage, coverage)),
    ),
  ].join("\n\n");
}

function differing(run: Run, experiments: number): string {
  const rows = [2, 6].flatMap((arms) =>
    (["normal", "heavy tails"] as const).flatMap((noise) =>
      [1, 2].map((effect) => ({ arms, noise, effect })),
    ),
  );
  return [
    "One arm better by so many standard deviations of a paired difference: experiments in which it was called apart from the second by both tests, and in brackets those in which anything was claimed that is not so.",
    table(
      ["noise", ...FEW_SEEDS.map((seeds) => `${seeds} seeds`)],
      rows.map((of) => [
        `${of.noise}, ${of.arms} arms, better by ${of.effect}`,
        ...FEW_SEEDS.map((seeds) => {
          const rates = run({ ...of, seeds });
          return `${(100 * rates.found).toFixed(1)} (${cell(rates.false, above(experiments))})`;
        }),
      ]),
    ),
  ].join("\n\n");
}

function missing(run: Run, experiments: number): string {
  const rows = (["hard seeds", "pruned"] as const).flatMap((what) =>
    [3, 6].flatMap((arms) =>
      (["normal", "skewed"] as const).map((noise) => ({ missing: what, arms, noise })),
    ),
  );
  const seeds = [5, 8, 12];
  return [
    "Equal arms with trials missing, those of one arm on hard seeds or those that a median rule prunes: experiments in which any pair was called apart, and in brackets those whose leader was behind the next on the seeds that both finished.",
    table(
      ["missing", ...seeds.map((count) => `${count} seeds`)],
      rows.map((of) => [
        `${of.missing}, ${of.noise}, ${of.arms} arms`,
        ...seeds.map((count) => {
          const rates = run({ ...of, seeds: count });
          return `${cell(rates.false, above(experiments))} (${cell(rates.leaderBehind, (part) => part > 0)})`;
        }),
      ]),
    ),
  ].join("\n\n");
}

function overImages(run: Run, experiments: number): string {
  const count = Math.max(20, Math.round(experiments * OF_IMAGES));
  const rows = [60, 173, 864].flatMap((images) => [0.5, 1].map((taste) => ({ images, taste })));
  return [
    "Two arms that are equal over all images there are, on a part of so many: experiments in which they were called apart on these images (where they may well differ), and in brackets those in which that was claimed for other images too.",
    table(
      ["images, taste in logits", ...FEW_SEEDS.map((seeds) => `${seeds} seeds`)],
      rows.map((of) => [
        `${of.images}, ${of.taste}`,
        ...FEW_SEEDS.map((seeds) => {
          const rates = run({ ...of, arms: 2, noise: "normal", seeds }, count);
          return `${(100 * rates.false).toFixed(1)} (${cell(rates.falseBeyond, above(count))})`;
        }),
      ]),
    ),
  ].join("\n\n");
}

/** Seeds that are named for power 0.8, and how often so many find the difference. */
function power(run: Run, experiments: number): string {
  const rows = [2, 6].flatMap((arms) =>
    [1, 1.5, 2, 3].map((effect) => {
      const seeds = seedsNeeded(effect, (arms * (arms - 1)) / 2)!;
      const { found } = run({ arms, effect, seeds, noise: "normal" });
      const short = found + slack(0.8, experiments) < 0.8;
      return [`${arms} arms, better by ${effect}`, `${seeds}`, cell(found, () => short)];
    }),
  );
  return [
    "Seeds that are named for power 0.8, and how often so many called the arms apart by both tests, in percent.",
    table(["difference", "seeds", "found"], rows),
  ].join("\n\n");
}
