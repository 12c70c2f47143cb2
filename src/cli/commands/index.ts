/** @file The commands, in the order of the help. */

import type { Command } from "../flags/define-command.ts";
import { bench } from "./bench.ts";
import { cache } from "./cache.ts";
import { compare } from "./compare.ts";
import { completion } from "./completion.ts";
import { data } from "./data.ts";
import { demo } from "./demo.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import { exportModel } from "./export.ts";
import { find } from "./find.ts";
import { predict } from "./predict.ts";
import { report } from "./report.ts";
import { runs } from "./runs.ts";
import { schedule } from "./schedule.ts";
import { serveCommand } from "./serve.ts";
import { train } from "./train.ts";
import { trial } from "./trial.ts";
import { worker } from "./worker.ts";

export const commands: readonly Command[] = [
  demo,
  data,
  find,
  train,
  compare,
  report,
  runs,
  serveCommand,
  cache,
  explain,
  predict,
  evaluate,
  exportModel,
  schedule,
  bench,
  completion,
  worker,
  trial,
];
