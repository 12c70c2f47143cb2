/** @file What a study would take, for people. */

import type { StudyEstimate } from "../index.ts";
import { count, duration, mebibytes, plural } from "./text/format.ts";

/** Lines of what would run, how long, and what of disk and memory it would take. */
export function estimateLines(estimate: StudyEstimate): string[] {
  const { rangeTests, rangeTestUpdates, trials, epochs, updatesPerEpoch, jobs, threads } = estimate;
  const { arms, rungs, seconds, diskBytes, mostDiskBytes, memoryBytes } = estimate;
  const steps = arms.map(({ optimizer, msPerStep }) => `${optimizer} ${msPerStep.toFixed(1)} ms`);
  return [
    ...(rangeTests > 0
      ? [`${plural(rangeTests, "range test")}, ${count(rangeTestUpdates)} updates in all`]
      : []),
    ...(trials > 0
      ? [
          `${plural(trials, "run")} of ${plural(epochs, "epoch")}, ${plural(updatesPerEpoch, "update")} each; ${jobs} at a time, ${plural(threads, "core")} each`,
        ]
      : []),
    ...(rungs.length > 0
      ? [
          `Rungs:  ${rungs.map((rung) => `${plural(rung.arms, "arm")} to epoch ${rung.epoch}`).join(", ")}; which, their results decide`,
        ]
      : []),
    `Step:   ${steps.join(", ")} (timed here, a few steps of each)`,
    `Time:   ${duration(seconds)} or more; less where runs end early`,
    `Disk:   ${mebibytes(diskBytes)} of weights stay, ${mebibytes(mostDiskBytes)} at most on the way; records and report besides`,
    `Memory: ${mebibytes(memoryBytes)} for the steps of the runs at a time; images and Node itself besides`,
  ];
}
