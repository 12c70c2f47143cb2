/** @file The record of an experiment on this machine. */

import { createHash } from "node:crypto";
import { describeMachine } from "../files/machine.ts";
import type { ExperimentRecord } from "../record/index.ts";
import { type ExperimentOptions, experimentRecord } from "../train/experiment-record.ts";
import { wholeOf } from "../train/freezing/frozen-features.ts";

/** experiment.json of an experiment that is about to run. @throws ArgumentError, ShapeError as experimentRecord */
export function describeExperiment(options: ExperimentOptions): ExperimentRecord {
  const { network } = wholeOf(options.setup);
  const graph = createHash("sha256")
    .update(JSON.stringify(network.build(1)))
    .digest("hex");
  return experimentRecord(options, { machine: describeMachine(), graph });
}
