/** @file What workers are told of a study: names, hashes and the plan; of this machine's paths none. */

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { VERSION } from "../../../core/version.ts";
import { isSourceName } from "../../../datasets/sources/source-names.ts";
import { describeMachine } from "../../../files/machine.ts";
import { isModelFile } from "../../load-model.ts";
import { isWeightsFile } from "../../weights-file.ts";
import type { TaskPlaces } from "../trial-messages.ts";
import type { StudyDescription } from "./messages.ts";

export const hashOf = (path: string): string =>
  createHash("sha256").update(readFileSync(path)).digest("hex");

const named = (path: string) => ({ name: basename(resolve(path)), sha256: hashOf(path) });

export function describeStudy(
  { setup, dataset, plan }: TaskPlaces,
  { mixed }: { readonly mixed: boolean },
): StudyDescription {
  // What this process has opened is of no use to another machine.
  const { source, model, pretrained, files = {}, again: _, ...rest } = setup;
  const weights = pretrained !== undefined && isWeightsFile(pretrained) ? pretrained : null;
  return {
    lrscope: VERSION,
    setup: {
      ...rest,
      source: isSourceName(source) ? source : null,
      model: isModelFile(model) ? null : model,
      pretrained: weights === null ? (pretrained ?? null) : null,
    },
    ...{ dataset, plan, processor: describeMachine().processor, mixed },
    model: isModelFile(model) ? named(model) : null,
    arms: Object.entries(files).map(([name, path]) => ({ name, sha256: hashOf(path) })),
    weights: weights === null ? null : { ...named(weights), bytes: statSync(weights).size },
  };
}
