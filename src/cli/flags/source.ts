/** @file The SOURCE argument. */

import { sourceNames } from "../../datasets/sources/source-names.ts";

export const sourceArgument = {
  name: "source",
  help: `a folder of class folders, or one of ${sourceNames.join(", ")}`,
};

/** Of a command that can go on with a run of before, which knows its own. */
export const sourceOrResume = { ...sourceArgument, unless: "resume" };
