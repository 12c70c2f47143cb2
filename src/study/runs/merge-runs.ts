/** @file Several runs as one, for a report: parts of one study put together, others side by side. */

import { basename, resolve } from "node:path";
import { at } from "../../core/at.ts";
import { StoreError } from "../../core/errors.ts";
import type { ExperimentRecord, ProtocolRecord } from "../../record/index.ts";
import type { Run } from "../../store/index.ts";
import { joinRuns } from "./join-runs.ts";

export interface NamedRun {
  readonly path: string;
  readonly run: Run;
}

export interface MergedRuns {
  readonly run: Run;
  /** Differences between the protocols, for the terminal. */
  readonly notes: string[];
  /** Whether they are parts of one study, whose arms keep their names. */
  readonly joined: boolean;
  /** Each by the name that its arms have in front, where they are not joined. */
  readonly experiments: { name: string; experiment: ExperimentRecord }[];
}

/** What may differ without the results being about different things. */
const INCIDENTAL: readonly (keyof ProtocolRecord)[] = ["seeds", "threads", "updatesPerEpoch"];

/**
 * Parts of one study are joined; else arms get their directory's name in front. Runs on other data, or validated on another part of it,
 * are refused; other differences of protocol, engine and machine are said in
 * `notes`, with the runs that have each.
 * @throws StoreError, exit code 2
 */
export function mergeRuns(runs: readonly NamedRun[]): MergedRuns {
  const first = at(runs, 0, "runs");
  const names = distinctNames(runs.map(({ path }) => path));
  for (const { path, run } of runs.slice(1)) checkSameData(first, { path, run });
  const experiments = runs.map(({ run }, i) => ({
    name: at(names, i, "names"),
    experiment: run.experiment,
  }));
  const one = joinRuns(runs.map(({ run }) => run));
  if (one) return { run: one, notes: [], joined: true, experiments };
  const renamed = runs.map(({ run }, index) => rename(run, at(names, index, "names")));
  const { experiment } = first.run;
  const protocols = runs.map(({ run }) => run.experiment.protocol);
  const { protocol: followed, ...shared } = experiment.protocol;
  const seeds = [...new Set(protocols.flatMap((protocol) => protocol.seeds))].sort((a, b) => a - b);
  return {
    run: {
      experiment: {
        ...experiment,
        kind: "compare",
        protocol: {
          ...shared,
          // The runs together follow what each of them follows.
          ...(followed !== undefined && protocols.every(({ protocol }) => protocol === followed)
            ? { protocol: followed }
            : {}),
          seeds,
          epochs: Math.max(...protocols.map(({ epochs }) => epochs)),
        },
        arms: renamed.flatMap((run) => run.experiment.arms),
      },
      rangeTests: renamed.flatMap((run) => run.rangeTests),
      trials: renamed.flatMap((run) => run.trials),
      summary: null,
    },
    notes: differences(runs, names),
    joined: false,
    experiments,
  };
}

function rename(run: Run, name: string): Run {
  const arm = (text: string) => `${name}: ${text}`;
  return {
    ...run,
    experiment: {
      ...run.experiment,
      arms: run.experiment.arms.map((entry) => ({
        ...entry,
        name: arm(entry.name),
        slug: `${name}-${entry.slug}`,
        ...(entry.sensitivity
          ? { sensitivity: { ...entry.sensitivity, of: arm(entry.sensitivity.of) } }
          : {}),
      })),
    },
    rangeTests: run.rangeTests.map((test) => ({ ...test, arm: arm(test.arm) })),
    trials: run.trials.map((entry) => ({
      ...entry,
      trial: {
        ...entry.trial,
        arm: arm(entry.trial.arm),
        slug: `${name}-${entry.trial.slug}`,
      },
    })),
  };
}

function checkSameData(first: NamedRun, other: NamedRun): void {
  const [a, b] = [first.run.experiment, other.run.experiment];
  if (a.dataset.fingerprint !== b.dataset.fingerprint)
    throw new StoreError(
      `${other.path}: was made on other data (${b.dataset.name}, ${b.dataset.size} pixels) than ${first.path} (${a.dataset.name}, ${a.dataset.size} pixels); report them one by one`,
      { exitCode: 2 },
    );
  const split = ({ protocol }: typeof a) =>
    `${protocol.validation}, seed ${protocol.splitSeed}${protocol.test ? `, after a test part of ${protocol.test}` : ""}`;
  if (split(a) !== split(b))
    throw new StoreError(
      `${other.path}: was validated on another part of the data (${split(b)}) than ${first.path} (${split(a)}); report them one by one`,
      { exitCode: 2 },
    );
}

/** One sentence for each thing that differs, naming who has which. */
function differences(runs: readonly NamedRun[], names: readonly string[]): string[] {
  const notes: string[] = [];
  const compare = (what: string, values: readonly unknown[]) => {
    const texts = values.map((value) => (value === null ? "none" : String(value)));
    const distinct = [...new Set(texts)];
    if (distinct.length < 2) return;
    const each = distinct.map(
      (text) => `${text} in ${names.filter((_, index) => texts[index] === text).join(", ")}`,
    );
    notes.push(`the runs differ in ${what}: ${each.join("; ")}`);
  };
  const experiments = runs.map(({ run }) => run.experiment);
  compare(
    "model",
    experiments.map(({ model }) => `${model.name} (${model.parameters} parameters)`),
  );
  const keys = [...new Set(experiments.flatMap(({ protocol }) => Object.keys(protocol)))];
  for (const key of keys as (keyof ProtocolRecord)[])
    if (!INCIDENTAL.includes(key))
      compare(
        words(key),
        experiments.map(({ protocol }) => textOf(protocol[key])),
      );
  compare(
    "engine",
    experiments.map(({ engine }) => engine),
  );
  compare(
    "processor",
    experiments.map(({ machine }) => machine.processor),
  );
  compare(
    "lrscope's version",
    experiments.map(({ lrscope }) => lrscope),
  );
  return notes;
}

/** "labelSmoothing": "label smoothing". */
const words = (key: string) => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Fields that an older record lacks are as good as none. */
const textOf = (value: unknown) =>
  value === undefined ? null : typeof value === "object" ? JSON.stringify(value) : value;

/** Folder names, numbered where two are the same. */
function distinctNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(resolve(path)));
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name}~${before + 1}`;
  });
}
