/** @file No page is touched for the first time after the first step: memory is zeroed when it is taken. */

import { expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { native } from "./agreement.ts";

// Under the address sanitizer, shadow memory and stacks that are not reused fault instead.
test.skipIf(process.env.ASAN_OPTIONS)("further steps make next to no page faults", async () => {
  const compiled = compileNetwork({
    network: vanilla({ classes: 5, channels: 3, size: 32 }),
    backend: native,
    batch: 32,
    optimizer: createOptimizer("adam"),
    slots: 1,
    threads: 2,
  });
  const session = await native.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 0);
  const program = await session.load(compiled.programs.train);
  const step = (update: number) =>
    program.run({ slot: 0, scalars: compiled.scalars({ seed: 0, update, learningRate: 1e-3 }) });
  await step(0);
  await step(1);
  const before = process.resourceUsage().minorPageFault;
  for (let update = 2; update < 22; update++) await step(update);
  const faults = process.resourceUsage().minorPageFault - before;
  // The arena alone has thousands of pages of 4 KiB; what is left is JavaScript's own.
  const pages = compiled.memory.arenaBytes / 4096;
  expect(faults).toBeLessThan(pages / 4);
  session.dispose();
});
