/** @file Schedules of every family, momentum, snapped cycles, accumulation and --confirm from the command line. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EpochMetrics, RangeTestRecord, TrialRecord } from "../../src/record/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();
/** 7 updates an epoch. */
const small = ["synthetic", "--size", "16", "--batch", "32", "--threads", "1", "--no-samples"];

describe.skipIf(absent)(`following schedules${absent ? ` (${absent})` : ""}`, () => {
  const train = async (name: string, ...flags: string[]) => {
    const result = await cli(["train", ...small, ...flags, "--out", within(name), "--json"]);
    expect({ code: result.code, stderr: result.code === 0 ? "" : result.stderr }).toEqual({
      code: 0,
      stderr: "",
    });
    return result.json<{ trial: TrialRecord; metrics: EpochMetrics[] }>();
  };

  test("cycles snapped to the run, momentum opposite to the rate", async () => {
    const flags = ["--schedule", "triangular2", "--max-lr", "0.02", "--step-size", "2"];
    const run = ["--momentum", "0.9", "--epochs", "1", "--snap-cycles"];
    const inverse = ["--momentum-schedule", "inverse"];
    const { trial, metrics } = await train("snapped", ...flags, ...run, ...inverse);
    expect(trial.schedule).toMatchObject({ type: "holdAfter", steps: 7 });
    expect(trial.hyperparameterSchedules).toMatchObject({
      momentum: { type: "inverseMomentum", low: 0.8, high: 0.9 },
    });
    expect(metrics[0]!.lr).toBeLessThan(0.01);
  });

  test("a momentum that is named is used as it is; the report says what was used", async () => {
    const page = (name: string) => readFileSync(join(within(name), "report.html"), "utf8");
    const flags = ["--schedule", "clr", "--max-lr", "0.02", "--epochs", "1", "--momentum", "0.5"];
    const { trial } = await train("fixed", ...flags);
    expect(trial.optimizer.hyperparameters.momentum).toBe(0.5);
    expect(trial.hyperparameterSchedules).toBeUndefined();
    expect(page("fixed")).toContain("<dt>Momentum</dt><dd>0.5 (sgd+clr)</dd>");
    await train("cycled", ...flags, "--momentum-schedule", "inverse");
    expect(page("cycled")).toContain("<dd>0.9 down to 0.8 as the rate rises (sgd+clr)</dd>");
    expect(page("cycled")).toContain("<td>momentum 0.9 down to 0.8 as the rate rises");
    // Nobody named beta1.
    const adam = await train("adam", "--optimizer", "adam", ...flags.slice(0, 6));
    expect(adam.trial.hyperparameterSchedules).toMatchObject({
      beta1: { type: "inverseMomentum" },
    });
    expect(page("adam")).toContain("beta1 0.9 down to 0.8 as the rate rises");
    expect(page("adam")).toContain("brightness and contrast changed by up to 10%");
  });

  test("a cycle that does not fit the run is said before the training, and in the report", async () => {
    const flags = ["--schedule", "clr", "--max-lr", "0.02", "--epochs", "3", "--out"];
    const long = await cli(["train", ...small, "--json", ...flags, within("long-cycle")]);
    const warning = "half a cycle takes 4 epochs, and the run has 3";
    expect(long.stderr).toContain(
      `sgd+clr, seed 0: ${warning}: the greatest rate is never reached`,
    );
    expect(long.stderr.indexOf(warning)).toBeLessThan(long.stderr.search(/epoch +1 /));
    expect(long.stderr).toContain("--step-size 1.5e makes 1 cycle of it, and --snap-cycles");
    expect(readFileSync(join(within("long-cycle"), "report.html"), "utf8")).toContain(warning);
    const fits = [...flags.slice(0, -1), "--step-size", "1.5e", "--out", within("fits")];
    expect((await cli(["train", ...small, ...fits])).stderr).not.toContain("cycle");
  });

  test("a specification, a momentum schedule, and micro-batches", async () => {
    const flags = ["--schedule", "wsd:peak=0.05,steps=8,down=4", "--epochs", "2"];
    const momentum = ["--momentum", "0.5", "--momentum-schedule", "linear:from=0.5,to=0.9,steps=8"];
    const { trial } = await train("wsd", ...flags, ...momentum, "--accumulate", "2");
    expect(trial.updatesPerEpoch).toBe(4);
    expect(trial.schedule).toMatchObject({ type: "trapezoidal", peak: 0.05, decaySteps: 4 });
    expect(trial.hyperparameterSchedules).toMatchObject({ momentum: { type: "linearRamp" } });
  });

  test("a reduction on plateaus", async () => {
    const schedule = "plateau:factor=0.5,patience=0,threshold=0.99";
    const { trial, metrics } = await train("plateau", "--schedule", schedule, "--epochs", "3");
    expect(trial.schedule).toMatchObject({ type: "reduceOnPlateau", rate: 1e-3 });
    expect(metrics.map(({ lr }) => lr)).toEqual([1e-3, 1e-3, 5e-4]);
    expect(readFileSync(join(within("plateau"), "report.html"), "utf8")).toContain("</html>");
  });

  test.each([
    [["--schedule", "cosin"], 'did you mean "cosine"'],
    [["--schedule", "wsd:peak=0.1"], "steps"],
    [["--schedule", "clr", "--lr", "0.1"], "--lr has no effect with --schedule clr"],
    [["--momentum-schedule", "linear:from=1"], "to"],
    [["--momentum-schedule", "inverse"], "--momentum-schedule has no effect here"],
  ])("refuses %j", async (flags, message) => {
    const { code, stderr } = await cli(["train", ...small, ...flags, "--out", within("refused")]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("find --confirm: three rates over three seeds, and the regret", async () => {
    const out = within("confirm");
    const flags = ["--to", "1", "--confirm", "--confirm-epochs", "1", "--out", out];
    const { code, stdout } = await cli(["find", ...small, ...flags]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Regret: /m);
    const record: RangeTestRecord = JSON.parse(readFileSync(join(out, "range-test.json"), "utf8"));
    const { candidates, regret, seeds } = record.confirmation!;
    expect(seeds).toEqual([0, 1, 2]);
    expect(candidates.map(({ rate }) => rate / record.suggestion!.constant.rate)).toEqual(
      [1 / 3, 1, 3].map((factor) => expect.closeTo(factor, 9)),
    );
    expect(regret.values).toHaveLength(3);
    expect(regret.mean!).toBeGreaterThanOrEqual(0);
    const alone = await cli(["find", ...small, "--confirm-epochs", "1", "--out", within("no")]);
    expect(alone.stderr).toContain("add --confirm");
  });
});
