/** @file What workers ask of attempts at tasks, turn by turn, and what those who look are told of them. */

import type { CheckpointRecord, StudyEvent, TaskFile } from "../../../record/index.ts";
import type { RunDirectory, WeightsOnDisk } from "../../../store/index.ts";
import type { AttemptEnd } from "../local-executor.ts";
import type { Begun, DiedRequest, EndRequest, Granted } from "./messages.ts";

export interface AttemptsOptions {
  readonly directory: RunDirectory;
  /** Hears what was accepted; never throws. */
  onEvent(event: StudyEvent): void;
  /** For people: what was refused, and who took over from whom. */
  say(message: string): void;
  running(task: TaskFile, worker: string): void;
  /** No turn of it will write again. */
  gone(task: TaskFile, how: AttemptEnd): void;
}

/** Who writes. */
export interface Turn {
  readonly key: string;
  readonly attempt: number;
  readonly turn: number;
}

export interface Standing {
  readonly running: readonly (Turn & {
    readonly worker: string;
    /** Milliseconds since 1970: when its turn began, and when it was heard of last. */
    readonly since: number;
    readonly heard: number;
  })[];
  /** Keys of tasks that nobody has. */
  readonly waiting: readonly string[];
  /** Requests of turns that were over, and what of the last of them was said. */
  readonly refused: number;
  readonly lastRefused: string | null;
}

export interface Attempts {
  /** From now on the attempt may be begun. */
  open(file: TaskFile): void;
  /** The tasks that are not gone. */
  left(): TaskFile[];
  /** Who has what, and what was refused. */
  standing(): Standing;
  /** Who has it; null where nobody does, or it is gone. */
  workerOf(key: string): string | null;
  begin(task: Omit<Turn, "turn">, worker: string): Promise<Begun>;
  /** Path of what the turn goes on from. */
  weightsFile(turn: Turn, which: "checkpoint" | "best"): string;
  event(turn: Turn, seq: number, event: StudyEvent): Granted;
  /**
   * Takes weights while they come, into a file of the trial's folder, for `use` to give them their name; what is not used
   * is gone then.
   * @param sent.what for people
   * @throws Refusal of a turn that is over before any of them is taken
   */
  receive(
    turn: Turn,
    sent: { readonly what: string; readonly bytes: AsyncIterable<Uint8Array> },
    use: (weights: WeightsOnDisk) => Granted,
  ): Promise<Granted>;
  weights(turn: Turn, seq: number, kept: { which: string; weights: WeightsOnDisk }): Granted;
  checkpoint(
    turn: Turn,
    seq: number,
    kept: { record: CheckpointRecord; weights: WeightsOnDisk },
  ): Granted;
  end(turn: Turn, request: EndRequest): Granted;
  died(turn: Turn, how: DiedRequest): Granted;
  /** Whether the turn is to stop: as soon as it is so, or after so many milliseconds. */
  order(turn: Turn, milliseconds: number): Promise<{ stop: boolean }>;
  /** Asks whoever has it to stop. @returns whether somebody has it */
  stop(key: string): boolean;
  /** The task is gone: nothing more is accepted. */
  drop(key: string, how: AttemptEnd): void;
}
