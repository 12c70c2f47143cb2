/** @file The SOURCE argument. */

import { sourceNames } from "../../datasets/sources/source-names.ts";

export const sourceArgument = {
  name: "source",
  help: `a folder of class folders, or one of ${sourceNames.join(", ")}`,
  known: sourceNames,
};

/** Of a command that can go on with a run of before, which knows its own; or runs a study that a file holds. */
export const sourceOrResume = {
  ...sourceArgument,
  help: `${sourceArgument.help}, or the .json file of a study (--save-as)`,
  unless: "resume",
};
