/** @file A study, resumed from its folder: what is on the disk stays, the rest is done. */

import { availableParallelism } from "node:os";
import { tasksAtOnce } from "../../arms/tasks-at-once.ts";
import { differences } from "../../core/differences.ts";
import { ArgumentError, InterruptedError, LrscopeError, StoreError } from "../../core/errors.ts";
import { type ExperimentRecord, isAsEver, type StudySpec } from "../../record/index.ts";
import {
  acquireLease,
  openRunDirectory,
  type Run,
  type RunDirectory,
  readRun,
} from "../../store/index.ts";
import { emitter } from "../../train/emit.ts";
import { confusionsFrom } from "../artefacts/confusions.ts";
import { hasSamples } from "../artefacts/samples.ts";
import { deriveResults } from "../derive.ts";
import { open } from "../open-study.ts";
import {
  type ArmFilePlaces,
  findArmFiles,
  loadArmFiles,
  namedArms,
} from "../own-code/arm-files.ts";
import { checkObjects } from "../own-code/arm-objects.ts";
import { findPlaces, type StudyPlaces } from "../places.ts";
import { cannotGoOn, recordedConvolutions } from "../recorded-plan.ts";
import {
  commandOf,
  type FinishedStudy,
  finishedStudy,
  type RunStudyOptions,
  recordedStudy,
  sweepFinished,
} from "../run-study.ts";
import { type ExtendedRun, extendedRun, type StudyExtension } from "./extend-study.ts";
import { unfinished } from "./unfinished.ts";

export interface ResumeStudyOptions extends RunStudyOptions {
  /** Where data, network and weights lie, where this machine's cache does not know it. */
  readonly places?: Partial<StudyPlaces>;
  /** Trials at a time; default: as many as it was begun with, as far as the cores go. */
  readonly jobs?: number | undefined;
  /** What it is to have beside what it was begun with: epochs, arms, seeds; whether it had ended or not. */
  readonly extension?: StudyExtension | undefined;
}

/**
 * Resumes the study in a run directory. Finished trials are left as they are, others go on from their
 * newest checkpoint. In the end all that follows from the records is made again, as it would have been
 * without the interruption; of a study whose trials have all ended, that alone. With an `extension`, trials that
 * had ended go on from their last weights, and all is as if the study had been asked for so.
 * @throws ArgumentError where the extension asks for less than there is, or leaves open how a schedule goes on
 * @throws StoreError, exit code 2, where data, protocol or engine are not what they were, or another
 *   process is at work in the directory
 */
export async function resumeStudy(
  path: string,
  options: ResumeStudyOptions = {},
): Promise<FinishedStudy> {
  const { emit, settled } = emitter(options.sink?.event);
  const { specification } = readRun(path).experiment;
  const lease = await acquireLease(path);
  try {
    const directory = openRunDirectory(path, lease);
    sweepFinished(directory, specification);
    const recorded = readRun(path);
    const { extension } = options;
    const extended = extension
      ? await extendedOf(path, recorded, { extension, places: options.places })
      : null;
    const run = extended?.run ?? recorded;
    const left = unfinished(path, run);
    if (extended && left === 0)
      throw new ArgumentError(
        `${commandOf(run.experiment.kind)}: nothing of ${path} goes on: ${run.experiment.kind === "find" ? "its range test cannot say which rate to go on with; begin a new one, longer, or with --force" : "its runs diverged, were pruned, or were ended by time, target or patience; begin a new run"}`,
      );
    const going = {
      ...{ run, left },
      ...(extended ? { write: extended.write, files: extended.files } : {}),
    };
    if (left > 0) return await resume(options, directory, going);
    emit({ type: "finished-already", path });
    const files = missingOf(path, run);
    if (files.length > 0)
      try {
        return await resume(options, directory, going);
      } catch (error) {
        if (!(error instanceof LrscopeError) || error instanceof InterruptedError) throw error;
        emit({ type: "not-made-again", files, reason: error.message });
      }
    await settled();
    const { run: derived, report } = await deriveResults(directory, { ended: true });
    return finishedStudy({ path, report: report ?? "", run: derived });
  } finally {
    lease.release();
  }
}

