/**
 * @file The call of a comparison as it stands in experiment.json, and back. Whatever flag is added to
 * the calls is recorded with the others; only those that name places of this machine are left out.
 */

import { basename } from "node:path";
import { StoreError } from "../core/errors.ts";
import { isSourceName } from "../datasets/sources/source-names.ts";
import type { ExperimentRecord, SpecificationRecord } from "../record/index.ts";
import type { ComparisonCall } from "./comparison.ts";
import { isModelFile } from "./load-model.ts";
import { isWeightsFile } from "./weights-file.ts";

/** Where things lie, and how the run is shown: not what is run. */
const INCIDENTAL = new Set(["out", "json", "resume", "jobs", "model", "pretrained", "threads"]);

/** What a resumption has to say anew. */
type Recalled = Omit<ComparisonCall, "context" | "given" | "source" | "kind">;

export interface Specification extends Recalled {
  /** A source's name; null: a folder. */
  readonly source: string | null;
  /** A name of the collection; null: a file. */
  readonly model: string | null;
  /** The file's own name, for people. */
  readonly modelFile?: string;
  /** Published weights by name; null: a file of them; absent: none. */
  readonly pretrained?: string | null;
}

export function specify(call: ComparisonCall): SpecificationRecord {
  const { context, given, kind, source, specification, flags, cycle, ramp, ...rest } = call;
  const { maxLr, baseLr, stepSize } = cycle;
  const elsewhere = new Set([
    "maxLr",
    "baseLr",
    "stepSize",
    "from",
    "to",
    "ramp",
    "rule",
    ...Object.keys(rest),
    ...Object.keys(call.budget ?? {}),
  ]);
  const specified = {
    formatVersion: 1,
    ...rest,
    source: isSourceName(source) ? source : null,
    model: isModelFile(flags.model) ? null : flags.model,
    ...(isModelFile(flags.model) ? { modelFile: basename(flags.model) } : {}),
    ...(flags.pretrained === undefined
      ? {}
      : { pretrained: isWeightsFile(flags.pretrained) ? null : flags.pretrained }),
    cycle: { maxLr, baseLr, stepSize },
    ...(ramp ? { ramp: { from: ramp.from, to: ramp.to } } : {}),
    flags: Object.fromEntries(
      Object.entries(flags).filter(([key]) => !INCIDENTAL.has(key) && !elsewhere.has(key)),
    ),
  };
  return specified as unknown as SpecificationRecord;
}

/**
 * @throws StoreError, exit code 2, for an experiment that was not begun to be gone on with, or whose call
 *   is not the one that the rest of its record speaks of
 */
export function recall(path: string, experiment: ExperimentRecord): Specification {
  const { kind, specification } = experiment;
  if (specification === undefined)
    throw new StoreError(
      `${path}: cannot be gone on with: it ${kind === "find" ? "holds a range test, which takes minutes; make it again with find" : "was made by an earlier version of lrscope, which did not record how; begin anew"}`,
      { exitCode: 2 },
    );
  checkAgreement(path, experiment, specification);
  return specification as unknown as Specification;
}

/** Before anything is made by it: a file that was edited may ask for a million seeds. */
function checkAgreement(
  path: string,
  { protocol, dataset, arms }: ExperimentRecord,
  { seeds, epochs, optimizers, sensitivity = 1, finderSeeds = 1, flags }: SpecificationRecord,
): void {
  const pairs: [string, unknown, unknown][] = [
    ["seeds", seeds, protocol.seeds.length],
    ["epochs", epochs, protocol.epochs],
    ["optimizers", optimizers.length * sensitivity, arms.length],
    ["finderSeeds", finderSeeds, protocol.finderSeeds ?? 1],
    ["flags.size", flags.size ?? dataset.size, dataset.size],
    ["flags.cacheFeatures", flags.cacheFeatures ?? null, protocol.cacheFeatures ?? null],
  ];
  const odd = pairs.find(([, said, recorded]) => said !== recorded);
  if (odd)
    throw new StoreError(
      `${path}/experiment.json: specification.${odd[0]} does not agree with the rest of the record: it comes to ${String(odd[1])}, where ${String(odd[2])} was recorded; bring back the file as it was written, or begin anew`,
      { exitCode: 2 },
    );
}
