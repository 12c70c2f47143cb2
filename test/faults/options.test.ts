/** @file The options of a protocol, across an interruption: the same bytes as without it. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Task, trialRecord } from "../../src/record/index.ts";
import { readRecord } from "../../src/store/index.ts";
import type { SetupSpec } from "../../src/study/setup.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, runTiny, stopTiny, TINY, tinyTrial } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const setup: SetupSpec = {
    ...TINY,
    data: { ...TINY.data, test: 0.2 },
    recipe: { ...TINY.recipe, classWeights: "balanced" },
  };
  const spec: Task<"trial"> = tinyTrial({
    epochs: 40,
    ends: { evalEvery: 2, earlyStopping: 3 },
  });
  const trialOf = (path: string) => readRecord(join(path, "trials/adam-0/trial.json"), trialRecord);

  test("a test part, class weights, fewer validations and early stopping", async () => {
    await runTiny({ directory: within("whole"), spec, setup });
    const whole = trialOf(within("whole"));
    expect(whole).toMatchObject({ status: "done", endedBy: "early stopping" });
    // Of nine images a class, two are kept.
    expect(whole.test).toMatchObject({ images: 8 });

    // Before the best epoch, between two validations, and when the best weights are on the disk alone.
    for (const after of [1, 2, 5]) {
      const path = within(`stopped-${after}`);
      await stopTiny(path, after, { spec, setup });
      await runTiny({ directory: path, spec, setup });
      expect(resultOf(path)).toEqual(resultOf(within("whole")));
    }
  });
});
