/** @file `lrscope trial TASK.json`: one task of a study, as an executor starts it. */

import { defineCommand, optional, toggle } from "../flags/define-command.ts";
import { positiveInteger, text } from "../flags/values.ts";

export const trial = defineCommand({
  name: "trial",
  api: ["runTaskFile"],
  summary: "run one task of a study by its file: what compare starts for each trial",
  details:
    "TASK is tasks/KEY.json of a run directory, which a study writes when it gives a trial or a range test to an executor. The trial goes on from its newest checkpoint and writes its records into that directory, as long as the attempt in the file is the current one. The directory holds no path: folders and files are looked up in this machine's cache, unless they are said.",
  args: [{ name: "task", help: "tasks/KEY.json of a run directory" }],
  flags: {
    source: optional({ placeholder: "place", help: "folder of the images", read: text }),
    model: optional({ placeholder: "file", help: "file with the network", read: text }),
    pretrained: optional({ placeholder: "file", help: "file of the first weights", read: text }),
    attempt: optional({
      placeholder: "n",
      help: "the attempt that is meant: no other is run",
      read: positiveInteger("1"),
      shownFallback: "that of the file",
    }),
    end: optional({
      placeholder: "file",
      help: "write to this file how it ended, and nothing to the terminal: for executors",
      read: text,
      shownFallback: "none",
    }),
    mixed: toggle(
      "run it by this machine's own plan where that differs, and record which machine that is",
    ),
    ipc: toggle("take places from the process that started this one, and send events to it"),
  },
  examples: ["lrscope trial my-run/tasks/adam-0.json --source photos/"],
  async run({ args, flags, terminal, signal }) {
    const [path] = args as [string];
    if (flags.ipc) {
      const { readRecord } = await import("../../store/index.ts");
      const { taskFile } = await import("../../record/index.ts");
      const { runForParent } = await import("../../study/executors/trial-process.ts");
      return runForParent(readRecord(path, taskFile));
    }
    const { source, model, pretrained, attempt, end, mixed } = flags;
    const places = {
      ...(source === undefined ? {} : { source }),
      ...(model === undefined ? {} : { model }),
      ...(pretrained === undefined ? {} : { pretrained }),
    };
    if (end !== undefined) {
      const { runForFile } = await import("../../study/executors/run-for-file.ts");
      return runForFile(path, end, { places, attempt, mixed, signal });
    }
    const { openProgress } = await import("../text/progress.ts");
    const { runTaskFile } = await import("../../study/executors/run-task-file.ts");
    const progress = openProgress(terminal);
    await runTaskFile(path, { places, attempt, mixed, signal, onEvent: progress.onEvent }).finally(
      () => progress.stop(),
    );
  },
});
