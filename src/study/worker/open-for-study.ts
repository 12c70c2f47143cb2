/** @file A study as a worker opens it: what it trains, found or fetched on this machine, and whether that is the same. */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { differences } from "../../core/differences.ts";
import { StoreError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { knownPlace } from "../../datasets/cache/places.ts";
import { isSourceName } from "../../datasets/sources/source-names.ts";
import { describeMachine } from "../../files/machine.ts";
import type { Task } from "../../record/index.ts";
import { planDifferences, planOf } from "../../train/plan.ts";
import type { Wire } from "../executors/wire/client.ts";
import { hashOf } from "../executors/wire/describe-study.ts";
import type { StudyDescription } from "../executors/wire/messages.ts";
import { isModelFile } from "../load-model.ts";
import { loadOptimizer } from "../own-code/arm-files.ts";
import { type OpenedSetup, openSetup, type SetupSpec } from "../setup.ts";
import { isWeightsFile } from "../weights-file.ts";
import { fetchImages, fetchWeights } from "./fetch-files.ts";

/** This machine cannot run the study's tasks so that their results are those of the study. */
export class Unfit extends Error {}

export interface OpenForStudyOptions {
  /** Files of code that the user has named. */
  readonly files: readonly string[];
  /** To the process that holds the study's run directory. */
  readonly wire: Wire;
  readonly signal: AbortSignal;
}

/**
 * Opens what the study trains.
 * @param optimizer of the task that is going to run
 * @throws Unfit where this machine lacks something, or would give other bits
 */
export async function openForStudy(
  study: StudyDescription,
  optimizer: Task["optimizer"],
  options: OpenForStudyOptions,
): Promise<OpenedSetup> {
  checkMachine(study);
  const opened = await openData(study, optimizer, options);
  if (study.mixed) return opened;
  const [difference] = planDifferences(study.plan, planOf(opened.setup, optimizer));
  if (difference === undefined) return opened;
  opened.dataset.close();
  throw unfit(difference);
}

/** With the study's images: where those that were fetched once have changed in the cache, with those that are fetched again. */
async function openData(
  study: StudyDescription,
  optimizer: Task["optimizer"],
  options: OpenForStudyOptions,
  isDamaged = false,
): Promise<OpenedSetup> {
  const setup = await placedSetup(study, options, isDamaged);
  await loadOptimizer(optimizer.name, setup.files);
  const { signal } = options;
  const opened = await openSetup(setup, { signal });
  // As it would be read back: what is undefined is absent.
  const found = JSON.parse(JSON.stringify(opened.dataset.record));
  const [difference] = differences(study.dataset, found);
  if (difference === undefined) return opened;
  opened.dataset.close();
  if (study.setup.source === null && !isDamaged) return openData(study, optimizer, options, true);
  throw new Unfit(
    `its images are not those of the study: ${difference}. Remove what its cache has of them there: lrscope cache --clean`,
  );
}

const unfit = (difference: string) =>
  new Unfit(
    `${difference}, so that its results would be others; begin the study with --mixed to have it run there all the same`,
  );

/** What can be told before anything is opened. @throws Unfit */
export function checkMachine({ lrscope, processor, plan, mixed }: StudyDescription): void {
  if (lrscope !== VERSION)
    throw new Unfit(`lrscope is ${VERSION} there, and ${lrscope} is the study's; install that`);
  if (mixed) return;
  const here = describeMachine();
  if (here.processor !== processor)
    throw unfit(`processor is "${here.processor}" there, not "${processor}"`);
  if (here.cores < plan.threads)
    throw new Unfit(`it has ${here.cores} cores, and each run takes ${plan.threads}`);
}

async function placedSetup(
  { setup, model, arms, weights, dataset, plan, processor, mixed }: StudyDescription,
  { files, wire }: OpenForStudyOptions,
  isDamaged: boolean,
): Promise<SetupSpec> {
  const { source, model: modelName, pretrained, ...rest } = setup;
  if (
    (source !== null && !isSourceName(source)) ||
    (modelName !== null && isModelFile(modelName)) ||
    (pretrained !== null && isWeightsFile(pretrained))
  )
    throw new StoreError("the study names a path, where names alone are taken", { exitCode: 1 });
  const code = (what: string, wanted: { name: string; sha256: string }): string => {
    const places = [
      ...files.filter((file) => basename(file) === wanted.name),
      ...[knownPlace(wanted.sha256) ?? [], wanted.name].flat(),
    ];
    const found = places.find((file) => existsSync(file) && hashOf(file) === wanted.sha256);
    if (found !== undefined) return found;
    throw new Unfit(
      `${what} "${wanted.name}" of this content (SHA-256 ${wanted.sha256.slice(0, 12)}...) is not there; no code is sent to workers: bring the file, and begin the worker with --files ${wanted.name}`,
    );
  };
  const initial = weights ? await fetchWeights(wire, weights) : (pretrained ?? undefined);
  const placedArms = arms.map((arm) => [arm.name, code("the file of arms", arm)] as const);
  return {
    ...rest,
    ...(mixed ? ownPlan(rest, { threads: plan.threads, processor }) : {}),
    source: source ?? (await fetchImages(wire, dataset.fingerprint, { isDamaged })),
    model: modelName ?? code("the network's file", model ?? { name: "?", sha256: "?" }),
    ...(initial === undefined ? {} : { pretrained: initial }),
    files: Object.fromEntries(placedArms),
  };
}

/** As many cores as there are, and by the engine's own rule where the study's choice was made on another processor. */
function ownPlan(
  {
    convolutions,
    convolutionsDecidedBy,
  }: Pick<SetupSpec, "convolutions" | "convolutionsDecidedBy">,
  { threads, processor }: { readonly threads: number; readonly processor: string },
) {
  const here = describeMachine();
  const isAlike = here.processor === processor;
  return {
    threads: Math.min(threads, here.cores),
    ...(isAlike && convolutions ? { convolutions } : { convolutions: {} }),
    ...(isAlike && convolutionsDecidedBy ? { convolutionsDecidedBy } : {}),
  };
}
