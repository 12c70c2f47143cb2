/**
 * @file A study, opened: its data, network and engine, and the record of what it is. Everything that can be
 * refused is refused here, before anything is written.
 */

import type { OwnArm } from "../arms/own-arms.ts";
import { withGrace } from "../arms/pruning.ts";
import { at } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import {
  type ArmRecord,
  type ExperimentRecord,
  type StudyRequest,
  type StudySpec,
  studySpec,
} from "../record/index.ts";
import { type Emitter, emitter } from "../train/emit.ts";
import type { TrainingSetup } from "../train/options.ts";
import type { ConvolutionDecision } from "./choose-convolutions.ts";
import { loadArmFiles, namedArms } from "./own-code/arm-files.ts";
import { checkJobs, checkObjects } from "./own-code/arm-objects.ts";
import { namesOf, type StudyPlaces } from "./places.ts";
import { checkProtocol } from "./protocols.ts";
import type { SetupSpec } from "./setup.ts";
import type { StudySink } from "./study-sink.ts";

export interface OpenStudyOptions {
  /** Where what the study names null lies: a folder of images, a file with a network, one of weights. */
  readonly places?: Partial<StudyPlaces>;
  /**
   * Arms by objects, after those of `optimizers`. Records hold their settings and specifications. Where there are none,
   * as of an update rule of one's own, trials run in this process, and the study cannot be resumed: a file can.
   */
  readonly arms?: readonly (string | OwnArm)[];
  /** Folder of its records; default ./lrscope-runs/<kind>-<source>-<time>. */
  readonly out?: string | undefined;
  /** Cores of all trials together; default all. */
  readonly threads?: number | undefined;
  /** "fastest": how many trials go on at a time is a matter of the machine, and what takes the least time; default: as the study says. */
  readonly jobs?: "fastest" | undefined;
  readonly sink?: StudySink;
  readonly signal?: AbortSignal;
}

/** A study whose data, network and engine are at hand. Close it when it has run. */
export interface Study {
  /** As it is recorded. */
  readonly spec: StudySpec;
  /** Folder of its records. */
  readonly path: string;
  /** Whether the call named the folder; else another takes its place where one is there when the study is run. */
  readonly isNamed: boolean;
  readonly arms: readonly ArmRecord[];
  readonly experiment: ExperimentRecord;
  readonly setup: TrainingSetup;
  /** `setup` as data, for other processes to open. */
  readonly setupSpec: SetupSpec;
  /** Trials at a time. */
  readonly jobs: number;
  /** Why so many, where nobody said how many. */
  readonly whyJobs?: string;
  close(): void;
}

/** A study as it may be written; without optimizers where arms are given as objects. */
export type AskedArms = Omit<StudyRequest, "optimizers" | "objects"> &
  Partial<Pick<StudyRequest, "optimizers">>;

/**
 * Opens a study: nothing is written yet. Its records will be in `out`.
 * @throws ArgumentError, ShapeError for what no trial of it could begin with, naming it
 * @throws LrscopeError where data, network, weights or engine cannot be had
 * @throws StoreError, exit code 2, where its folder cannot take it
 */
