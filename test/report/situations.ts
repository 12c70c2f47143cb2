/** @file Reports of what a comparison may come to: clear, not told apart, with trials missing, at the level of guessing. */

import { randomStream } from "../../src/core/random.ts";
import { packAnswers, type TrialHistory } from "../../src/record/index.ts";
import type { ReportInput } from "../../src/report/index.ts";
import { fakeExperiment } from "./fake-records.ts";
import { trial } from "./measured.ts";

const EPOCHS = 20;

interface Arm {
  readonly name: string;
  /** Where its accuracy ends, on the mean of many seeds. */
  readonly ends: number;
  /** Seeds whose trials are pruned half way. */
  readonly pruned?: readonly number[];
}

const SITUATIONS = {
  clear: {
    seeds: 8,
    arms: [
      { name: "adam", ends: 0.79 },
      { name: "rmsprop", ends: 0.73 },
    ],
  },
  "not told apart": {
    seeds: 3,
    arms: [
      { name: "adam", ends: 0.762 },
      { name: "adamax", ends: 0.757 },
      { name: "rmsprop", ends: 0.74 },
    ],
  },
  "missing trials": {
    seeds: 8,
    arms: [
      { name: "adam", ends: 0.77 },
      { name: "adamax", ends: 0.75, pruned: [1, 4, 6] },
      { name: "rmsprop", ends: 0.72, pruned: [0, 1, 3, 4, 6, 7] },
    ],
  },
  guessing: {
    seeds: 3,
    arms: [
      { name: "adam", ends: 0.76 },
      { name: "sgd+clr", ends: 0.243 },
    ],
  },
} as const satisfies Record<string, { readonly seeds: number; readonly arms: readonly Arm[] }>;

export type Situation = keyof typeof SITUATIONS;

export function situation(name: Situation): ReportInput {
  const { seeds, arms } = SITUATIONS[name];
  const experiment = fakeExperiment({ epochs: EPOCHS, seeds, arms: arms.map((arm) => arm.name) });
  return {
    experiment: {
      ...experiment,
      protocol: { ...experiment.protocol, ...(name === "missing trials" ? { prune: 5 } : {}) },
    },
    summary: null,
    rangeTests: [],
    trials: arms.flatMap((arm, ordinal) =>
      trialsOf(arm, ordinal, { seeds, hard: name === "missing trials" }),
    ),
    samples: [],
  };
}

function trialsOf(
  { name, ends, pruned = [] }: Arm,
  ordinal: number,
  { seeds, hard }: { readonly seeds: number; readonly hard: boolean },
): TrialHistory[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const luck = randomStream(seed, "synthetic", 21);
    const own = randomStream(seed, "synthetic", 22, ordinal);
    const shift = 0.02 * (luck.uniform() - 0.5) - (hard && [1, 4, 6].includes(seed) ? 0.06 : 0);
    // One difficulty an image, the same for all; who answers more rightly does so on the easier ones.
    const images = 864;
    const guesses = ends < 0.3;
    const target = guesses ? ends : ends + shift + 0.016 * (own.uniform() - 0.5);
    const right = Uint8Array.from({ length: images }, (__, image) => {
      const difficulty = randomStream(image, "synthetic", 23).uniform();
      return difficulty + 0.1 * (own.uniform() - 0.5) < target ? 1 : 0;
    });
    const last = right.reduce((sum, one) => sum + one, 0) / images;
    const isPruned = pruned.includes(seed);
    const curve = Array.from({ length: isPruned ? EPOCHS / 2 : EPOCHS }, (__, i) => {
      const done = (1 - Math.exp(-(i + 1) / 5)) / (1 - Math.exp(-EPOCHS / 5));
      return i === EPOCHS - 1 ? last : 0.24 + (last - 0.24) * done + 0.01 * (own.uniform() - 0.5);
    });
    const history = trial(name, seed, curve, {
      slug: name.replace("+", "-"),
      epochs: EPOCHS,
      optimizer: { name: name.split("+")[0]!, hyperparameters: {} },
      status: isPruned ? "pruned" : "done",
      ...(isPruned
        ? { endedBy: "pruned" as const }
        : { rightAnswers: packAnswers(right, EPOCHS)! }),
    });
    return history;
  });
}
