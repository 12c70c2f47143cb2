/** @file How far a study is, in words: pure text of its events and of the state that they make. */

import type { Labels } from "../../arms/arm-labels.ts";
import {
  type DataEvent,
  imagesPerSecond,
  type RangeTestRecord,
  rangeTestRunIn,
  type StudyEvent,
  type StudyProgress,
  subjectKey,
  type TrialProgress,
  trialIn,
  trialsDone,
} from "../../record/index.ts";
import type { Colors } from "../terminal.ts";
import { count, duration, lossText, mebibytes, rate } from "./format.ts";
import { noteLines } from "./study-notes.ts";
import { endLine, epochLine } from "./trial-lines.ts";

/** What a bar shows. */
export interface BarText {
  /** Names what the bar is of: the time left is reckoned anew where another one begins. */
  readonly work: string;
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly detail: string;
}

/**
 * null where there is nothing to show.
 * @param label what arms are called; default: by their names
 */
export function barOf(state: StudyProgress, label: Labels = String): BarText | null {
  const { data, latest } = state;
  if (data !== null) return barOfData(data);
  const run = latest?.kind === "range-test" ? rangeTestRunIn(state, latest.key)?.update : null;
  if (run) {
    const { arm, seed, update, updates, imagesPerSecond, search } = run;
    return {
      work: `range test ${Object.keys(state.rangeTestRuns).length}${search ? " search" : ""}`,
      label: search
        ? `range test ${label(arm)}, looking for its ends`
        : `range test ${label(arm)}, seed ${seed}`,
      done: update,
      total: updates,
      detail: speedText(imagesPerSecond),
    };
  }
  return barOfTrials(
    state,
    latest?.kind === "trial" ? trialIn(state, latest.key) : undefined,
    label,
  );
}

const speedText = (speed: number) => `, ${count(speed)} images/s`;

const WORDS = {
  download: "downloading",
  decode: "decoding",
  features: "computing features of",
  classify: "classifying the validation images with",
} as const satisfies Record<DataEvent["phase"], string>;

const labelOf = ({ phase, what }: DataEvent) => `${WORDS[phase]} ${what}`;
const amountOf = ({ phase }: DataEvent) => (phase === "download" ? mebibytes : count);

function barOfData(event: DataEvent): BarText | null {
  const { phase, what, done, total } = event;
  if (total === null || total === 0) return null;
  const amount = amountOf(event);
  const detail = `, ${amount(done)} of ${amount(total)}`;
  return { work: `${phase} ${what}`, label: labelOf(event), done, total, detail };
}

/** One bar over all trials, so that the time left is that of all. */
function barOfTrials(
  state: StudyProgress,
  latest: TrialProgress | undefined,
  label: Labels,
): BarText | null {
  const { planned } = state;
  const done = trialsDone(state);
  if (done >= planned) return null;
  const update = latest?.update;
  const place = planned > 1 ? ` (run ${(latest?.index ?? 0) + 1} of ${planned})` : "";
  return {
    work: "trials",
    label: update
      ? `${label(update.arm)}, seed ${update.seed}, epoch ${update.epoch}${place}`
      : `${count(Math.floor(done))} of ${count(planned)} runs done`,
    done,
    total: planned,
    detail: update ? speedText(imagesPerSecond(state)) : "",
  };
}

/** A line, and whether it is part of what was asked for, said beside it, or to be copied into a shell. */
export interface Line {
  readonly kind: "print" | "note" | "command";
  readonly text: string;
}

export interface LinesOptions {
  /** Before the event, and after it. */
  readonly before: StudyProgress;
  readonly after: StudyProgress;
  readonly event: StudyEvent;
  /** Whether a bar shows what is under way: fewer lines do. */
  readonly bar: boolean;
  readonly colors: Colors;
  /** Of a terminal, whose width the lines are made to fit; default: as long as they are. */
  readonly columns?: number;
}

