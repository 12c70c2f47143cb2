/**
 * @file The command line as a process: signals, closed pipes and the exit code. bin/lrscope.js calls
 * this and nothing else.
 */

import { main } from "./main.ts";

/** Runs the process's own arguments and leaves with the exit code. */
export async function runProcess(): Promise<void> {
  const controller = new AbortController();
  let signalled = "";
  // The first Ctrl-C ends the work after the update under way; the second does not wait.
  const interrupt = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    signalled = name === "SIGINT" ? "Ctrl-C" : name;
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  // `lrscope data x | head -1` closes our stdout early: nobody reads on, and that is no error.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") process.exitCode = 1;
    });

  const { stdout, stderr } = process;
  const code = await main(process.argv.slice(2), {
    ...{ stdout, stderr, signal: controller.signal },
    interruptedBy: () => signalled,
  });
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
  process.exitCode = code;
}
