/** @file `lrscope worker redis://...`: takes runs of the studies that a Redis knows. */

import { defineCommand, optional, value } from "../flags/define-command.ts";
import { list, positiveInteger, redisAddress } from "../flags/values.ts";

export const worker = defineCommand({
  name: "worker",
  api: ["runWorker"],
  summary: "take runs of comparisons that were begun with --executor redis://...",
  details:
    "Looks in the Redis for comparisons that wait for workers, and takes their runs, as long as it is left to. Images and weights are fetched from the command that began the comparison, and kept in this machine's cache; no folder needs to be shared. This machine has to give the bits of the one on which the comparison was begun: a worker with another processor or engine gets no run of it. Workers come and go at will: Ctrl-C ends a worker's runs after the update under way, and others go on with them from their last epoch.",
  args: [{ name: "redis", help: "address of the Redis: redis://host:6379" }],
  flags: {
    jobs: value({
      placeholder: "n",
      help: "runs at a time; each takes the cores that the comparison gives a run",
      read: positiveInteger("1"),
      fallback: 1,
    }),
    files: optional({
      placeholder: "files",
      help: "files of networks and arms that comparisons may name; one is run where its content is the same there",
      read: list("./net.ts,./mine.ts"),
      shownFallback: "those in this folder, and those used before",
    }),
  },
  examples: ["lrscope worker redis://10.0.0.7:6379", "lrscope worker redis://10.0.0.7 --jobs 4"],
  async run({ args, flags, terminal, signal }) {
    const { runWorker } = await import("../../study/worker/run-worker.ts");
    const [redis = ""] = args;
    await runWorker({
      url: redisAddress(redis, "worker: the argument"),
      jobs: flags.jobs,
      ...(flags.files === undefined ? {} : { files: flags.files }),
      signal,
      say: (message) => terminal.note(message),
    });
  },
});
