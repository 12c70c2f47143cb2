/** @file The trials and range tests of a run as event files, in a folder for `tensorboard --logdir`. */

import { join } from "node:path";
import { type Run, type RunDirectory, tensorboardFiles } from "../../store/index.ts";

/** Below tensorboard/ in the run directory, one folder a trial. @returns the folder */
export function writeTensorboard(directory: RunDirectory, run: Run): string {
  for (const { name, content } of tensorboardFiles(run))
    directory.writeBytes(`tensorboard/${name}`, content);
  return join(directory.path, "tensorboard");
}