/** What an extension makes of a run; files of the arms that it adds are named and loaded as those that are there. */
async function extendedOf(
  path: string,
  run: Run,
  {
    extension,
    places,
  }: {
    readonly extension: StudyExtension;
    readonly places: ResumeStudyOptions["places"] | undefined;
  },
): Promise<ExtendedRun & { readonly files: ArmFilePlaces }> {
  const spec = recordedStudyOf(path, run.experiment);
  checkObjects(spec, path);
  const command = commandOf(spec.kind);
  const { texts, places: said } = namedArms(extension.optimizers ?? [], places?.files);
  const known = await findArmFiles(`${command} --resume ${path}`, spec.files ?? [], said);
  const files = { ...said, ...known };
  const loaded = await loadArmFiles([...spec.optimizers, ...texts], files, spec.files);
  const extended = await extendedRun(
    run,
    loaded.length > 0 ? { ...spec, files: loaded } : spec,
    { ...extension, ...(extension.optimizers ? { optimizers: texts } : {}) },
    { command, path },
  );
  return { ...extended, files };
}

/** What follows from the records of a finished run, and cannot be made without images and weights. */
const missingOf = (path: string, run: Run): string[] => [
  ...(run.experiment.specification?.answers.samples && !hasSamples(path) ? ["samples.json"] : []),
  ...(run.experiment.kind === "find" || confusionsFrom(path, run) === "these"
    ? []
    : ["confusions.json"]),
];

/** Opens the study as it was begun, and does what is left of it: tasks, or what follows from them. */
async function resume(
  options: ResumeStudyOptions,
  directory: RunDirectory,
  {
    run: { experiment },
    left,
    write,
    files,
  }: { run: Run; left: number; write?: ExtendedRun["write"]; files?: ArmFilePlaces },
): Promise<FinishedStudy> {
  const { path } = directory;
  const spec = recordedStudyOf(path, experiment);
  checkObjects(spec, path);
  const { sink = {}, signal } = options;
  const places = await findPlaces({
    call: `${commandOf(experiment.kind)} --resume ${path}`,
    experiment,
    recorded: spec,
    said: {
      source: options.places?.source,
      model: options.places?.model,
      pretrained: options.places?.pretrained,
      files: files ?? options.places?.files,
    },
  });
  const jobs = jobsOf({ command: commandOf(spec.kind), jobs: options.jobs }, experiment, spec.jobs);
  const { features, protocol } = experiment;
  const study = await open({
    // Each trial gets the cores that it had, as its bits depend on them.
    spec: { ...spec, threads: protocol.threads },
    ...{ places, path, isNamed: true, jobs, check: left > 0, sink },
    // The features' bits may depend on it.
    preparationThreads: features ? (features.threads ?? protocol.threads) : protocol.threads * jobs,
    convolutions: recordedConvolutions(path),
    ...(signal ? { signal } : {}),
  });
  try {
    checkSame(path, experiment, study.experiment);
    const [before, here] = [experiment.machine.processor, study.experiment.machine.processor];
    const { emit, settled } = emitter(sink.event);
    if (before !== here) emit({ type: "other-processor", before, here });
    const [version, now] = [experiment.lrscope, study.experiment.lrscope];
    if (left > 0 && version !== now) {
      emit({ type: "other-version", before: version, here: now });
      // Its instructions were that version's. Engine, cores and precision were compared above.
      directory.remove("plan.json");
    }
    write?.(directory, study.experiment);
    if (left > 0) {
      emit({ type: "resuming", path, left });
      // It is of trials that now go on; there is one again when they have ended.
      directory.remove("summary.json");
    }
    await settled();
    return await recordedStudy(
      { ...study, experiment },
      { ...options, directory, tasks: left > 0 },
    );
  } finally {
    study.close();
  }
}

/**
 * Trials at the same time: as many as are said, else as it was begun with, as far as the cores of this
 * machine go. Each trial keeps the threads that it had, as its bits depend on them.
 * @throws ArgumentError where more are said than there are cores for
 */