/** What is written of an event. */
export function linesOf(options: LinesOptions): Line[] {
  const { event, before, after, bar, colors, columns = Number.POSITIVE_INFINITY } = options;
  const note = (text: string): Line[] => [{ kind: "note", text }];
  const print = (text: string | null): Line[] => (text === null ? [] : [{ kind: "print", text }]);
  switch (event.type) {
    case "data":
      return linesOfData(event, before, bar).flatMap(note);
    case "range-test-started": {
      const { arm, seed, updates, search } = event;
      return bar || search
        ? []
        : note(`range test of ${arm}, seed ${seed}: ${count(updates)} updates`);
    }
    case "range-test-search": {
      const { arm, search, seconds } = event;
      const { from, to, updates, run } = search;
      return note(
        `range test of ${arm}: ${count(run.points.length)} of ${count(updates)} updates found its ends, ${rate(from)} to ${rate(to)} (${duration(seconds)})`,
      );
    }
    case "range-test-update": {
      const { update, updates, lr, smoothedLoss, imagesPerSecond } = event;
      const earlier = rangeTestRunIn(before, subjectKey(event))?.update?.update ?? 0;
      // Of quick updates not each is told.
      if (earlier < TIMED && update >= TIMED && isFirstRamp(event, before))
        return note(lengthText(event));
      if (event.search) return [];
      const quarter = (made: number) => Math.floor((made / updates) * 4);
      if (bar || quarter(update) <= quarter(earlier)) return [];
      return note(
        `  update ${count(update)}/${count(updates)}: learning rate ${rate(lr)}, smoothed loss ${lossText(smoothedLoss)}${speedText(imagesPerSecond)}`,
      );
    }
    case "range-test-finished": {
      const { arm, record } = event;
      return note(`range test of ${arm}: ${suggestedText(record)} (${duration(record.seconds)})`);
    }
    case "warning":
      return note(`${event.arm}, seed ${event.seed}: ${event.message}`);
    case "epoch":
      return print(epochLine(event, { state: after, colors, columns }));
    case "trial-finished":
      return print(endLine(event, { state: after, colors, columns }));
    case "interrupted":
    case "budget-reached":
      return [
        ...noteLines(event).flatMap(note),
        ...(event.command === null ? [] : [{ kind: "command", text: event.command } as const]),
      ];
    case "range-test-run":
    case "plan":
    case "trial-started":
    case "update":
    case "weights":
    case "checkpoint":
      return [];
    default:
      return noteLines(event).flatMap(note);
  }
}

/** Updates after which the time that a range test takes is known well enough to be said. */
const TIMED = 5;

type RangeTestUpdate = Extract<StudyEvent, { type: "range-test-update" }>;

/** Whether no other ramp of the arm has begun: how long they take is said once. */
const isFirstRamp = ({ arm }: RangeTestUpdate, { rangeTestRuns }: StudyProgress): boolean =>
  Object.values(rangeTestRuns).filter(({ started }) => started.arm === arm).length === 1;

/** A seed's updates, and the time that they take; of a search, with those of the ramp that follows. */
function lengthText({ arm, update, updates, search = 0, secondsLeft }: RangeTestUpdate): string {
  const each = secondsLeft / Math.max(1, updates - update);
  return `range test of ${arm}: ${count(updates + search)} updates${search > 0 ? `, ${count(updates)} of them to find the ends of the ramp` : " a seed"}; about ${duration(each * (updates + search))} for a seed`;
}

/** What a range test suggests, in a line. */
function suggestedText({ suggestion, reading, verdict }: RangeTestRecord): string {
  if (!suggestion) return `it cannot say which rate to train with (${verdict.kind})`;
  const { constant, peak } = suggestion;
  return reading === "averaged"
    ? `suggested ${rate(constant.rate)} constant, ${rate(peak.rate)} as a peak`
    : `suggested bounds ${rate(peak.baseLr)} to ${rate(peak.rate)}`;
}

function linesOfData(event: DataEvent, { data: before }: StudyProgress, bar: boolean): string[] {
  const { phase, done, total, what, why } = event;
  const same = before?.phase === phase && before.what === what;
  const lines: string[] = [];
  if (!same && why !== undefined)
    lines.push(`${what}: ${why}; ${phase === "decode" ? "they are decoded" : "it is done"} again`);
  if (bar) return lines;
  if (!same && done !== total) lines.push(`${labelOf(event)} ...`);
  // A line at every tenth of what may take minutes; decoding takes seconds.
  if ((phase === "download" || phase === "features") && total) {
    const tenth = (made: number) => Math.floor((made / total) * 10);
    const amount = amountOf(event);
    if (tenth(done) > tenth(same ? before.done : 0))
      lines.push(`${labelOf(event)}: ${amount(done)} of ${amount(total)}`);
  }
  return lines;
}
