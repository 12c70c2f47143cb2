/** @file What a study tells once, as lines for people. */

import { visibleLine } from "../../core/visible.ts";
import type { StudyEvent } from "../../record/index.ts";
import { describeBroken, describeCopies, describeSeveral } from "./broken-files.ts";
import { count, duration, mebibytes, plural } from "./format.ts";
import { pretrainedLines } from "./pretrained-lines.ts";

/** Files that cannot be used, of which so many are named. */
const MOST_NAMED = 20;

/** Groups of copies, and files of several pictures, that are named before a study. */
const MOST_COPIES = 3;

/** Events that say how far a study is, or carry its records: see progress-text.ts. */
type OfProgress =
  | ("data" | "plan" | "update" | "epoch" | "warning" | "weights" | "checkpoint")
  | `range-test-${string}`
  | `trial-${string}`;

/** What a study tells by the way. */
export type StudyNote = Exclude<StudyEvent, { type: OfProgress }>;

const hours = (value: number) => String(Number(value.toPrecision(3)));

/** The lines of a note. */
export function noteLines(note: StudyNote): string[] {
  switch (note.type) {
    case "dataset": {
      const { dataset, train, validation, test } = note;
      return [
        `${dataset.name}: ${count(dataset.images)} images at ${dataset.size}x${dataset.size} in ${dataset.classes.length} classes; ${count(train)} to train, ${count(validation)} to validate${test > 0 ? `, ${count(test)} kept for the test` : ""}`,
        ...describeCopies(dataset, { limit: MOST_COPIES }),
        ...describeSeveral(dataset, { limit: MOST_COPIES }),
      ];
    }
    case "pretrained":
      return pretrainedLines(note);
    case "frozen": {
      const { trainFrom, frozenBatchNorm, unfreeze = [] } = note;
      return [
        `trained: ${trainFrom === "head" ? "the last layer" : `${trainFrom} and what follows`}${unfreeze.map(({ from, epoch }) => `, from epoch ${epoch} on ${from === "all" ? "everything" : from}`).join("")}; all before is frozen${frozenBatchNorm === "train" ? ", but for the statistics of its batch norms" : ""} (--train-from all trains everything)`,
      ];
    }
    case "features": {
      const { views, bytes, seconds, found } = note;
      return [
        `features of the frozen part: ${plural(views, "view")} of each training image, ${mebibytes(bytes)}; ${found ? "from the cache, where making them took" : "made in"} ${duration(seconds)}`,
      ];
    }
    case "broken-files":
      return describeBroken(note.broken, { limit: MOST_NAMED });
    case "tuning":
      return ["timing the implementations of each convolution ..."];
    case "tuning-detail":
      return [note.text];
    case "tuned":
      return [
        `tuned: ${note.stepMs.toFixed(1)} ms a step, ${note.ruleStepMs.toFixed(1)} by the rule; ${plural(note.choices, "choice")} other than the rule's`,
      ];
    case "recording":
      return [`records go to ${note.path}`];
    case "planned": {
      const { arms, seeds, epochs, updatesPerEpoch, atATime } = note;
      return [
        `${plural(arms, "arm")} x ${plural(seeds, "seed")}: ${arms * seeds} runs of ${plural(epochs, "epoch")}, ${plural(updatesPerEpoch, "update")} an epoch`,
        ...(atATime
          ? [
              `${plural(atATime.jobs, "run")} at a time with ${plural(atATime.threads, "core")} each (--jobs), as ${atATime.why}`,
            ]
          : []),
      ];
    }
    case "damaged-weights":
      return [note.message];
    case "interrupted": {
      const { path, report, command, finished, planned } = note;
      return [
        ...(planned === undefined
          ? []
          : [`${finished ?? 0} of ${plural(planned, "run")} finished`]),
        report
          ? `records so far: ${path}; their report: ${report}`
          : `records so far: ${path}; nothing in them to report yet`,
        // The command itself is a line of its own, to be copied.
        ...(command ? ["to go on:"] : []),
      ];
    }
    case "resuming":
      return [`going on with ${note.path}: ${plural(note.left, "run")} to finish`];
    case "finished-already":
      return [`${note.path}: is finished already; its report is rendered again`];
    case "not-made-again":
      return [`${note.files.join(" and ")}: not made again: ${note.reason}`];
    case "other-processor":
      return [
        `Note: it was begun on ${visibleLine(note.before)}, this is ${note.here}: equal bits are promised on one model only`,
      ];
    case "other-version":
      return [
        `Note: it was begun by lrscope ${visibleLine(note.before)}, this is ${note.here}: the epochs to come may differ in their last bits from what that would have made of them`,
      ];
    case "steered":
      return [`asked of it: ${[note.what, note.arm, note.epochs].filter(Boolean).join(" ")}`];
    case "rung": {
      const { arm, rung, epoch, decision, reason } = note;
      const what = decision === "pruned" ? "is pruned" : "goes on";
      return [`rung ${rung} (epoch ${epoch}): ${arm} ${what}: ${reason}`];
    }
    case "budget-reached": {
      const { path, what, limit, used, left } = note;
      const spent =
        what === "trials"
          ? `${count(used)} of at most ${plural(limit, "run")} begun (--max-trials)`
          : `${hours(used)} of at most ${hours(limit)} worker-hours used (--max-hours)`;
      return [
        `budget reached: ${spent}; ${plural(left, "run")} not at ${left === 1 ? "its" : "their"} end in ${path}`,
        "to go on with more:",
      ];
    }
    case "executor":
      return [`${note.executor}: ${visibleLine(note.message)}`];
    default:
      return note satisfies never;
  }
}
