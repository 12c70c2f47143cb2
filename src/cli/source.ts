/** @file The SOURCE argument. */

import { sourceNames } from "../data/source-names.ts";

export const sourceArgument = {
  name: "source",
  help: `a folder of class folders, or one of ${sourceNames.join(", ")}`,
};
