/**
 * @file What is under way. On a terminal: a bar on stderr with images a second and the time left.
 * Elsewhere: plain lines. Validation accuracy is printed every epoch in both.
 */

import { SingleBar } from "cli-progress";
import { visibleLine } from "../../core/visible.ts";
import type { DataProgress } from "../../data/types.ts";
import type { LabEvent, LabListener } from "../../train/events.ts";
import type { Terminal } from "../terminal.ts";
import { accuracy, count, duration, lossText, mebibytes, rate } from "./format.ts";
import { trialBoard } from "./trial-board.ts";

type Around = Omit<DataProgress, "phase"> & { readonly phase: keyof typeof WORDS };

export interface Progress {
  /** What comes before the trials, and what comes after them. */
  readonly data: (progress: Around) => void;
  readonly lab: LabListener;
  /** Takes the bar away; idempotent. */
  stop(): void;
}

export function openProgress(terminal: Terminal): Progress {
  const bar = terminal.interactive ? openBar(terminal) : null;
  return {
    data: dataProgress(terminal, bar),
    lab: labProgress(terminal, bar),
    stop: () => bar?.stop(),
  };
}

// ---------------------------------------------------------------------------------------------
// The bar

interface Bar {
  /** Begin a new piece of work, in the units of `show`. */
  begin(): void;
  show(state: { label: string; done: number; total: number; detail: string }): void;
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
  let started = 0;
  /** How much was done when this piece of work was first shown. */
  let before: number | null = null;
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
    begin() {
      stop();
      started = performance.now();
      before = null;
    },
    show({ label, done, total, detail }) {
      const seconds = (performance.now() - started) / 1000;
      before ??= done;
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

// ---------------------------------------------------------------------------------------------
// Downloads, decoding, and what is done for the report

const WORDS = {
  download: "downloading",
  decode: "decoding",
  features: "computing features of",
  classify: "classifying the validation images with",
} as const satisfies Record<DataProgress["phase"] | "classify", string>;

function dataProgress(terminal: Terminal, bar: Bar | null): Progress["data"] {
  let current = "";
  let lastTenth = -1;
  return ({ phase, done, total, what, why }) => {
    const key = `${phase} ${what}`;
    const label = `${WORDS[phase]} ${what}`;
    if (key !== current) {
      current = key;
      lastTenth = -1;
      if (why !== undefined)
        terminal.note(
          `${what}: ${why}; ${phase === "decode" ? "they are decoded" : "it is done"} again`,
        );
      if (bar) bar.begin();
      else if (done !== total) terminal.note(`${label} ...`);
    }
    const amount = phase === "download" ? mebibytes : count;
    if (bar) {
      if (total !== null && total > 0 && done < total)
        bar.show({ label, done, total, detail: `, ${amount(done)} of ${amount(total)}` });
      if (done === total) bar.stop();
      return;
    }
    // Plain: a line at every tenth of what may take minutes; decoding takes seconds.
    if ((phase === "download" || phase === "features") && total) {
      const tenth = Math.floor((done / total) * 10);
      if (tenth > lastTenth && tenth > 0)
        terminal.note(`${label}: ${amount(done)} of ${amount(total)}`);
      lastTenth = Math.max(lastTenth, tenth);
    }
  };
}

// ---------------------------------------------------------------------------------------------
// The lab

function labProgress(terminal: Terminal, bar: Bar | null): LabListener {
  const { colors } = terminal;
  const trialsUnderWay = trialBoard();
  let speed = 0;
  let lastQuarter = 0;
  let armWidth = 0;
  /** Bar and time left run over all trials at once; a range test has a bar of its own. */
  let phase: "none" | "range test" | "trials" = "none";
  const enter = (next: typeof phase) => {
    if (phase !== next || next === "range test") bar?.begin();
    phase = next;
  };

  const handlers: { [T in LabEvent["type"]]?: (event: Extract<LabEvent, { type: T }>) => void } = {
    "range-test-started"({ arm, seed, updates }) {
      enter("range test");
      lastQuarter = 0;
      if (!bar) terminal.note(`range test of ${arm}, seed ${seed}: ${count(updates)} updates`);
    },
    "range-test-update"({ arm, seed, update, updates, lr, smoothedLoss, imagesPerSecond }) {
      const detail = `, ${count(imagesPerSecond)} images/s`;
      bar?.show({ label: `range test ${arm}, seed ${seed}`, done: update, total: updates, detail });
      const quarter = Math.floor((update / updates) * 4);
      if (!bar && quarter > lastQuarter)
        terminal.note(
          `  update ${count(update)}/${count(updates)}: learning rate ${rate(lr)}, smoothed loss ${lossText(smoothedLoss)}${detail}`,
        );
      lastQuarter = quarter;
    },
    "range-test-finished"({ arm, record }) {
      bar?.stop();
      const { maxLr, baseLr } = record.suggestion;
      terminal.note(
        `range test of ${arm}: suggested bounds ${rate(baseLr)} to ${rate(maxLr)} (${duration(record.seconds)})`,
      );
    },
    "trial-started"({ trial, index, trials }) {
      enter("trials");
      trialsUnderWay.begin(trial, index, trials);
      armWidth = Math.max(armWidth, trial.arm.length);
    },
    update({ arm, seed, epoch, update, updates, imagesPerSecond }) {
      speed = imagesPerSecond;
      const { index, trials, done, together } = trialsUnderWay.advance(
        { arm, seed },
        update / updates,
        imagesPerSecond,
      );
      bar?.show({
        label: `${arm}, seed ${seed}, epoch ${epoch}${trials > 1 ? ` (run ${index + 1} of ${trials})` : ""}`,
        done: done * updates,
        total: trials * updates,
        detail: `, ${count(together)} images/s`,
      });
    },
    warning({ arm, seed, message }) {
      terminal.note(`${arm}, seed ${seed}: ${message}`);
    },
    epoch({ arm, seed, metrics }) {
      if (metrics.diverged) return;
      const { epoch, trainLoss, trainAccuracy, validationAccuracy, lr } = metrics;
      terminal.print(
        [
          `${arm.padEnd(armWidth)}  seed ${seed}  epoch ${String(epoch).padStart(3)}`,
          `loss ${lossText(trainLoss)}`,
          `training ${accuracy(trainAccuracy)}`,
          `validation ${colors.bold(accuracy(validationAccuracy))}`,
          colors.dim(`lr ${rate(lr)}`),
          colors.dim(`${duration(metrics.seconds)}, ${count(speed)} images/s`),
        ].join("  "),
      );
    },
    "trial-finished"({ trial }) {
      if (trialsUnderWay.end(trial)) bar?.stop();
      const subject = `${trial.arm.padEnd(armWidth)}  seed ${trial.seed}`;
      if (trial.divergence) {
        const { update, learningRate, epoch } = trial.divergence;
        terminal.print(
          `${subject}  ${colors.red("diverged")} in epoch ${epoch}: the loss stopped being finite at update ${count(update)}, learning rate ${rate(learningRate)}`,
        );
      } else if (trial.endedBy) {
        terminal.print(`${subject}  ended early: ${trial.endedBy}`);
      } else if (trial.status === "failed") {
        terminal.print(`${subject}  ${colors.red("failed")}: ${visibleLine(trial.failure ?? "")}`);
      }
    },
  };
  return (event) => (handlers[event.type] as ((event: LabEvent) => void) | undefined)?.(event);
}
