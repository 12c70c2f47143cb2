/** @file Where the events of a study go that was asked for on a command line: the terminal, and a file of JSON lines. */

import { closeSync, openSync, writeSync } from "node:fs";
import { ArgumentError, codeOf } from "../core/errors.ts";
import { visibleJson } from "../core/visible.ts";
import type { StudyEvent } from "../record/index.ts";
import type { Terminal } from "./terminal.ts";
import { mebibytes } from "./text/format.ts";
import type { StudyOutput } from "./text/study-output.ts";

export interface ShowFlags {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** "-": stdout. */
  readonly events?: string | undefined;
  /** Whether the live page is opened beside it. */
  readonly live?: boolean;
}

/** @throws ArgumentError for flags that contradict each other, or a file that cannot be written */
export async function openSink(
  terminal: Terminal,
  {
    quiet = false,
    verbose = false,
    live = false,
    events,
    warnings,
  }: ShowFlags & { readonly warnings: boolean },
): Promise<StudyOutput> {
  if (quiet && verbose)
    throw new ArgumentError("--quiet and --verbose contradict each other; leave one out");
  const { studyOutput } = await import("./text/study-output.ts");
  const lines = events === undefined ? null : openLines(events, terminal);
  const shown = studyOutput(quiet ? silenced(terminal) : terminal, { warnings });
  const page = live ? (await import("./live-page.ts")).livePage(terminal) : null;
  // What is to be copied is said all the same.
  const loud = quiet ? studyOutput({ ...terminal, interactive: false }, { warnings }) : shown;
  return {
    event(event) {
      lines?.write(event);
      page?.event(event);
      (event.type === "interrupted" ? loud : shown).event?.(event);
      const more = verbose && verboseLine(event);
      if (more) terminal.note(more);
    },
    stop() {
      shown.stop();
      lines?.close();
      page?.close();
    },
  };
}

/** Of which only what fails is heard: that is no event. */
const silenced = (terminal: Terminal): Terminal => ({
  ...terminal,
  interactive: false,
  print: () => undefined,
  note: () => undefined,
});

function openLines(place: string, terminal: Terminal) {
  const line = (event: StudyEvent) => `${visibleJson(JSON.stringify(event))}\n`;
  if (place === "-")
    return {
      write: (event: StudyEvent) => void terminal.stdout.write(line(event)),
      close: () => undefined,
    };
  let descriptor: number | null;
  try {
    descriptor = openSync(place, "w");
  } catch (error) {
    throw new ArgumentError(
      `--events ${place}: the file cannot be written (${codeOf(error) ?? String(error)}); name another`,
    );
  }
  return {
    write(event: StudyEvent) {
      if (descriptor !== null) writeSync(descriptor, line(event));
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}

/** What is else passed over; null: the event has a line anyway, or comes with every update. */
function verboseLine(event: StudyEvent): string | null {
  switch (event.type) {
    case "plan": {
      const { engine, precision, memory, flops } = event.plan;
      return `plan of ${event.arm}, seed ${event.seed}: ${engine}, ${precision}, ${mebibytes(memory.persistentBytes + memory.arenaBytes)}, ${((flops.forward + flops.backward) / 1e9).toFixed(2)} GFLOP a step`;
    }
    case "trial-started":
      return `schedule of ${event.trial.arm}, seed ${event.trial.seed}: ${JSON.stringify(event.trial.schedule)}, from ${event.trial.learningRateSource}`;
    case "weights":
      return `${event.which} weights of ${event.arm}, seed ${event.seed}: those of epoch ${event.epoch}`;
    case "checkpoint":
      return `checkpoint of ${event.arm}, seed ${event.seed}, after epoch ${event.epoch}`;
    default:
      return null;
  }
}
