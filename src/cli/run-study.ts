/** @file A study from the command line: opened, run or resumed, with what it tells on the terminal. */

import { shellLine } from "../core/shell.ts";
import type { FinishedStudy, RunStudyOptions } from "../index.ts";
import type { CommandContext } from "./flags/define-command.ts";
import { checkBesideResume, checkResumes, extensionOf } from "./flags/resume-checks.ts";
import type { AskedStudy } from "./flags/study-of-flags.ts";
import type { ShowFlags } from "./study-sink.ts";
import type { Terminal } from "./terminal.ts";

type Context = Pick<CommandContext<Record<string, never>>, "terminal" | "signal"> &
  Pick<RunStudyOptions, "executor">;

/** Opens a study and runs it; null where the call asks for something else to be done with it. */
export async function runFromFlags(
  { study: request, opening, said }: AskedStudy,
  { terminal, signal, flags, executor }: Context & { readonly flags: AsideFlags },
): Promise<FinishedStudy | null> {
  if (said !== undefined) terminal.note(said);
  if (flags.saveAs !== undefined) {
    await saveStudy(flags.saveAs, { request, opening }, terminal);
    return null;
  }
  const { openStudy } = await import("../study/open-study.ts");
  const { runStudy } = await import("../study/run-study.ts");
  const { openSink } = await import("./study-sink.ts");
  const sink = await openSink(terminal, { ...flags, warnings: request.kind !== "find" });
  try {
    const study = await openStudy(request, { ...opening, sink, signal });
    try {
      if (flags.dryRun) {
        const { estimateStudy } = await import("../study/planning/estimate-study.ts");
        const { estimateLines } = await import("./estimate-text.ts");
        const estimate = await estimateStudy(study);
        sink.stop();
        for (const line of estimateLines(estimate)) terminal.print(line);
        terminal.result({ ...estimate, directory: study.path });
        return null;
      }
      return await runStudy(study, { sink, signal, ...(executor ? { executor } : {}) });
    } finally {
      study.close();
    }
  } finally {
    sink.stop();
  }
}

/** What a call asks for beside its study. */
export interface AsideFlags extends ShowFlags {
  readonly saveAs?: string | undefined;
  readonly dryRun?: boolean;
}

/** Writes the study to a file. Its cores are in it where the call said them, as they are a matter of the machine. */
async function saveStudy(
  file: string,
  { request, opening }: { request: AskedStudy["study"]; opening: AskedStudy["opening"] },
  terminal: Terminal,
): Promise<void> {
  const { plannedStudy } = await import("../study/open-study.ts");
  const { writeStudyFile } = await import("../study/study-file.ts");
  const { spec, places } = await plannedStudy(request, opening);
  const { threads, ...rest } = spec;
  const said = request.threads !== undefined || opening.threads !== undefined;
  writeStudyFile(file, said ? spec : rest, places);
  const command = shellLine(["lrscope", spec.kind, file]);
  terminal.print(`${file}: run it by ${command}`);
  terminal.result({ file, command });
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
    readonly mixed?: boolean;
  } & ShowFlags &
    Parameters<typeof extensionOf>[1];
  readonly given: ReadonlySet<string>;
}

/** Resumes the study in a run directory. @throws ArgumentError where the call asks for another */
export async function resumeFromFlags(
  { command, path, source, flags, given }: ResumeCall,
  { terminal, signal, executor }: Context,
): Promise<FinishedStudy> {
  checkBesideResume(command, path, given);
  const extension = extensionOf(command, flags, given);
  const { readRun } = await import("../store/index.ts");
  const { kind, protocol } = readRun(path).experiment;
  checkResumes(command, path, kind);
  const { checkMixed } = await import("../study/executors/mixed.ts");
  checkMixed({ mixed: flags.mixed, time: protocol.time });
  const { resumeStudy } = await import("../study/resuming/resume-study.ts");
  const { openSink } = await import("./study-sink.ts");
  const sink = await openSink(terminal, { ...flags, warnings: command !== "find" });
  try {
    return await resumeStudy(path, {
      places: {
        ...(source === undefined ? {} : { source }),
        ...(given.has("model") ? { model: flags.model } : {}),
        ...(flags.pretrained === undefined ? {} : { pretrained: flags.pretrained }),
      },
      ...(given.has("jobs") ? { jobs: flags.jobs } : {}),
      ...(extension ? { extension } : {}),
      ...(executor ? { executor } : {}),
      sink,
      signal,
    });
  } finally {
    sink.stop();
  }
}
