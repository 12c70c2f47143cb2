/** @file `compare --resume DIR` and `train --resume DIR`: what is on the disk stays, the rest is done. */

import { availableParallelism } from "node:os";
import type { CommandContext } from "../cli/flags/define-command.ts";
import { plural } from "../cli/text/format.ts";
import { ArgumentError, InterruptedError, LrscopeError } from "../core/errors.ts";
import { hasSameBits, VERSION } from "../core/version.ts";
import type { ExperimentRecord } from "../record/index.ts";
import type { Run, RunDirectory } from "../store/index.ts";
import {
  type ComparisonCall,
  checkTrialsOf,
  type FinishedComparison,
  finishedComparison,
  protocolOf,
  runTrialsOf,
  seedsOf,
} from "./comparison.ts";
import { findPlaces } from "./places.ts";
import { cannotGoOn, recordedConvolutions } from "./recorded-plan.ts";
import {
  type FinishedExperiment,
  openExperiment,
  recordedWork,
  sweepFinished,
} from "./run-experiment.ts";
import { recall } from "./specification.ts";

export interface ResumeCall {
  readonly command: "compare" | "train";
  /** The run directory. */
  readonly path: string;
  /** Where the data lie, where that has to be said. */
  readonly source: string | undefined;
  /** Said with the call; else as many as it was begun with. */
  readonly jobs?: number | undefined;
  readonly flags: { readonly model: string; readonly pretrained: string | undefined };
  readonly given: ReadonlySet<string>;
  readonly context: Pick<CommandContext<Record<string, never>>, "terminal" | "signal">;
}

/** What may stand beside --resume: the rest is in the directory. */
const MAY_BE_SAID = new Set(["resume", "jobs", "model", "pretrained", "json"]);

/**
 * Goes on with a comparison. Finished trials are left as they are, others go on from their newest
 * checkpoint. In the end all that follows from the records is made again, as it would have been without
 * the interruption; of a comparison whose trials have all ended, that alone.
 * @throws StoreError, exit code 2, where data, protocol or engine are not what they were, or another
 *   process is at work in the directory
 */
export async function resumeComparison(call: ResumeCall): Promise<FinishedComparison> {
  const { command, path, context } = call;
  checkGiven(call);
  const { acquireLease, openRunDirectory, readRun } = await import("../store/index.ts");
  checkKind(command, path, readRun(path).experiment.kind);
  const lease = await acquireLease(path);
  try {
    const directory = openRunDirectory(path, lease);
    await sweepFinished(directory);
    const run = readRun(path);
    const left = await unfinished(run);
    if (left > 0) return finishedComparison(await goOn(call, directory, { run, left }));
    context.terminal.note(`${path}: is finished already; its report is rendered again`);
    const missing = await missingOf(path, run);
    if (missing.length > 0)
      try {
        return finishedComparison(await goOn(call, directory, { run, left }));
      } catch (error) {
        if (!(error instanceof LrscopeError) || error instanceof InterruptedError) throw error;
        context.terminal.note(`${missing.join(" and ")}: not made again: ${error.message}`);
      }
    const { deriveResults } = await import("./derive.ts");
    const { run: derived, report } = await deriveResults(directory, { ended: true });
    return finishedComparison({ path, report: report ?? "", run: derived });
  } finally {
    lease.release();
  }
}

/** What follows from the records of a finished run, and cannot be made without images and weights. */
async function missingOf(path: string, run: Run): Promise<string[]> {
  const { hasSamples } = await import("./artefacts/samples.ts");
  const { confusionsFrom } = await import("./artefacts/confusions.ts");
  const wanted = run.experiment.specification?.flags.samples === true;
  return [
    ...(wanted && !hasSamples(path) ? ["samples.json"] : []),
    ...(confusionsFrom(path, run) === "these" ? [] : ["confusions.json"]),
  ];
}

