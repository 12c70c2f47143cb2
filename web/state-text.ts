/** @file How a study is, in a word or two. */

import { type FollowedStudy, openRuns } from "./followed-study.ts";

/** "running", "finished", or how it was left. */
export function stateText(study: FollowedStudy): string {
  if (study.state === "running") return "running";
  if (openRuns(study) === 0) return "finished";
  const last = study.steered.findLast(({ what }) => !what.endsWith("-arm"))?.what;
  return last === "pause" ? "paused" : last === "stop" ? "stopped" : "not running";
}
