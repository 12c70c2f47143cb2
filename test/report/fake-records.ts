/** @file Records of experiments that were never run: plausible, seeded, for tests of the report. */

import { smooth, suggest } from "../../src/analysis/index.ts";
import { type RandomStream, randomStream } from "../../src/core/random.ts";
import type {
  ArmConfusion,
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  TrialHistory,
  TrialRecord,
} from "../../src/record/index.ts";
import type { ReportInput } from "../../src/report/index.ts";
import { scheduleFromJSON } from "../../src/schedules/index.ts";

const UPDATES_PER_EPOCH = 54;

/** Arms of the published experiment: where validation accuracy tends to, how fast, how steadily. */
const ARMS = [
  { name: "sgd+clr", rate: null, ends: 0.8, epochs: 14, wobble: 0.012 },
  { name: "adagrad", rate: 1e-2, ends: 0.71, epochs: 16, wobble: 0.01 },
  { name: "adadelta", rate: 1, ends: 0.765, epochs: 20, wobble: 0.018 },
  { name: "rmsprop", rate: 1e-2, ends: 0.63, epochs: 26, wobble: 0.035 },
  { name: "adam", rate: 1e-3, ends: 0.77, epochs: 15, wobble: 0.02 },
  { name: "adamax", rate: 2e-3, ends: 0.755, epochs: 17, wobble: 0.016 },
] as const;

const slug = (name: string) => name.replace(/[^a-z0-9]+/g, "-");

/** Approximately normal, mean 0, deviation 1. */
const normal = (stream: RandomStream) =>
  Array.from({ length: 12 }, () => stream.uniform()).reduce((sum, u) => sum + u, -6);

export interface FakeOptions {
  readonly epochs?: number;
  readonly seeds?: number;
  readonly arms?: readonly string[];
  /** Arms that diverge, by name, and the epoch in which each seed does; others are done. */
  readonly diverged?: Readonly<Record<string, readonly (number | null)[]>>;
}

export function fakeExperiment({
  epochs = 10,
  seeds = 3,
  arms,
}: FakeOptions = {}): ExperimentRecord {
  return {
    formatVersion: 1,
    kind: "compare",
    created: "2025-01-02T03:04:05.000Z",
    lrscope: "0.1.0",
    engine: "oneDNN 2.6.3, avx512, 2 threads",
    machine: {
      processor: "Example processor at 2.50 GHz",
      cores: 2,
      memoryGiB: 8,
      platform: "linux x64",
      node: "v20.19.0",
    },
    dataset: {
      name: "flowers",
      fingerprint: "5e1f0c7a".repeat(8),
      images: 4321,
      channels: 3,
      size: 128,
      classes: [
        { name: "daisy", count: 768, train: 615, validation: 153 },
        { name: "dandelion", count: 1052, train: 842, validation: 210 },
        { name: "rose", count: 784, train: 627, validation: 157 },
        { name: "sunflower", count: 734, train: 587, validation: 147 },
        { name: "tulip", count: 983, train: 786, validation: 197 },
      ],
      mean: [0.458, 0.421, 0.301],
      std: [0.287, 0.262, 0.286],
      broken: [{ file: "tulip/short.jpg", reason: "the JPEG ends early" }],
    },
    model: { name: "vanilla", parameters: 4_436_165 },
    protocol: {
      epochs,
      batch: 64,
      seeds: Array.from({ length: seeds }, (_, seed) => seed),
      updatesPerEpoch: UPDATES_PER_EPOCH,
      augment: "photos: flip, rotation, crop",
      validation: 0.2,
      splitSeed: 0,
      dropLast: false,
      precision: "fp32",
      threads: 2,
      momentum: 0,
      weightDecay: 0,
      clip: null,
      labelSmoothing: 0,
    },
    arms: chosen(arms).map(({ name, rate }) => ({
      name,
      slug: slug(name),
      optimizer: name.split("+")[0]!,
      schedule: name.split("+")[1] ?? null,
      learningRate: rate,
    })),
  };
}

const chosen = (names?: readonly string[]) =>
  ARMS.filter(({ name }) => names === undefined || names.includes(name));

export function fakeRangeTest({
  seeds = 3,
  points = 108,
  from = 1e-5,
  to = 10,
  diverges = false,
  reading = "averaged" as RangeTestRecord["reading"],
} = {}): RangeTestRecord {
  const runs = Array.from({ length: seeds }, (_, seed) => {
    const stream = randomStream(seed, "synthetic", 7);
    let progress = 0;
    const losses: (number | null)[] = [];
    const lrs = Array.from({ length: points }, (_, i) => from * (to / from) ** (i / (points - 1)));
    for (const lr of lrs) {
      progress += 0.09 * Math.min(1, lr / 0.05) * (1 + 0.2 * normal(stream));
      const explosion = lr > 0.9 ? (lr / 0.9) ** 2.4 - 1 : 0;
      const loss = 1.03 + 0.62 * Math.exp(-progress) + 0.07 * normal(stream) + 0.35 * explosion;
      losses.push(diverges && lr > 4 ? null : loss);
    }
    const end = losses.indexOf(null);
    const kept = end < 0 ? losses : losses.slice(0, end + 1);
    const smoothed = smooth(kept);
    return {
      seed,
      points: kept.map((loss, update) => ({
        update,
        lr: lrs[update]!,
        loss,
        smoothedLoss: smoothed[update]!,
      })),
    };
  });
  return {
    formatVersion: 2,
    arm: "sgd+clr",
    optimizer: "sgd",
    ...{ from, to, updates: points, epochs: 2 },
    ...{ ramp: "exponential", loss: "train", smoothing: "published", reading },
    runs,
    ...suggest(runs, { reading, from, to }),
    seconds: 61.5,
  };
}

