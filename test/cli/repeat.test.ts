/**
 * @file "To run it again": the command that a report prints, given to a shell, makes a run with the same
 * records, byte for byte, times aside. Of random studies, each run twice.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { inProcess, openStudy, runStudy } from "../../src/index.ts";
import { resultOf } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { studyOfCall } from "./study-calls.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

/** 28 images of 16 x 16 to train on. */
const BASE = [
  "synthetic",
  "--limit",
  "9",
  "--model",
  "tiny net.mjs",
  "--threads",
  "1",
  "--no-samples",
];

/** Few weights, so that a run takes no longer than its files; the name needs quotes. */
const MODEL = "tiny net.mjs";
const NETWORK = `
import { layers } from "lrscope";
const { conv2d, relu, globalAveragePool, linear, sequential } = layers;
export const network = ({ classes, channels, size }) =>
  layers.network({
    name: "tiny",
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      features: sequential([conv2d({ channels: 4, kernel: 3 }), relu(), globalAveragePool()]),
      classifier: linear({ features: classes }),
    }),
  });
`;

const words = (...all: readonly (readonly string[])[]) => all.flat();
/** Now and then a flag, with one of its values. */
const maybe = (...choices: readonly (readonly string[])[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<readonly string[]>([]) },
    fc.constantFrom(...choices),
  );

const data = fc
  .tuple(
    fc.constantFrom(["--size", "16"], ["--size", "17"]),
    fc.constantFrom(["--batch", "16"], ["--batch", "8"]),
    maybe(["--augment", "none"]),
    maybe(["--split-seed", "3"]),
    maybe(["--validation", "0.3"]),
    maybe(["--seed", "7"]),
  )
  .map((all) => words(...all));

const recipe = fc
  .tuple(
    maybe(["--accumulate", "2"], ["--drop-last"]),
    maybe(["--clip", "0.5"], ["--clip-value", "0.01"]),
    maybe(["--label-smoothing", "0.1"]),
    maybe(["--weight-decay", "1e-3"], ["--weight-decay", "0.01", "--no-decay-on-bias"]),
    maybe(["--lr-scale", "classifier=0.1"], ["--train-from", "classifier"]),
  )
  .map((all) => words(...all));

const training = fc
  .tuple(
    fc.constantFrom(["--epochs", "1"], ["--epochs", "2"]),
    maybe(["--average", "ema", "--average-decay", "0.9"]),
    maybe(["--class-weights", "balanced"]),
    maybe(["--test", "0.2"]),
    maybe(["--eval-every", "2"], ["--target-accuracy", "0.3"], ["--early-stopping", "1"]),
    maybe(["--tensorboard"]),
  )
  .map((all) => words(...all));

/** A range test of few updates, which mostly cannot say. */
const FORCED = ["--finder-updates", "24", "--force"];

const cycles = fc.constantFrom(
  FORCED,
  ["--max-lr", "0.05", "--base-lr", "0.01"],
  ["--step-size", "3", ...FORCED],
  ["--snap-cycles", "--step-size", "1e", ...FORCED],
);

const find = fc
  .tuple(
    data,
    recipe,
    maybe(["--optimizer", "adam"], ["--momentum", "0.9"]),
    maybe(["--to", "1"], ["--from", "1e-4", "--to", "2"]),
    fc.constantFrom(["--updates", "24"], ["--epochs", "2"], ["--published"]),
    maybe(["--ramp", "linear"], ["--rule", "valley"]),
    maybe(["--seeds", "2"], ["--stop-factor", "2"]),
    maybe(["--loss", "validation", "--loss-every", "2"], ["--smoothing", "none"]),
  )
  .map((all) => words(["find", ...BASE], ...all));

const train = fc
  .tuple(
    data,
    recipe,
    training,
    fc.oneof(
      fc.constantFrom(["--optimizer", "adam", "--lr", "3e-3"], ["--schedule", "cosine"]),
      fc
        .tuple(
          cycles,
          maybe(["--momentum", "0.5"], ["--momentum", "0.9", "--momentum-schedule", "inverse"]),
        )
        .map((all) => words(["--schedule", "clr"], ...all)),
      fc.constant(["--schedule", "clr", "--published", "--force"]),
      fc.constant(["--schedule", "wsd:peak=0.05,steps=8,down=4"]),
    ),
  )
  .map((all) => words(["train", ...BASE], ...all));

