/** @file What docs/adding-an-optimizer.md shows is code that runs, on both backends. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { lion } from "../../src/optimizers/index.ts";
import { dyadics } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";
import { openOptimizerRun } from "./optimizer-program.ts";

const COUNT = 1500;
const optimizer = lion({ learningRate: 0.01, weightDecay: 0.5 });

test("the guide quotes the example as it is", () => {
  const source = readFileSync(
    new URL("../../src/optimizers/rules/lion.ts", import.meta.url),
    "utf8",
  );
  const guide = readFileSync(new URL("../../docs/adding-an-optimizer.md", import.meta.url), "utf8");
  expect(guide).toContain(source.slice(source.indexOf("export const lion")).trim());
});

test("the example equals its rule, written as a loop in doubles", async () => {
  const run = await openOptimizerRun({
    optimizer,
    backend: referenceBackend({ precision: "f64" }),
    sizes: [COUNT],
  });
  const parameter = dyadics(COUNT, 0);
  const m = new Float64Array(COUNT);
  await run.session.write(run.parameters[0]!, parameter);
  for (let update = 0; update < 5; update++) {
    const gradient = dyadics(COUNT, 1 + update);
    await run.session.write(run.gradients[0]!, gradient);
    await run.step(update, 0.01);
    for (let i = 0; i < COUNT; i++) {
      const direction = Math.sign(0.9 * m[i]! + (1 - 0.9) * gradient[i]!);
      parameter[i] = (1 - 0.01 * 0.5) * parameter[i]! - 0.01 * direction;
      m[i] = 0.99 * m[i]! + (1 - 0.99) * gradient[i]!;
    }
  }
  const got = run.session.readDouble(run.parameters[0]!);
  for (const [i, want] of parameter.entries()) expect(got[i]).toBeCloseTo(want, 14);
});

const { native, reason } = nativeOrReason();

test.skipIf(!native)(`and native gives float32 reference's bits${reason}`, async () => {
  const after = [];
  for (const backend of [referenceBackend(), native!()]) {
    const run = await openOptimizerRun({ optimizer, backend, sizes: [COUNT] });
    await run.session.write(run.parameters[0]!, dyadics(COUNT, 0));
    for (let update = 0; update < 5; update++) {
      await run.session.write(run.gradients[0]!, dyadics(COUNT, 1 + update));
      await run.step(update, 0.01);
    }
    after.push(await run.session.read(run.parameters[0]!));
    run.session.dispose();
  }
  expect(after[1]).toEqual(after[0]);
});
