/** @file Where the arms of a study that prunes stand: by its records, and the decisions that are on the record. */

import { type ArmAtRung, armAtRung } from "../../analysis/index.ts";
import { type Pruning, rungsOf, withGrace } from "../../arms/pruning.ts";
import { present } from "../../core/at.ts";
import {
  type Planned,
  type RungDecision,
  type StudyListener,
  type Task,
  type TrialHistory,
  versioned,
} from "../../record/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import type { StudyRecords } from "../run-tasks.ts";
import type { Rung } from "./decide.ts";

/** One arm, with the task of each of its seeds. */
export interface RungArm {
  readonly arm: string;
  readonly seeds: readonly number[];
  readonly tasks: readonly Task<"trial">[];
}

export interface RungState {
  readonly pruning: Pruning;
  readonly rungs: readonly Rung[];
  /** In the order of the study, those that were pruned among them. */
  readonly arms: readonly RungArm[];
  /** What was decided at a rung, by arm. */
  decided(rung: number): ReadonlyMap<string, RungDecision>;
  isPruned(arm: string): boolean;
  /** Whether it has come through the rung before this one; null: through the last. */
  isLetTo(arm: string, rung: Rung | null): boolean;
  /** An arm that has come to a rung, by the records as they are; null where it has not, or was pruned before. */
  atRung(arm: RungArm, rung: Rung): ArmAtRung | null;
  /** Puts decisions on the record and carries them out: the trials of a pruned arm end. */
  decide(decisions: readonly RungDecision[]): Promise<void>;
  /** Tasks that bring an arm to a rung, or from the last one to its end; none of what is there already. */
  tasksTo(arm: RungArm, rung: Rung | null): Task<"trial">[];
}

/**
 * Reads where a study stands. Trials of arms that were decided on, and whose end a crash came before, are ended.
 * @param tasks of all its trials, seed by seed
 */
export async function rungState(
  study: Planned,
  tasks: readonly Task<"trial">[],
  { records, onEvent }: { readonly records: StudyRecords; readonly onEvent: StudyListener },
): Promise<RungState> {
  const pruning = withGrace(present(study.pruning, "pruning"), study);
  const rungs = rungsOf(pruning, study).map((epoch, i): Rung => ({ rung: i + 1, epoch }));
  const arms = armsOf(tasks);
  const known = new Map(arms.map((arm) => [arm.arm, arm]));
  const byRung = new Map<number, Map<string, RungDecision>>();
  const pruned = new Map<string, RungDecision>();
  const remember = (decision: RungDecision) => {
    const own = byRung.get(decision.rung) ?? new Map<string, RungDecision>();
    byRung.set(decision.rung, own.set(decision.arm, decision));
    if (decision.decision === "pruned") pruned.set(decision.arm, decision);
  };
  const history = ({ slug, seed }: Task<"trial">) => records.history({ slug, seed });
  const end = async ({ tasks: own }: RungArm, { rung }: RungDecision) => {
    for (const task of own) {
      const trial = history(task)?.trial;
      if (!trial || isFinished(trial) || trial.status === "failed") continue;
      const { attempt: _, ...kept } = trial;
      const ended = { ...kept, status: "pruned", endedBy: "pruned", rung } as const;
      records.pruned(ended);
      await onEvent(versioned({ type: "trial-finished", trial: ended }));
    }
  };
  for (const decision of records.decisions()) remember(decision);
  for (const arm of arms) {
    const decision = pruned.get(arm.arm);
    if (decision) await end(arm, decision);
  }
  return {
    ...{ pruning, rungs, arms },
    decided: (rung) => byRung.get(rung) ?? new Map(),
    isPruned: (arm) => pruned.has(arm),
    isLetTo(arm, rung) {
      const before = rung ? rung.rung - 1 : rungs.length;
      return before === 0 || byRung.get(before)?.get(arm)?.decision === "promoted";
    },
    atRung({ arm, seeds: all, tasks: own }, { rung, epoch }) {
      const end = pruned.get(arm);
      if (end && end.rung < rung) return null;
      // Of a study that was given more seeds since: one that comes late is judged on those of the others.
      const [first] = [...(byRung.get(rung)?.values() ?? [])];
      const histories = own.flatMap((task) => history(task) ?? []);
      return armAtRung(arm, histories, { epoch, seeds: first?.seeds ?? all });
    },
    async decide(decisions) {
      records.decided(decisions);
      for (const decision of decisions) {
        remember(decision);
        await onEvent(versioned({ type: "rung", ...decision }));
        const arm = known.get(decision.arm);
        if (arm && decision.decision === "pruned") await end(arm, decision);
      }
    },
    tasksTo: ({ tasks: own }, rung) =>
      own
        .filter((task) => !isThere(history(task), rung))
        .map((task) => ({
          ...task,
          rung: rung?.rung ?? rungs.length + 1,
          ...(rung ? { until: rung.epoch } : {}),
        })),
  };
}

const isThere = (history: TrialHistory | null, rung: Rung | null): boolean =>
  history !== null &&
  (isFinished(history.trial) ||
    (rung !== null && history.trial.status !== "failed" && history.metrics.length >= rung.epoch));

function armsOf(tasks: readonly Task<"trial">[]): RungArm[] {
  const arms = new Map<string, Task<"trial">[]>();
  for (const task of tasks) {
    const own = arms.get(task.arm);
    if (own) own.push(task);
    else arms.set(task.arm, [task]);
  }
  return [...arms].map(([arm, own]) => ({ arm, seeds: own.map(({ seed }) => seed), tasks: own }));
}
