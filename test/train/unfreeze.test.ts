/** @file Gradual unfreezing: what is trained in which epoch, with which optimizer state, and after a resumption. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type { Checkpoint } from "../../src/formats/index.ts";
import {
  adam,
  lookahead,
  muon,
  prodigy,
  scheduleFreeAdamw,
  sgd,
} from "../../src/optimizers/index.ts";
import { cacheFeatures } from "../../src/study/features.ts";
import { fit } from "../../src/train/fit.ts";
import {
  checkUnfreezing,
  firstUpdatesIn,
  groupsIn,
  trainFromIn,
  unfreezesAt,
} from "../../src/train/freezing/unfreeze.ts";
import type { FitOptions, TrainingSetup } from "../../src/train/options.ts";
import type { TrialState } from "../../src/train/trial-state.ts";
import type { WeightsSink } from "../../src/train/weights-sink.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { network, pretrained } from "./tiny-transfer.ts";

const unfreeze = [
  { from: "layer1", epoch: 3 },
  { from: "all", epoch: 5 },
];
const plan = { network: network(), trainFrom: "layer2", unfreeze };

describe("what an epoch trains", () => {
  test.each([
    [1, "layer2", false],
    [2, "layer2", false],
    [3, "layer1", true],
    [4, "layer1", false],
    [5, "all", true],
    [99, "all", false],
  ])("epoch %i trains from %s", (epoch, from, begins) => {
    expect(trainFromIn(plan, epoch)).toBe(from);
    expect(unfreezesAt(plan, epoch)).toBe(begins);
  });

  test("parameters that come later count their updates from there", () => {
    expect(firstUpdatesIn(plan, 2, 10).size).toBe(0);
    const third = firstUpdatesIn(plan, 3, 10);
    expect([...third.keys()].every((name) => name.startsWith("layer1."))).toBe(true);
    expect(new Set(third.values())).toEqual(new Set([20]));
    const fifth = firstUpdatesIn(plan, 5, 10);
    expect(fifth.get("layer1.0.conv1.weight")).toBe(20);
    expect(fifth.get("conv1.weight")).toBe(40);
    expect(fifth.has("layer2.0.conv1.weight")).toBe(false);
  });

  test("a rate of what is frozen waits; one of nothing is left to be refused", () => {
    const parameterGroups = ["fc", "layer1", "conv1", "layer9"].map((prefix) => ({ prefix }));
    const prefixes = (epoch: number) =>
      groupsIn({ ...plan, parameterGroups }, epoch)?.map(({ prefix }) => prefix);
    expect(prefixes(1)).toEqual(["fc", "layer9"]);
    expect(prefixes(3)).toEqual(["fc", "layer1", "layer9"]);
    expect(prefixes(5)).toEqual(["fc", "layer1", "conv1", "layer9"]);
  });
});

describe("refused", () => {
  const check = (options: object, epochs?: number) => () =>
    checkUnfreezing({ ...plan, ...options }, epochs);
  test.each<[string, object, string]>([
    ["nothing frozen", { trainFrom: "all" }, "has no effect where nothing is frozen"],
    ["nothing said of it", { trainFrom: undefined }, "has no effect where nothing is frozen"],
    ["epoch 1", { unfreeze: [{ from: "layer1", epoch: 1 }] }, "must come after epoch 1"],
    ["epoch 0", { unfreeze: [{ from: "layer1", epoch: 0 }] }, "must be a positive integer; got 0"],
    ["half", { unfreeze: [{ from: "all", epoch: 2.5 }] }, "must be a positive integer; got 2.5"],
    ["falling epochs", { unfreeze: [unfreeze[1], unfreeze[0]] }, "must come after epoch 5"],
    [
      "the same module",
      { unfreeze: [{ from: "layer2", epoch: 2 }] },
      "must train more than before",
    ],
    ["a later module", { unfreeze: [{ from: "head", epoch: 2 }] }, "must train more than before"],
    ["an unknown one", { unfreeze: [{ from: "layer3", epoch: 2 }] }, 'no module "layer3"'],
  ])("%s", (_, options, message) => {
    expect(check(options)).toThrow(message);
  });

  test("what no epoch comes to", () => {
    expect(check({}, 5)).not.toThrow();
    expect(check({}, 4)).toThrow("all@5 is after the last of 4 epochs");
  });
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-unfreeze-"));
    dataset = await openDataset("synthetic", { size: 8, limit: 10, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const whole = network({ size: 8 });
  const weights = pretrained(whole);
  const setup = (options: Partial<FitOptions> = {}): TrainingSetup => ({
    dataset,
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
    batch: 16,
    pretrained: weights,
    ...plan,
    network: whole,
    ...options,
  });

  interface Run {
    /** By epoch, from 1. */
    readonly states: ReadonlyMap<number, TrialState>;
    readonly last: Checkpoint;
    readonly lines: readonly object[];
  }

  async function run(options: Partial<FitOptions> & Pick<FitOptions, "optimizer">): Promise<Run> {
    const states = new Map<number, TrialState>();
    const sink: WeightsSink = {
      checkpoint({ record: { epoch, metrics, msPerStep, seconds }, weights: checkpoint }) {
        states.set(epoch, { metrics, msPerStep, seconds, checkpoint, bestKept: epoch });
      },
    };
    const { last, metrics } = await fit({ ...setup(options), epochs: 6, sink, ...options });
    const lines = metrics.map(({ seconds: _, ...line }) => line);
    return { states, last: last!, lines };
  }
  const values = ({ tensors }: Checkpoint, name: string) => tensors.get(name)!.data as Float32Array;
  const bytes = (checkpoint: Checkpoint) =>
    [...checkpoint.tensors].map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer).toString("hex"),
    ]);

  test("no frozen parameter changes by a bit before its epoch, and then it does", async () => {
    const { states } = await run({ optimizer: adam({ learningRate: 1e-2, weightDecay: 1e-2 }) });
    const names = [...weights.tensors.keys()];
    const changed = (epoch: number) =>
      names.filter((name) => {
        const { data } = states.get(epoch)!.checkpoint.tensors.get(name)!;
        return !Buffer.from(data.buffer).equals(Buffer.from(weights.tensors.get(name)!.buffer));
      });
    const of = (...modules: string[]) =>
      names.filter((name) => modules.some((m) => name.startsWith(m)));
    expect(changed(2)).toEqual(of("layer2."));
    expect(changed(4)).toEqual(of("layer1.", "layer2."));
    expect(changed(5)).toEqual(names);
  });

  test("Adam's state begins with the parameter: its first update is the learning rate in size", async () => {
    // One update an epoch.
    const learningRate = 1e-4;
    const { states } = await run({ optimizer: adam({ learningRate }), batch: 32 });
    const moved = (name: string, epoch: number) => {
      const [before, after] = [epoch - 1, epoch].map((e) =>
        values(states.get(e)!.checkpoint, name),
      );
      return after!.map((value, i) => Math.abs(value - before![i]!));
    };
    for (const [name, epoch] of [
      ["layer1.0.conv1.weight", 3],
      ["conv1.weight", 5],
    ] as const) {
      expect(Math.max(...moved(name, epoch - 1))).toBe(0);
      for (const size of moved(name, epoch)) expect(size / learningRate).toBeCloseTo(1, 1);
    }
  });

  test("the state of what was trained before is kept", async () => {
    const { states } = await run({ optimizer: adam({ learningRate: 1e-3 }), batch: 32 });
    const [second, third] = [2, 3].map((epoch) => states.get(epoch)!.checkpoint);
    const name = "layer2.0.conv1.weight";
    const [m, mNext] = [second!, third!].map((at) => values(at, `${name}:m`));
    const [v, vNext] = [second!, third!].map((at) => values(at, `${name}:v`));
    // Both averages must have seen the same gradient.
    const gradient = mNext!.map((value, i) => (value - 0.9 * m![i]!) / 0.1);
    const largest = Math.max(...vNext!);
    expect(Math.max(...m!.map(Math.abs))).toBeGreaterThan(0);
    for (const [i, g] of gradient.entries())
      expect((vNext![i]! - 0.999 * v![i]!) / largest).toBeCloseTo((0.001 * g * g) / largest, 5);
    expect(second!.tensors.has("layer1.0.conv1.weight:m")).toBe(false);
    expect(third!.tensors.has("layer1.0.conv1.weight:m")).toBe(true);
  });

  test.each([
    ["adam", { optimizer: adam({ learningRate: 1e-2 }) }],
    ["sgd, averaged", { optimizer: sgd({ momentum: 0.9 }), average: { kind: "ema", decay: 0.9 } }],
    ["schedule-free", { optimizer: scheduleFreeAdamw() }],
    ["prodigy", { optimizer: prodigy() }],
    ["muon", { optimizer: muon() }],
    ["lookahead, accumulated", { optimizer: lookahead(adam()), batch: 8, accumulate: 2 }],
    ["moving statistics", { optimizer: adam(), frozenBatchNorm: "train" }],
    [
      "rates of its own",
      { optimizer: adam(), parameterGroups: [{ prefix: "layer1", learningRateScale: 0.1 }] },
    ],
  ] satisfies [string, Partial<FitOptions> & Pick<FitOptions, "optimizer">][])(
    "%s: a resumed run equals an uninterrupted one to the bit",
    async (_, options) => {
      const { states, last, lines } = await run(options);
      expect(lines).toHaveLength(6);
      expect(lines.some((line) => "diverged" in line)).toBe(false);
      // Before an unfreezing, after one, and between two.
      for (const epoch of [2, 3, 4]) {
        const resumed = await run({ ...options, from: states.get(epoch)! });
        expect(resumed.lines).toEqual(lines);
        expect(bytes(resumed.last)).toEqual(bytes(last));
      }
    },
  );

  test("the reference backend trains the same", async () => {
    const options = { optimizer: adam({ learningRate: 1e-3 }) };
    const native = await run(options);
    const reference = await run({ ...options, backend: referenceBackend({ precision: "f64" }) });
    for (const name of ["conv1.weight", "layer1.0.conv2.weight", "fc.bias"]) {
      const [ours, theirs] = [native, reference].map(({ last }) => values(last, name));
      const largest = Math.max(...theirs!.map(Math.abs));
      for (const [i, value] of ours!.entries())
        expect(Math.abs(value - theirs![i]!) / largest).toBeLessThan(2e-3);
    }
  });

  test("an unknown module is refused before the first update", async () => {
    const events: string[] = [];
    const training = fit({
      ...setup({ unfreeze: [{ from: "layer7", epoch: 2 }] }),
      optimizer: adam(),
      epochs: 3,
      onEvent: ({ type }) => void events.push(type),
    });
    await expect(training).rejects.toThrow('no module "layer7"');
    expect(events).toEqual([]);
  });

  test("features are not kept of what will be trained", async () => {
    const kept = cacheFeatures(setup(), { views: 1, cacheDir: folder });
    await expect(kept).rejects.toThrow("--cache-features cannot be used with --unfreeze layer1@3");
  });
});
