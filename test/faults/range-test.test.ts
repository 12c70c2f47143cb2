/** @file A range test whose process is killed ends its own arm, and the next attempt makes it again. */

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { StudyEvent, Task } from "../../src/record/index.ts";
import { openRunDirectory } from "../../src/store/index.ts";
import { runRangeTests } from "../../src/study/executors/task-runner.ts";
import { openSetup } from "../../src/study/setup.ts";
import { planOf } from "../../src/train/plan.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY } from "./tiny.ts";

const absent = engineAbsent() ?? (existsSync("/proc/self/task") ? null : "no /proc");
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  /** Processes that this one has begun. */
  const children = (): string[] =>
    readdirSync("/proc/self/task")
      .map((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8"))
      .flatMap((text) => text.split(" ").filter((pid) => pid !== ""));
  const specOf = (arm: string): Task<"range-test"> => ({
    kind: "range-test",
    arm,
    slug: arm,
    optimizer: { name: arm, hyperparameters: { learningRate: 1e-3 } },
    seeds: [0],
    epochs: 2,
    from: 1e-5,
    to: 1,
  });

  test("the others go on; the record says how it ended", async () => {
    const path = within("killed");
    mkdirSync(path, { recursive: true });
    const directory = openRunDirectory(path);
    const specs = [specOf("adam"), specOf("sgd")];
    const { setup, dataset } = await openSetup(TINY);
    const shared = {
      setup: TINY,
      dataset: dataset.record,
      plan: planOf(setup, specs[0]!.optimizer),
    };
    dataset.close();
    const run = (specs: readonly Task<"range-test">[], onEvent: (event: StudyEvent) => void) =>
      runRangeTests(specs, {
        ...{ directory, shared, jobs: 1, updatesPerEpoch: 4, onEvent },
        signal: new AbortController().signal,
      });

    // One at a time: what is new is the process of the range test, which would take minutes.
    const before = new Set(children());
    const long = { ...specs[0]!, epochs: 100_000 };
    const { records, failed } = await run([long, specs[1]!], (event) => {
      if (event.type !== "range-test-started" || event.arm !== "adam") return;
      for (const pid of children()) if (!before.has(pid)) process.kill(Number(pid), "SIGKILL");
    });
    expect(records.map(({ arm }) => arm)).toEqual(["sgd"]);
    expect(failed).toMatchObject([
      {
        task: { arm: "adam" },
        failure: expect.stringContaining("range test of adam: its process was killed (SIGKILL)"),
        ended: { signal: "SIGKILL" },
      },
    ]);

    const again = await run([specs[0]!], () => undefined);
    expect(again.records.map(({ arm }) => arm)).toEqual(["adam"]);
    expect(again.failed).toEqual([]);
  });
});