export function fakeTrials(options: FakeOptions = {}): TrialHistory[] {
  const { epochs = 10, seeds = 3, diverged = {} } = options;
  return chosen(options.arms).flatMap((arm, ordinal) =>
    Array.from({ length: seeds }, (_, seed) => {
      const stream = randomStream(seed, "synthetic", 1, ordinal);
      const spec =
        arm.rate === null
          ? { type: "triangular", base: 0.0163, max: 0.0979, stepSize: 4 * UPDATES_PER_EPOCH }
          : { type: "constant", rate: arm.rate };
      const schedule = scheduleFromJSON(spec);
      const stop = diverged[arm.name]?.[seed] ?? null;
      const last = stop ?? epochs;
      const luck = 0.012 * normal(stream);
      const metrics = Array.from({ length: last }, (_, i): EpochMetrics => {
        const epoch = i + 1;
        const update = epoch * UPDATES_PER_EPOCH;
        const done = 1 - Math.exp(-epoch / arm.epochs) * 0.75;
        const start = 0.3;
        const isLost = epoch === stop;
        const validation = start + (arm.ends + luck - start) * done + arm.wobble * normal(stream);
        const training = start + (arm.ends * 1.17 - start) * done + 0.006 * normal(stream);
        return {
          epoch,
          update,
          lr: schedule(update - 1),
          trainLoss: isLost ? null : -Math.log(Math.min(0.99, training)),
          trainAccuracy: isLost ? null : Math.min(0.985, training),
          validationLoss: isLost ? null : -Math.log(validation),
          validationAccuracy: isLost ? null : validation,
          seconds: 11.2,
          ...(isLost ? { diverged: true } : {}),
        };
      });
      const trial: TrialRecord = {
        formatVersion: 1,
        arm: arm.name,
        slug: slug(arm.name),
        seed,
        optimizer: { name: arm.name.split("+")[0]!, hyperparameters: {} },
        schedule: spec,
        learningRateSource:
          arm.rate === null ? "range test: 0.0979" : `default of ${arm.name}: ${arm.rate}`,
        updatesPerEpoch: UPDATES_PER_EPOCH,
        epochs,
        status: stop === null ? "done" : "diverged",
        divergence:
          stop === null
            ? null
            : { update: stop * UPDATES_PER_EPOCH - 20, learningRate: 0.05, epoch: stop },
        failure: null,
        msPerStep: 190 + 6 * stream.uniform() + ordinal,
        seconds: last * 11.2,
      };
      return { trial, metrics };
    }),
  );
}

/** A comparison as `compare` leaves it. */
export function fakeComparison(options: FakeOptions = {}): ReportInput {
  return {
    experiment: fakeExperiment(options),
    summary: null,
    rangeTests: [fakeRangeTest({ seeds: options.seeds ?? 3 })],
    trials: fakeTrials(options),
    samples: [],
  };
}

/** A little picture as a data URI: a flower of so many petals, turned. */
export function fakePhoto(hue: number, turn: number): string {
  const petals = Array.from(
    { length: 7 },
    (_, i) =>
      `<ellipse cx="32" cy="16" rx="7" ry="14" fill="hsl(${hue} 70% 60%)" transform="rotate(${turn + (i * 360) / 7} 32 32)"/>`,
  ).join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="hsl(${hue + 90} 35% 30%)"/>${petals}<circle cx="32" cy="32" r="8" fill="#e8b93c"/></svg>`;
  return `data:image/svg+xml;base64,${btoa(svg)}`;
}

export const fakeSamples = () =>
  ["daisy", "dandelion", "rose", "sunflower", "tulip"].map((className, i) => ({
    className,
    original: fakePhoto(i * 60, 0),
    augmented: [1, 2, 3, 4, 5].map((k) => fakePhoto(i * 60 + k * 5, k * 11)),
  }));

/** Where adam's weights took one flower for another, with two of the surest mistakes. */
export function fakeConfusions(): ArmConfusion[] {
  const classes = ["daisy", "dandelion", "rose", "sunflower", "tulip"];
  const counts = [
    [380, 40, 14, 10, 15],
    [31, 540, 9, 35, 15],
    [12, 10, 330, 8, 111],
    [6, 28, 9, 372, 26],
    [15, 11, 121, 24, 420],
  ];
  return [
    {
      arm: "adam",
      part: "validation",
      classes,
      counts,
      mistakes: [
        {
          seed: 0,
          truth: "rose",
          answer: "tulip",
          probability: 0.994,
          file: "rose/17.jpg",
          image: fakePhoto(0, 4),
        },
        {
          seed: 2,
          truth: "tulip",
          answer: "rose",
          probability: 0.981,
          file: "tulip/3.jpg",
          image: null,
        },
      ],
    },
  ];
}
