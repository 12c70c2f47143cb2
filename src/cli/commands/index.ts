/** @file The commands, in the order of the help. */

import type { Command } from "../flags/define-command.ts";
import { bench } from "./bench.ts";
import { compare } from "./compare.ts";
import { data } from "./data.ts";
import { demo } from "./demo.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import { exportModel } from "./export.ts";
import { find } from "./find.ts";
import { predict } from "./predict.ts";
import { report } from "./report.ts";
import { schedule } from "./schedule.ts";
import { train } from "./train.ts";
import { trial } from "./trial.ts";

export const commands: readonly Command[] = [
  demo,
  data,
  find,
  train,
  compare,
  report,
  explain,
  predict,
  evaluate,
  exportModel,
  schedule,
  bench,
  trial,
];
