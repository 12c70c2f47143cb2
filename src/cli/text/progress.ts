/**
 * @file What is under way. On a terminal: a bar on stderr with images a second and the time left.
 * Elsewhere: plain lines. Validation accuracy is printed every epoch in both.
 */

import { SingleBar } from "cli-progress";
import { visibleLine } from "../../core/visible.ts";
import { NO_PROGRESS, progress, type StudyEvent } from "../../record/index.ts";
import type { Terminal } from "../terminal.ts";
import { duration } from "./format.ts";
import { type BarText, barOf, linesOf } from "./progress-text.ts";

export interface Progress {
  /** Of everything: data, range tests, trials, and what comes after them. */
  readonly onEvent: (event: StudyEvent) => void;
  /** Takes the bar away; idempotent. */
  stop(): void;
}

export function openProgress(terminal: Terminal): Progress {
  const bar = terminal.interactive ? openBar(terminal) : null;
  const { colors } = terminal;
  let state = NO_PROGRESS;
  return {
    onEvent(event) {
      const before = state;
      state = progress(before, event);
      const after = state;
      const shown = barOf(after);
      if (bar && !shown) bar.stop();
      for (const { kind, text } of linesOf({ event, before, after, bar: bar !== null, colors }))
        terminal[kind](text);
      // What changes nothing is a line alone: after the last of them the bar does not come back.
      if (bar && shown && after !== before) bar.show(shown);
    },
    stop: () => bar?.stop(),
  };
}

interface Bar {
  show(text: BarText): void;
  stop(): void;
}

function openBar(terminal: Terminal): Bar {
  const { stderr } = terminal;
  const bar = new SingleBar({
    format: "{label} {bar} {percentage}%{detail}{left}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    // What stands beside the bar takes up to 72 columns.
    barsize: Math.min(30, Math.max(8, terminal.columns - 72)),
    fps: 8,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    stream: stderr as NodeJS.WriteStream,
  });
  let running = false;
  let current = "";
  let started = 0;
  /** How much was done when this piece of work was first shown. */
  let before = 0;
  let last = { done: 0, total: 1, payload: { label: "", detail: "", left: "" } };
  const stop = () => {
    if (running) bar.stop();
    running = false;
  };
  const start = () => {
    bar.start(last.total, last.done, last.payload);
    running = true;
  };
  // A line above the bar: the bar goes, the line is written, the bar comes back.
  terminal.around = (write) => {
    const wasRunning = running;
    stop();
    write();
    if (wasRunning) start();
  };
  return {
    show({ work, label, done, total, detail }) {
      if (work !== current) {
        stop();
        current = work;
        started = performance.now();
        before = done;
      }
      const seconds = (performance.now() - started) / 1000;
      const made = done - before;
      const left =
        made > 0 && seconds > 1 ? `, ${duration((seconds / made) * (total - done))} left` : "";
      last = { done, total, payload: { label: visibleLine(label), detail, left } };
      if (running) {
        bar.setTotal(total);
        bar.update(done, last.payload);
      } else start();
    },
    stop,
  };
}