export function jobsOf(
  { command, jobs }: { readonly command: string; readonly jobs?: number | undefined },
  { protocol, arms, specification }: Pick<ExperimentRecord, "protocol" | "arms" | "specification">,
  begunWith = 1,
  cores = availableParallelism(),
): number {
  const room = Math.max(1, Math.floor(cores / protocol.threads));
  if (jobs !== undefined && jobs > room)
    throw new ArgumentError(
      `${command}: --jobs ${jobs} would take ${jobs * protocol.threads} cores, as each run has ${protocol.threads} here and keeps them; there are ${cores}. Use --jobs ${room}`,
    );
  const wanted = jobs ?? Math.min(begunWith, room);
  if (specification) return tasksAtOnce({ ...specification, jobs: wanted });
  return Math.min(wanted, arms.length * protocol.seeds.length);
}

/**
 * @throws StoreError, exit code 2, for an experiment that was not begun to be resumed, or whose study is
 *   not the one that the rest of its record speaks of
 */
function recordedStudyOf(path: string, experiment: ExperimentRecord): StudySpec {
  const { kind, specification, protocol, dataset, arms } = experiment;
  if (specification === undefined)
    throw new StoreError(
      `${path}: cannot be resumed: it was made by ${kind === "find" ? "an earlier version of lrscope, which did not record how a range test is made" : "an earlier version of lrscope, or by the library, which did not record how"}; begin anew`,
      { exitCode: 2 },
    );
  const { sensitivity = 1, optimizers, seeds, data, cacheFeatures } = specification;
  const found = differences(
    {
      kind,
      epochs: protocol.epochs,
      seeds: protocol.seeds,
      "optimizers x sensitivity": arms.length,
      finderSeeds: protocol.finderSeeds ?? 1,
      "data.size": dataset.size,
      cacheFeatures: protocol.cacheFeatures ?? null,
    },
    {
      kind: specification.kind,
      epochs: specification.epochs,
      seeds,
      "optimizers x sensitivity": optimizers.length * sensitivity,
      finderSeeds: specification.finderSeeds,
      "data.size": data.size ?? dataset.size,
      cacheFeatures: cacheFeatures ?? null,
    },
  );
  if (found.length > 0)
    throw new StoreError(
      `${path}/experiment.json: specification does not agree with the rest of the record: ${found.join("; ")}; bring back the file as it was written, or begin anew`,
      { exitCode: 2 },
    );
  return specification;
}

/**
 * Versions of which one resumes what the other began. What they compute is the same but for the last bits: 0.2 takes
 * the first block of a network in one instruction, and adds up batch norms in wider vectors (decisions 0035 and 0041).
 */
const RESUMABLE: readonly string[] = ["0.1.0", "0.2.0"];

/** How the last layer begins, where version 0.1 would have begun otherwise: its records do not say. */
const beginning = ({ lastLayer, ...rest }: NonNullable<ExperimentRecord["model"]["pretrained"]>) =>
  lastLayer === undefined || isAsEver(lastLayer) ? rest : { ...rest, lastLayer };

/** What fixes an experiment's bits, the compiled step aside, which plan.json has. */
const fixed = ({
  lrscope,
  engine,
  dataset: { firstOfSeveral: _, ...dataset },
  model,
  protocol,
  arms,
}: ExperimentRecord) => ({
  dataset,
  model: { ...model, ...(model.pretrained ? { pretrained: beginning(model.pretrained) } : {}) },
  protocol,
  arms,
  lrscope: RESUMABLE.includes(lrscope) ? RESUMABLE[0] : lrscope,
  engine,
});

/** @throws StoreError naming where data, network, protocol or version are not what they were */
export function checkSame(path: string, recorded: ExperimentRecord, now: ExperimentRecord): void {
  // As it would be read back: what is undefined is absent.
  const found = differences(fixed(recorded), JSON.parse(JSON.stringify(fixed(now))));
  if (found.length > 0) throw cannotGoOn(path, found);
}