export async function openStudy(
  request: AskedArms,
  { arms: asked = [], ...options }: OpenStudyOptions = {},
): Promise<Study> {
  const { heldArms } = await import("../arms/own-arms.ts");
  const { texts, objects, release } = heldArms(asked);
  try {
    const study = await openPlanned(
      {
        ...request,
        optimizers: [...(request.optimizers ?? []), ...texts],
        ...(objects.length > 0 ? { objects } : {}),
      },
      options,
    );
    return {
      ...study,
      close() {
        release();
        study.close();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function openPlanned(
  request: StudyRequest,
  options: Omit<OpenStudyOptions, "arms">,
): Promise<Study> {
  const { spec, places, jobs } = await plannedStudy(request, options);
  const { defaultOut, freeFolder } = await import("./default-out.ts");
  const { checkRunDirectory } = await import("../store/index.ts");
  const path = options.out ?? freeFolder(defaultOut(spec.kind, places.source));
  checkRunDirectory(path);
  const { defaultThreads } = await import("../files/machine.ts");
  return open({
    ...{ spec, places, path, jobs, check: true, isNamed: options.out !== undefined },
    preparationThreads: options.threads ?? defaultThreads(),
    chooses: options.jobs === "fastest" && request.threads === undefined,
    ...(options.sink ? { sink: options.sink } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/**
 * A study as it would be recorded, of which nothing is opened.
 * @throws ArgumentError as openStudy does, for what needs neither data nor network
 */
export async function plannedStudy(
  request: StudyRequest,
  options: Pick<OpenStudyOptions, "places" | "threads"> = {},
): Promise<{ spec: StudySpec; places: StudyPlaces; jobs: number }> {
  const { texts, places: files } = namedArms(request.optimizers, options.places?.files);
  const loaded = await loadArmFiles(texts, files, request.files, SAVED);
  const asked = studyOf({
    ...{ ...request, optimizers: texts },
    ...(loaded.length > 0 ? { files: loaded } : {}),
  });
  const places = { ...placesOf(asked, options.places), files };
  checkJobs(await armsFor(asked), asked.jobs);
  const { threadsOfEach } = await import("../files/machine.ts");
  const { tasksAtOnce } = await import("../arms/tasks-at-once.ts");
  const jobs = tasksAtOnce(asked);
  const threads = asked.threads ?? threadsOfEach({ jobs, threads: options.threads });
  return { spec: { ...asked, ...namesOf(places), threads }, places, jobs };
}

/** When the files of a study that is not recorded yet were what it says. */
const SAVED = "when the study was saved; bring that back, or save the study anew";

/** @throws ArgumentError naming the first field that is not of a study */
function studyOf(request: StudyRequest): StudySpec {
  const parsed = studySpec.safeParse(request);
  if (parsed.success) {
    const study = parsed.data as StudySpec;
    // Recorded as it is now: a study that is made longer keeps its rungs.
    return study.pruning ? { ...study, pruning: withGrace(study.pruning, study) } : study;
  }
  const issue = at(parsed.error.issues, 0, "issues");
  throw new ArgumentError(`study: ${issue.path.join(".") || "it"}: ${issue.message}`);
}

/** @throws ArgumentError for something that is named null and has no place */
function placesOf(study: StudySpec, places: Partial<StudyPlaces> = {}): StudyPlaces {
  const placed = (key: "source" | "model", name: string | null) => {
    const found = name ?? places[key];
    if (found === undefined)
      throw new ArgumentError(
        `study: ${key} is null, so that its place must be given: openStudy(study, { places: { ${key}: "..." } })`,
      );
    return found;
  };
  return {
    source: placed("source", study.source),
    model: placed("model", study.model),
    pretrained: study.pretrained ?? places.pretrained,
  };
}

/** Its arms, none of which can be unknown, and not too many. */
async function armsFor(study: StudySpec): Promise<readonly ArmRecord[]> {
  const { armsOf, checkTrials } = await import("../arms/trials.ts");
  const arms = armsOf(study);
  checkTrials(study.kind, { arms: arms.length, seeds: study.seeds.length });
  return arms;
}

/** What opening takes once it is known what, where, and with how many cores. */
export interface Opening {
  readonly spec: StudySpec;
  readonly places: StudyPlaces;
  readonly path: string;
  readonly jobs: number;
  /** Cores for decoding and features, before there are trials. */
  readonly preparationThreads: number;
  readonly isNamed: boolean;
  /** Whether trials are to run, which then have to be able to begin. */
  readonly check: boolean;
  /** Whether trials at a time, and the cores of each, are chosen by what takes the least time. */
  readonly chooses?: boolean;
  /** As the study was begun with; absent or null: as it asks. */
  readonly convolutions?: ConvolutionDecision | null;
  readonly sink?: StudySink;
  readonly signal?: AbortSignal;
}

/** The study on this machine; what the data and the network turn out to be goes to the sink. */
export async function open(opening: Opening): Promise<Study> {
  const { spec: asked, places, path, isNamed, preparationThreads, sink = {}, signal } = opening;
  const { checkPrecision } = await import("../engine/native/engines.ts");
  checkPrecision(asked.kind, asked.recipe.precision);
  const { describeExperiment } = await import("./experiment.ts");
  const { openSetup } = await import("./setup.ts");
  await loadArmFiles(asked.optimizers, places.files ?? {}, asked.files);
  checkObjects(asked, path);
  const arms = await armsFor(asked);
  const { data, recipe, threads, modelOptions, cacheFeatures } = asked;
  const wanted: SetupSpec = {
    ...{ ...places, data, recipe, preparationThreads },
    ...(threads === undefined ? {} : { threads }),
    ...(modelOptions ? { modelOptions } : {}),
    ...(cacheFeatures === undefined ? {} : { cacheFeatures }),
  };
  const opened = await openSetup(wanted, {
    ...(signal ? { signal } : {}),
    ...(sink.event ? { onEvent: sink.event } : {}),
  });
  const { dataset } = opened;
  try {
    const { spec, setup, whyJobs } = opening.chooses
      ? await (await import("./planning/arrange.ts")).arrange(asked, opened.setup, arms)
      : { spec: asked, setup: opened.setup, whyJobs: null };
    const jobs = opening.chooses ? spec.jobs : opening.jobs;
    const { emit, settled } = emitter(sink.event);
    tellOpened(setup, dataset, emit);
    const experiment = describeExperiment({ study: spec, setup, arms, specification: spec });
    await checkProtocol(spec.kind, experiment);
    if (opening.check) await checkStudy(spec, setup);
    const { rememberPlaces } = await import("./places.ts");
    await rememberPlaces(places, experiment);
    const { chooseConvolutions } = await import("./choose-convolutions.ts");
    const decision =
      opening.convolutions ??
      (await chooseConvolutions(setup, arms, { study: spec, emit, signal }));
    await settled();
    return {
      ...{ spec, path, isNamed, arms, experiment, jobs },
      ...(whyJobs === null ? {} : { whyJobs }),
      setup: { ...setup, ...decision },
      setupSpec: {
        ...{ ...wanted, ...decision },
        ...(spec.threads === undefined ? {} : { threads: spec.threads }),
        ...(dataset.again ? { again: dataset.again } : {}),
      },
      close: () => dataset.close(),
    };
  } catch (error) {
    dataset.close();
    throw error;
  }
}

/** @throws ArgumentError, ShapeError for what its tasks would refuse as they begin */
async function checkStudy(spec: StudySpec, setup: TrainingSetup): Promise<void> {
  const { checkComparison, checkFind } = await import("./check-trials.ts");
  if (spec.kind !== "find") return checkComparison(setup, spec);
  const { finderTask } = await import("../arms/finder-task.ts");
  checkFind(setup, finderTask(spec), spec);
}

function tellOpened(
  setup: TrainingSetup,
  dataset: TrainingSetup["dataset"],
  emit: Emitter["emit"],
): void {
  const { train, validation, test, record } = dataset;
  const counts = { train: train.length, validation: validation.length, test: test.length };
  emit({ type: "dataset", dataset: record, ...counts });
  const { pretrained, trainFrom, frozenBatchNorm, unfreeze, features } = setup;
  if (pretrained) {
    const { sha256: _, tensors, ...said } = pretrained;
    const normalization = { mean: record.mean, std: record.std };
    emit({ type: "pretrained", ...said, tensors: tensors.size, normalization });
  }
  if (trainFrom !== undefined && trainFrom !== "all")
    emit({
      ...{ type: "frozen", trainFrom },
      ...(frozenBatchNorm ? { frozenBatchNorm } : {}),
      ...(unfreeze ? { unfreeze } : {}),
    });
  if (features) {
    const { views, bytes, seconds, found } = features;
    emit({ type: "features", views, bytes, seconds, found });
  }
  emit({ type: "broken-files", broken: record.broken });
}
