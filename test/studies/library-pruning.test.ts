/** @file The library's comparison of its own objects, with arms that are pruned: what goes on has the bits of one that was not. */

import { describe, expect, test } from "vitest";
import { compare } from "../../src/index.ts";
import type { RungDecision } from "../../src/record/index.ts";
import { openSetup } from "../../src/study/setup.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { TINY } from "../faults/tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const arms = ["adam@1e-2", "sgd@1e-12", "adam@1e-12", "sgd@0.05"];

  test.each(["halving", "asha"] as const)("%s", async (method) => {
    const { setup, dataset } = await openSetup(TINY);
    try {
      const asked = { ...setup, optimizers: arms, seeds: [0, 1], epochs: 4 };
      const whole = await compare(asked);
      const decisions: RungDecision[] = [];
      const { trials, summary } = await compare({
        ...asked,
        pruning: { method, reduction: 2, grace: 2, finalists: 1 },
        onEvent: (event) => {
          if (event.type === "rung") decisions.push(event);
        },
      });
      for (const { seeds } of decisions) expect(seeds).toEqual([0, 1]);
      const pruned = decisions
        .filter(({ decision }) => decision === "pruned")
        .map(({ arm }) => arm);
      expect(pruned.length).toBeGreaterThan(0);
      expect(trials).toHaveLength(8);
      for (const { trial, metrics } of trials) {
        const isPruned = pruned.includes(trial.arm);
        expect([trial.arm, trial.status]).toEqual([trial.arm, isPruned ? "pruned" : "done"]);
        const other = whole.trials.find(
          (one) => one.trial.arm === trial.arm && one.trial.seed === trial.seed,
        );
        const timeless = (lines: typeof metrics = []) =>
          lines.map((line) => ({ ...line, seconds: 0 }));
        expect(timeless(metrics)).toEqual(timeless(other?.metrics.slice(0, isPruned ? 2 : 4)));
      }
      expect(summary.pruning?.rungs[0]?.pruned.toSorted()).toEqual(pruned.toSorted());
    } finally {
      dataset.close();
    }
  });
});
