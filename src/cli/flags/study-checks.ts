/** @file Flags that would have no effect, or contradict each other: said before hours are spent. */

import { ArgumentError } from "../../core/errors.ts";
import type { ArmRecord, Present, StudyRequest } from "../../record/index.ts";
import { checkScheduleLength } from "./budget.ts";

type Call = Pick<
  StudyRequest,
  "kind" | "optimizers" | "epochs" | "learningRates" | "maxLr" | "baseLr" | "from" | "to"
> &
  Pick<StudyRequest, "sensitivity" | "time" | "targetAccuracy"> &
  Pick<StudyRequest, "momentum" | "momentumSchedule" | "weightDecay"> & {
    readonly seeds: readonly number[];
    /** Camel-case names of the flags that the user wrote. */
    readonly given: ReadonlySet<string>;
  };

type Asked = Present<Omit<Call, "given">> & Pick<Call, "given">;

/** @throws ArgumentError naming the first flag of a comparison that no arm would look at */
export async function checkStudyFlags(call: Call): Promise<void> {
  const { kind, given, seeds } = call;
  const planned = call as Asked;
  const { armsOf, checkTrials } = await import("../../arms/trials.ts");
  const { createOptimizer } = await import("../../optimizers/index.ts");
  const { isFitted } = await import("../../arms/arm-schedules.ts");
  const arms = armsOf(planned);
  checkTrials(kind, { arms: arms.length, seeds: seeds.length });
  await checkCycle(arms, planned);
  checkScheduleLength(kind, arms, { budget: call, given, isFitted });
  if (given.has("momentumSchedule") && planned.momentumSchedule !== "none")
    await checkMomentumSchedule(kind, arms, planned);
  if (!given.has("momentum")) return;
  const names = [...new Set(arms.map(({ optimizer }) => optimizer))];
  checkMomentum(kind, names, (name) => createOptimizer(name).hyperparameters);
}

/** @throws ArgumentError where no arm has a momentum, or beta1, that could follow it */
async function checkMomentumSchedule(kind: string, arms: readonly ArmRecord[], planned: Asked) {
  const { optimizerOf } = await import("../../arms/trials.ts");
  const follows = arms.some((arm) => {
    const { momentum = 0, beta1 = 0 } = optimizerOf(arm, planned).hyperparameters;
    return momentum > 0 || beta1 > 0;
  });
  if (!follows)
    throw new ArgumentError(
      `${kind}: --momentum-schedule has no effect here: no optimizer has a momentum, or beta1, above 0; give sgd one with --momentum 0.9, or leave it out`,
    );
}

async function checkCycle(arms: readonly ArmRecord[], call: Asked): Promise<void> {
  const { needsRangeTest } = await import("../../arms/arm-rates.ts");
  const { isCyclical } = await import("../../arms/arm-schedules.ts");
  const { kind, given, maxLr, baseLr, from, to } = call;
  const cyclical = arms.filter(({ schedule }) => isCyclical(schedule));
  const open = cyclical.filter(({ learningRate }) => learningRate === null);
  const refuse = (flag: string, why: string) => {
    throw new ArgumentError(`${kind}: ${flag} has no effect here: ${why}; leave it out`);
  };
  if (cyclical.length === 0) {
    const example = kind === "train" ? "--schedule clr" : "an arm like sgd+clr";
    for (const [key, flag] of [
      ["maxLr", "--max-lr"],
      ["baseLr", "--base-lr"],
      ["stepSize", "--step-size"],
    ] as const)
      if (given.has(key)) refuse(flag, `it belongs to cyclical learning rates (${example})`);
  }
  if (given.has("maxLr") && open.length === 0)
    refuse("--max-lr", "every cyclical arm has a rate of its own after @");
  if (!arms.some((arm) => needsRangeTest(arm, call)))
    for (const [key, flag] of [
      ["from", "--from"],
      ["to", "--to"],
      ["finderSeeds", "--finder-seeds"],
      ["finderUpdates", "--finder-updates"],
      ["published", "--published"],
      ["force", "--force"],
      ["ramp", "--ramp"],
      ["rule", "--rule"],
    ] as const)
      if (given.has(key)) refuse(flag, "no range test is made, as no arm needs one");
  if (
    call.learningRates === "range-test" &&
    arms.every(({ learningRate }) => learningRate !== null)
  )
    refuse("--learning-rates range-test", "every arm has a rate of its own after @");
  checkRamp(kind, { from, to });
  if (maxLr !== undefined && baseLr !== undefined && baseLr >= maxLr)
    throw new ArgumentError(
      `${kind}: --base-lr must be below --max-lr; got ${baseLr} and ${maxLr}. Swap them, or leave --base-lr out for --max-lr / 6`,
    );
}

/** No ramp goes beyond by itself; a published one ends earlier. */
const GREATEST = 10;
const PUBLISHED_GREATEST = 0.1;

/** @throws ArgumentError unless --from < --to, or where the ramp ends without it */
export function checkRamp(
  kind: string,
  {
    from,
    to,
    published = false,
  }: { from?: number | undefined; to?: number | undefined; published?: boolean | undefined },
): void {
  const end = published ? PUBLISHED_GREATEST : GREATEST;
  if (from !== undefined && to === undefined && from >= end)
    throw new ArgumentError(
      `${kind}: --from must be below --to, which is ${end} by default; got --from ${from}. Lower it, or give --to`,
    );
  if (from !== undefined && to !== undefined && from >= to)
    throw new ArgumentError(
      `${kind}: --from must be below --to; got --from ${from} and --to ${to}. Swap them, or raise --to`,
    );
}

/** @throws ArgumentError where none of the optimizers has a momentum */
export function checkMomentum(
  kind: string,
  names: readonly string[],
  hyperparameters: (name: string) => Readonly<Record<string, number>>,
): void {
  if (!names.some((name) => "momentum" in hyperparameters(name)))
    throw new ArgumentError(
      `${kind}: --momentum has no effect here: ${names.join(", ")} ${names.length === 1 ? "has" : "have"} none; leave it out, or use sgd or rmsprop`,
    );
}