const compare = fc
  .tuple(
    data,
    recipe,
    training,
    cycles,
    fc.constantFrom(
      ["--optimizers", "sgd+clr,adam"],
      ["--optimizers", "sgd+clr,rmsprop@1e-3", "--momentum", "0.5"],
      ["--optimizers", "sgd+clr,sgd+(cosine:peak=0.1,steps=9)"],
    ),
    maybe(["--seeds", "1"], ["--seeds", "2", "--prune", "1"]),
    maybe(["--profile"], ["--targets", "0.3,0.5"]),
  )
  .map((all) => words(["compare", ...BASE, "--seeds", "2"], ...all))
  .map((argv) => {
    // The later of two counts of seeds is the one that was drawn.
    const at = argv.lastIndexOf("--seeds");
    return at === argv.indexOf("--seeds")
      ? argv
      : argv.filter((_, i) => i !== argv.indexOf("--seeds") && i !== argv.indexOf("--seeds") + 1);
  });

/** The command of a report, as a shell reads it. */
function commandOf(path: string): string[] {
  const html = readFileSync(join(path, "report.html"), "utf8");
  const text = /<pre class="command">([^<]*)<\/pre>/.exec(html)![1]!;
  const line = text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
  const out = execFileSync("sh", ["-c", `printf '%s\\0' ${line}`]).toString("utf8");
  return out.split("\0").slice(1, -1);
}

const timeless = (text: string) =>
  text
    .replaceAll(/"(created|seconds|msPerStep|optimizerShare)": ?[^,}\n]+/g, '"$1": 0')
    .replaceAll(/"(medianSeconds|secondsToTarget|totalSeconds)": ?[^,}\n]+/g, '"$1": 0');

/** All records of a run: what was asked, how it was compiled, what was measured. */
function recordsOf(path: string): Record<string, string> {
  const names = ["experiment.json", "plan.json", "range-test.json"];
  const tests = join(path, "range-tests");
  if (existsSync(tests)) names.push(...readdirSync(tests).map((name) => `range-tests/${name}`));
  const found = names.filter((name) => existsSync(join(path, name)) && name.endsWith(".json"));
  return {
    ...Object.fromEntries(
      found.map((name) => [name, timeless(readFileSync(join(path, name), "utf8"))]),
    ),
    ...(existsSync(join(path, "trials")) ? resultOf(path) : {}),
  };
}

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  beforeAll(() => writeFileSync(within(MODEL), NETWORK));
  /** The file, where its own name stands, as in a report. */
  const placed = (argv: readonly string[]) =>
    argv.map((word) => (word === MODEL ? within(MODEL) : word));

  /** In this process, so that thirty studies take seconds. */
  async function run(argv: readonly string[], out: string) {
    const { study, opening } = await studyOfCall(placed(argv));
    const opened = await openStudy(study, { ...opening, out });
    try {
      const { failure } = await runStudy(opened, { executor: inProcess });
      if (failure) throw failure;
    } finally {
      opened.close();
    }
  }

  const calls = [find, train, compare].flatMap((call, i) =>
    fc.sample(call, { numRuns: 10, seed: 20_26 + i }),
  );

  test.each(calls.map((argv, i) => [i, argv.join(" "), argv] as const))(
    "%i: %s",
    async (i, _, argv) => {
      const [first, second] = [within(`${i}-first`), within(`${i}-second`)];
      await run(argv, first);
      await run(commandOf(first), second);
      const records = recordsOf(first);
      expect(Object.keys(records).length).toBeGreaterThan(2);
      expect(recordsOf(second)).toEqual(records);
    },
  );

  test.each([
    ["find", ["--updates", "24", "--seeds", "2"]],
    ["train", ["--schedule", "clr", "--momentum", "0.5", "--epochs", "2", ...FORCED]],
    ["compare", ["--optimizers", "sgd+clr", "--seeds", "1", "--epochs", "1", ...FORCED]],
  ])("%s, as processes", async (name, flags) => {
    const argv = [name, ...BASE, "--size", "16", "--batch", "16", ...flags];
    const [first, second] = [within(`${name}-a`), within(`${name}-b`)];
    const made = await cli([...placed(argv), "--out", first]);
    expect(made.code, made.stderr).toBe(0);
    const again = await cli([...placed(commandOf(first)), "--out", second]);
    expect(again.code, again.stderr).toBe(0);
    expect(recordsOf(second)).toEqual(recordsOf(first));
  });
});
