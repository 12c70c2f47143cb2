/** @file Tasks in this process, one after another: what a crash of one would take with it, nothing isolates. */

import { taskFile } from "../../record/index.ts";
import { readRecord } from "../../store/index.ts";
import { openSetup } from "../setup.ts";
import type { ExecutorContext } from "./child-process.ts";
import type { Executor } from "./executor.ts";
import { localExecutor } from "./local-executor.ts";
import { reported } from "./reported-error.ts";
import { runTask } from "./run-task.ts";

/** An update ends before a task is cancelled, whichever way that is asked for. */
export const inProcess = ({ directory, shared, onEvent }: ExecutorContext): Executor =>
  localExecutor({
    name: "in process",
    jobs: 1,
    start({ task }) {
      const stop = new AbortController();
      const { signal } = stop;
      const work = runTask({
        ...{ path: directory.path, lease: directory.fence?.token, signal, onEvent },
        ...{ dataset: shared.dataset, plan: shared.plan },
        file: readRecord(task, taskFile),
        open: () => openSetup(shared.setup, { signal }),
      });
      return {
        gone: work.then(
          () => ({}),
          (error) => ({ error: reported(error) }),
        ),
        cancel: () => stop.abort(),
      };
    },
  });
