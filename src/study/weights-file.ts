/** @file What `--pretrained` names: kept by itself, as the command line asks before it loads anything heavy. */

import { existsSync } from "node:fs";

/** Whether `--pretrained` names a file, and not published weights. */
export const isWeightsFile = (what: string): boolean => /[/\\.]/.test(what) || existsSync(what);
