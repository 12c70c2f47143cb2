/** @file What a study tells whoever listens: plain data, which the command line turns into text. */

import type { DatasetRecord, Recipe, StudyListener } from "../record/index.ts";

/** Something by the way, told apart by `type`. */
export type StudyNote =
  | {
      type: "data";
      dataset: DatasetRecord;
      /** Images of each part. */
      train: number;
      validation: number;
      test: number;
    }
  /** Weights from elsewhere: how many tensors were taken, and which parameters begin anew. */
  | { type: "pretrained"; source: string; tensors: number; replaced: readonly string[] }
  | ({ type: "frozen" } & Pick<Recipe, "trainFrom" | "frozenBatchNorm" | "unfreeze">)
  | { type: "features"; views: number; bytes: number; seconds: number; found: boolean }
  | { type: "broken-files"; broken: DatasetRecord["broken"] }
  | { type: "tuning" }
  | { type: "tuning-detail"; text: string }
  /** Milliseconds of a step, as tuned and by the engine's rule; choices other than the rule's. */
  | { type: "tuned"; stepMs: number; ruleStepMs: number; choices: number }
  | { type: "recording"; path: string }
  | { type: "planned"; arms: number; seeds: number; epochs: number; updatesPerEpoch: number }
  /** Best weights that cannot be read, and are left out of the confusions. */
  | { type: "damaged-weights"; message: string }
  /** Records so far; `command` resumes it, and is null where nothing can. */
  | { type: "interrupted"; path: string; report: string | null; command: string | null }
  | { type: "resuming"; path: string; left: number }
  | { type: "finished-already"; path: string }
  | { type: "not-made-again"; files: readonly string[]; reason: string }
  | { type: "other-processor"; before: string; here: string };

/** Listeners; each may be left out. */
export interface StudySink {
  readonly event?: StudyListener | undefined;
  readonly note?: ((note: StudyNote) => void) | undefined;
}
