/**
 * @file The trials of a study that prunes. "halving" and "median" wait at each rung until all arms are there, so that
 * every executor comes to the same decisions; "asha" lets an arm go on as soon as it is among the best so far, so that
 * no worker waits, and its decisions depend on who came first.
 */

import { type ArmAtRung, promotable, ranking } from "../../analysis/index.ts";
import type { Planned, RungDecision, StudyListener, Task } from "../../record/index.ts";
import type { StudyRecords, TaskRunner } from "../run-tasks.ts";
import { ashaReason, decideTogether, decisionOn, type Rung, rankReason } from "./decide.ts";
import { type RungArm, type RungState, rungState } from "./rung-state.ts";

export interface RunRungsOptions {
  readonly records: StudyRecords;
  readonly runner: TaskRunner;
  readonly onEvent: StudyListener;
}

/**
 * Trains all arms to the first rung, and from each rung those that go on. What was decided in an earlier call stays.
 * @param tasks of all trials of the study, seed by seed
 * @throws InterruptedError, LrscopeError as the runner does; decisions that were taken are on the record
 */
export async function runRungs(
  study: Planned,
  tasks: readonly Task<"trial">[],
  options: RunRungsOptions,
): Promise<void> {
  const state = await rungState(study, tasks, options);
  if (state.pruning.method === "asha") return runAsynchronously(state, options);
  const { runner, onEvent } = options;
  const trainTo = (rung: Rung | null) => {
    // Those that were pruned at this rung, or whose run to the one before failed, train no further.
    const going = state.arms.filter(({ arm }) => state.isLetTo(arm, rung) && !state.isPruned(arm));
    return runner.trials(inOrder(going.flatMap((arm) => state.tasksTo(arm, rung))), onEvent);
  };
  for (const rung of state.rungs) {
    await trainTo(rung);
    const decided = new Set(state.decided(rung.rung).keys());
    await state.decide(decideTogether(arrivedAt(state, rung), decided, { ...rung, ...state }));
  }
  await trainTo(null);
}

/** The arms that have come to a rung, in the order of the study; those that ended there among them. */
const arrivedAt = (state: RungState, rung: Rung): ArmAtRung[] =>
  state.arms.flatMap((arm) =>
    state.isLetTo(arm.arm, rung) ? (state.atRung(arm, rung) ?? []) : [],
  );

/** Seed by seed, as without rungs: every arm has its first before any has its second. */
const inOrder = (tasks: readonly Task<"trial">[]): Task<"trial">[] =>
  [...tasks].sort((a, b) => a.index - b.index);

async function runAsynchronously(state: RungState, { runner, onEvent }: RunRungsOptions) {
  const { rungs, arms, pruning } = state;
  const { reduction, finalists } = pruning;
  const known = new Map(arms.map((arm) => [arm.arm, arm]));
  const places = new Map(arms.map(({ arm }, place) => [arm, place]));
  const placeOf = ({ arm }: ArmAtRung) => places.get(arm) ?? 0;
  /** What has come to each rung so far. */
  const at = rungs.map((rung) => arrivedAt(state, rung));
  const promoted = (rung: Rung) =>
    new Set(
      [...state.decided(rung.rung).values()]
        .filter(({ decision }) => decision === "promoted")
        .map(({ arm }) => arm),
    );
  const next = (rung: Rung): Rung | null => rungs[rung.rung] ?? null;
  const promote = async (rung: Rung, some: readonly { arm: string; reason: string }[]) => {
    const here = at[rung.rung - 1] ?? [];
    const decisions = some.flatMap(({ arm, reason }): RungDecision[] => {
      const one = here.find((each) => each.arm === arm);
      return one ? [decisionOn(one, here, { ...rung, promoted: true, reason })] : [];
    });
    await state.decide(decisions);
    return decisions.flatMap(({ arm }) => tasksOf(known.get(arm), next(rung)));
  };
  const tasksOf = (arm: RungArm | undefined, rung: Rung | null) =>
    arm ? state.tasksTo(arm, rung) : [];
  /** What may go on by what is known now, from the highest rung down. */
  const promotions = async (): Promise<Task<"trial">[]> => {
    const tasks: Task<"trial">[] = [];
    for (const rung of rungs.toReversed()) {
      const here = at[rung.rung - 1] ?? [];
      const open = promotable(here, promoted(rung), reduction).filter(
        (arm) => !state.isPruned(arm),
      );
      const some = open.map((arm) => ({ arm, reason: reasonOf(here, arm, reduction) }));
      if (some.length > 0) tasks.push(...(await promote(rung, some)));
    }
    return tasks;
  };
  /** The rung that an arm is on its way to; null: to its end. */
  const levelOf = ({ arm }: RungArm): Rung | null =>
    rungs.find((rung) => !promoted(rung).has(arm)) ?? null;

  const begin = arms
    .filter(({ arm }) => !state.isPruned(arm))
    .flatMap((arm) => state.tasksTo(arm, levelOf(arm)));
  let tasks = [...inOrder(begin), ...(await promotions())];
  while (tasks.length > 0) {
    const underWay = new Map<string, number>();
    const begun = (some: readonly Task<"trial">[]) => {
      for (const { arm } of some) underWay.set(arm, (underWay.get(arm) ?? 0) + 1);
      return some;
    };
    await runner.trials(begun(tasks), onEvent, async ({ arm, rung = 0 }) => {
      const left = (underWay.get(arm) ?? 1) - 1;
      underWay.set(arm, left);
      const [reached, here, own] = [rungs[rung - 1], at[rung - 1], known.get(arm)];
      // Its seeds are read once, when the last of them is there.
      if (left > 0 || !reached || !here || !own) return [];
      const one = state.atRung(own, reached);
      // A seed of it has failed.
      if (!one || here.some((other) => other.arm === arm)) return [];
      here.push(one);
      here.sort((a, b) => placeOf(a) - placeOf(b));
      return begun(await promotions());
    });
    tasks = await enough();
  }
  await pruneOthers();

  /** Where so few arms have come to a rung that hardly one in `reduction` could go on, the best do. */
  async function enough(): Promise<Task<"trial">[]> {
    const more: Task<"trial">[] = [];
    for (const rung of rungs) {
      const here = (at[rung.rung - 1] ?? []).filter(({ arm }) => !state.isPruned(arm));
      const gone = promoted(rung);
      const wanted = Math.min(finalists, here.length) - gone.size;
      const best = ranking(here).filter(({ arm }) => !gone.has(arm));
      const some = best.slice(0, Math.max(0, wanted));
      const reason = (one: ArmAtRung) => rankReason(one, here, finalists);
      if (some.length > 0)
        more.push(
          ...(await promote(
            rung,
            some.map((one) => ({ arm: one.arm, reason: reason(one) })),
          )),
        );
    }
    return more;
  }

  async function pruneOthers(): Promise<void> {
    for (const rung of rungs) {
      const here = at[rung.rung - 1] ?? [];
      const gone = promoted(rung);
      await state.decide(
        here
          .filter(({ arm }) => !gone.has(arm) && !state.isPruned(arm))
          .map((one) => {
            const reason = `${rankReason(one, here, gone.size).replace(/, and \d+ goe?s? on$/, "")}, and it was never among the best one in ${reduction}`;
            return decisionOn(one, here, { ...rung, promoted: false, reason });
          }),
      );
    }
  }
}

function reasonOf(here: readonly ArmAtRung[], arm: string, reduction: number): string {
  const one = here.find((each) => each.arm === arm);
  return one ? ashaReason(one, here, reduction) : "";
}
