/**
 * @file What is under way. On a terminal: how the arms stand and a bar at its end, with images a second and the
 * time left. Elsewhere: plain lines. Validation accuracy is printed every epoch in both.
 */

import { visibleLine } from "../../core/visible.ts";
import { NO_PROGRESS, progress, type StudyEvent } from "../../record/index.ts";
import type { Terminal } from "../terminal.ts";
import { barLine } from "./bar-line.ts";
import { duration } from "./format.ts";
import { openLiveArea } from "./live-area.ts";
import { type BarText, barOf, linesOf } from "./progress-text.ts";
import { armLabels, standings } from "./standings.ts";

export interface Progress {
  /** Of everything: data, range tests, trials, and what comes after them. */
  readonly onEvent: (event: StudyEvent) => void;
  /** Takes the bar away; idempotent. */
  stop(): void;
}

/** Milliseconds between two pictures of what only moves the bar. */
const REDRAW_EVERY = 125;

/** Of more trials than these a picture takes a while; one is then made in so many times as long. */
const MANY = 1000;
const SHARE = 20;

/** Arms in the table of standings, where the terminal is so high. */
const MOST_ROWS = 12;

export function openProgress(terminal: Terminal): Progress {
  const { colors, interactive } = terminal;
  const isTerminal = (terminal.json ? terminal.stderr : terminal.stdout).isTTY === true;
  const area = interactive ? openLiveArea(terminal.stderr) : null;
  if (area) terminal.around = area.around;
  const leftOf = clock();
  let state = NO_PROGRESS;
  let drawn = Number.NEGATIVE_INFINITY;
  /** Milliseconds that the last picture took. */
  let took = 0;
  /** Milliseconds that a picture is old before an event makes another. */
  const restOf = (event: StudyEvent) =>
    Math.max(isMovement(event) ? REDRAW_EVERY : 0, state.planned > MANY ? took * SHARE : 0);
  return {
    onEvent(event) {
      const before = state;
      state = progress(before, event);
      const after = state;
      const columns = isTerminal ? terminal.columns : Number.POSITIVE_INFINITY;
      const now = performance.now();
      const isDue = now - drawn >= restOf(event);
      const shown =
        area && (isDue || event.type === "data")
          ? barOf(after, armLabels(after, terminal.columns))
          : undefined;
      if (area && shown === null) area.clear();
      for (const { kind, text } of linesOf({
        ...{ event, before, after, bar: area !== null, colors, columns },
      }))
        terminal[kind](text);
      // What changes nothing is a line alone: after the last of them the bar does not come back.
      if (!area || !shown || after === before || !isDue) return;
      drawn = now;
      const { label, done, total, detail } = shown;
      // One less than there are: a terminal breaks a line that is as wide as it is.
      const width = Math.max(1, terminal.columns - 1);
      area.show([
        ...standings(after, { columns: width, rows: rowsOf(terminal), colors: terminal.plain }),
        barLine(
          { label: visibleLine(label), part: done / total, detail, left: leftOf(shown) },
          width,
        ),
      ]);
      took = performance.now() - now;
    },
    stop: () => area?.clear(),
  };
}

const isMovement = ({ type }: StudyEvent): boolean =>
  type === "update" || type === "range-test-update" || type === "data";

/** A third of the terminal's height. */
const rowsOf = ({ stderr }: Terminal): number =>
  Math.min(MOST_ROWS, Math.max(1, Math.floor((stderr.rows ?? 24) / 3)));

/** The time left of a piece of work, from how long what was done since it was first shown took. */
function clock(): (bar: BarText) => string {
  let current = "";
  let started = 0;
  let before = 0;
  return ({ work, done, total }) => {
    if (work !== current) [current, started, before] = [work, performance.now(), done];
    const seconds = (performance.now() - started) / 1000;
    const made = done - before;
    return made > 0 && seconds > 1 ? `, ${duration((seconds / made) * (total - done))} left` : "";
  };
}
