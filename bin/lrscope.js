#!/usr/bin/env node
// Starts the command line in dist/, or says what is missing. Old enough syntax for any Node with ESM.
import { existsSync } from "node:fs";

const command = new URL("../dist/cli/process.js", import.meta.url);

if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(
    `lrscope needs Node.js 20 or newer; this is ${process.versions.node}. Install a newer one.`,
  );
  process.exitCode = 1;
} else if (!existsSync(command)) {
  console.error("lrscope is not built yet. In a clone, run:  ./scripts/setup");
  process.exitCode = 1;
} else {
  const { runProcess } = await import(command.href);
  await runProcess();
}