/** Opens the experiment as it was begun, and does what is left of it: trials, or what follows from them. */
async function goOn(
  call: ResumeCall,
  directory: RunDirectory,
  { run: { experiment }, left }: { run: Run; left: number },
): Promise<FinishedExperiment> {
  const { command, path, given, context } = call;
  const recorded = recall(path, experiment);
  const places = await findPlaces({
    call: `${command} --resume ${path}`,
    experiment,
    recorded,
    said: {
      source: call.source,
      model: given.has("model") ? call.flags.model : undefined,
      pretrained: call.flags.pretrained,
    },
  });
  const { differences } = await import("../core/differences.ts");
  const { protocolOptions } = await import("../train/protocol-options.ts");
  const { armsOf } = await import("../arms/trials.ts");
  const jobs = jobsOf(call, experiment, recorded.jobs);
  const comparison: ComparisonCall = {
    ...recorded,
    kind: experiment.kind,
    source: places.source,
    flags: {
      ...recorded.flags,
      model: places.model,
      pretrained: places.pretrained,
      out: path,
      // Of all trials together: each gets what it had.
      threads: experiment.protocol.threads * jobs,
    },
    // The features' bits may depend on it.
    ...(experiment.features && {
      preparationThreads: experiment.features.threads ?? experiment.protocol.threads,
    }),
    jobs,
    given: new Set(),
    context,
  };
  return openExperiment(
    {
      ...comparison,
      arms: armsOf(comparison),
      seeds: seedsOf(comparison),
      convolutions: recordedConvolutions(path),
      protocol: protocolOptions(protocolOf(comparison)),
      ...(left > 0 ? { check: (setup) => checkTrialsOf(comparison, setup) } : {}),
    },
    async (opened) => {
      checkSame(experiment, opened.experiment, call, differences);
      if (left > 0) {
        context.terminal.note(`going on with ${path}: ${plural(left, "run")} to finish`);
        // It is of trials that now go on; there is one again when they have ended.
        directory.remove("summary.json");
      }
      return recordedWork(
        {
          context,
          flags: comparison.flags,
          work: async (all) => {
            if (left > 0) await runTrialsOf(comparison, all);
          },
        },
        { ...opened, experiment, directory },
      );
    },
  );
}

/** Trials that have not run to their end. */
async function unfinished({ experiment, trials }: Run): Promise<number> {
  const { isFinished } = await import("../train/trial-state.ts");
  const { arms, protocol } = experiment;
  return (
    arms.length * protocol.seeds.length - trials.filter(({ trial }) => isFinished(trial)).length
  );
}

/**
 * Trials at the same time: as many as are said, else as it was begun with, as far as the cores of this
 * machine go. Each trial keeps the threads that it had, as its bits depend on them.
 * @throws ArgumentError where more are said than there are cores for
 */
export function jobsOf(
  { command, jobs }: Pick<ResumeCall, "command" | "jobs">,
  { protocol, arms }: ExperimentRecord,
  begunWith = 1,
  cores = availableParallelism(),
): number {
  const room = Math.max(1, Math.floor(cores / protocol.threads));
  if (jobs !== undefined && jobs > room)
    throw new ArgumentError(
      `${command}: --jobs ${jobs} would take ${jobs * protocol.threads} cores, as each run has ${protocol.threads} here and keeps them; there are ${cores}. Use --jobs ${room}`,
    );
  return Math.min(jobs ?? Math.min(begunWith, room), arms.length * protocol.seeds.length);
}

/** @throws ArgumentError for a flag that the directory answers already */
function checkGiven({ command, path, given }: ResumeCall): void {
  for (const key of given)
    if (!MAY_BE_SAID.has(key)) {
      const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new ArgumentError(
        `${command}: ${flag} has no effect beside --resume, which takes all but --jobs, --model FILE, --pretrained FILE and --json from ${path}; leave it out`,
      );
    }
}

/** @throws ArgumentError where another command goes on with it, or none */
function checkKind(
  command: ResumeCall["command"],
  path: string,
  kind: ExperimentRecord["kind"],
): void {
  if (kind === "find") return;
  const right = kind === "train" ? "train" : "compare";
  if (command !== right)
    throw new ArgumentError(
      `${command}: ${path} holds a ${kind === "train" ? "single run" : "comparison"}; go on with it by lrscope ${right} --resume ${path}`,
    );
}

/** What fixes an experiment's bits, the compiled step aside, which plan.json has. */
const fixed = ({ lrscope, engine, dataset, model, protocol, arms }: ExperimentRecord) => ({
  dataset,
  model,
  protocol,
  arms,
  lrscope: hasSameBits(lrscope) ? VERSION : lrscope,
  engine,
});

/** @throws StoreError naming where data, network, protocol or version are not what they were */
function checkSame(
  recorded: ExperimentRecord,
  now: ExperimentRecord,
  { path, context }: ResumeCall,
  differences: (a: unknown, b: unknown) => string[],
): void {
  // As it would be read back: what is undefined is absent.
  const found = differences(fixed(recorded), JSON.parse(JSON.stringify(fixed(now))));
  if (found.length > 0) throw cannotGoOn(path, found);
  const [before, here] = [recorded.machine.processor, now.machine.processor];
  if (before !== here)
    context.terminal.note(
      `Note: it was begun on ${before}, this is ${here}: equal bits are promised on one model only`,
    );
}
