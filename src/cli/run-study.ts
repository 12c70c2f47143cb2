/** @file A study from the command line: opened, run or resumed, with what it tells on the terminal. */

import type { FinishedStudy } from "../index.ts";
import type { CommandContext } from "./flags/define-command.ts";
import { checkBesideResume, checkResumes, extensionOf } from "./flags/resume-checks.ts";
import type { AskedStudy } from "./flags/study-of-flags.ts";

type Context = Pick<CommandContext<Record<string, never>>, "terminal" | "signal">;

/** Opens a study and runs it. */
export async function runFromFlags(
  { study: request, opening, said }: AskedStudy,
  { terminal, signal }: Context,
): Promise<FinishedStudy> {
  if (said !== undefined) terminal.note(said);
  const { openStudy } = await import("../study/open-study.ts");
  const { runStudy } = await import("../study/run-study.ts");
  const { studyOutput } = await import("./text/study-output.ts");
  const sink = studyOutput(terminal, { warnings: request.kind !== "find" });
  try {
    const study = await openStudy(request, { ...opening, sink, signal });
    try {
      return await runStudy(study, { sink, signal });
    } finally {
      study.close();
    }
  } finally {
    sink.stop();
  }
}

export interface ResumeCall {
  readonly command: "find" | "train" | "compare";
  readonly path: string;
  /** Where the data lie, where that has to be said. */
  readonly source: string | undefined;
  readonly flags: {
    readonly model: string;
    readonly pretrained: string | undefined;
    readonly jobs?: number;
  } & Parameters<typeof extensionOf>[1];
  readonly given: ReadonlySet<string>;
}

/** Resumes the study in a run directory. @throws ArgumentError where the call asks for another */
export async function resumeFromFlags(
  { command, path, source, flags, given }: ResumeCall,
  { terminal, signal }: Context,
): Promise<FinishedStudy> {
  checkBesideResume(command, path, given);
  const extension = extensionOf(command, flags, given);
  const { readRun } = await import("../store/index.ts");
  checkResumes(command, path, readRun(path).experiment.kind);
  const { resumeStudy } = await import("../study/resume-study.ts");
  const { studyOutput } = await import("./text/study-output.ts");
  const sink = studyOutput(terminal, { warnings: command !== "find" });
  try {
    return await resumeStudy(path, {
      places: {
        ...(source === undefined ? {} : { source }),
        ...(given.has("model") ? { model: flags.model } : {}),
        ...(flags.pretrained === undefined ? {} : { pretrained: flags.pretrained }),
      },
      ...(given.has("jobs") ? { jobs: flags.jobs } : {}),
      ...(extension ? { extension } : {}),
      sink,
      signal,
    });
  } finally {
    sink.stop();
  }
}
