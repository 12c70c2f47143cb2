/**
 * @file Arms that fail: their process crashes in native code, or their range test finds no finite loss.
 * The others go on and finish; exit code, records, summary and report say which failed, and why.
 */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSafetensors } from "../../src/files/weight-files.ts";
import { encodeSafetensors } from "../../src/formats/index.ts";
import { summaryRecord, trialRecord } from "../../src/record/index.ts";
import { readRecord, replaceFile } from "../../src/store/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY_FLAGS } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const common = ["--seeds", "1", "--threads", "1", "--no-samples"];
  const trialOf = (path: string, slug: string) =>
    readRecord(join(path, `trials/${slug}-0/trial.json`), trialRecord);
  const summaryOf = (path: string) => readRecord(join(path, "summary.json"), summaryRecord);
  const text = (path: string, name: string) => readFileSync(join(path, name), "utf8");

  test.each(["SIGSEGV", "SIGABRT"] as const)("a trial's process crashes (%s)", async (signal) => {
    const path = within(signal);
    const trial = join(path, "trials/adam-0");
    let crashed = false;
    const { code, stdout, stderr } = await cli(
      [
        ...["compare", ...TINY_FLAGS, ...common, "--out", path],
        ...["--optimizers", "adam,sgd@1e-2", "--epochs", "8"],
      ],
      {
        onOutput(said) {
          if (crashed || !/epoch +2 /.test(said) || !existsSync(join(trial, "lock"))) return;
          crashed = true;
          process.kill(JSON.parse(text(trial, "lock")).pid, signal);
        },
      },
    );
    expect(code).toBe(1);
    const why = `its process crashed (${signal})`;
    expect(stderr).toContain(`1 of 2 runs failed (adam, seed 0: ${why}`);
    expect(stderr).toContain(`--resume ${path}`);
    // What the other arm came to is shown all the same.
    expect(stdout).toContain("sgd@1e-2");
    const failed = trialOf(path, "adam");
    expect(failed).toMatchObject({
      status: "failed",
      failure: expect.stringContaining(why),
      ended: { exitCode: null, signal },
    });
    // Two epochs at least: it goes on training until the signal has reached it.
    const [first, ...epochs] = failed.ended?.log ?? [];
    expect(first).toContain("started");
    expect(epochs.length).toBeGreaterThanOrEqual(2);
    for (const line of epochs) expect(line).toMatch(/epoch \d: training loss/);
    expect(trialOf(path, "sgd-1e-2").status).toBe("done");
    const { optimizers, conclusion, notes } = summaryOf(path);
    expect(optimizers.map(({ name, failed }) => [name, failed])).toEqual([
      ["adam", 1],
      ["sgd@1e-2", 0],
    ]);
    expect(conclusion).toContain(`adam failed on its only seed. Reason of adam: ${why}.`);
    expect(notes).toEqual([`1 of 2 trials failed: adam, seed 0, ${why}. The others went on.`]);
    const html = text(path, "report.html");
    expect(html.includes(`adam, seed 0: failed: ${why}`)).toBe(true);
    expect(html.includes(notes![0]!)).toBe(true);

    const resumed = await cli(["compare", "--resume", path]);
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringContaining("1 run to finish")]);
    expect(trialOf(path, "adam").status).toBe("done");
    expect(summaryOf(path).notes).toBeUndefined();
  });

  test("a range test that finds an upper bound below the lower one that was given", async () => {
    const path = within("bounds");
    const { code, stderr } = await cli([
      ...["compare", ...TINY_FLAGS, ...common, "--epochs", "1", "--out", path],
      ...["--optimizers", "sgd+clr,adam", "--base-lr", "0.5", "--published", "--force"],
    ]);
    expect(code).toBe(1);
    const why = "range test of sgd+clr: compare: baseLr must be below the range test's upper bound";
    expect(stderr).toContain(`1 of 2 runs failed (sgd+clr, seed 0: ${why}`);
    expect(trialOf(path, "sgd-clr")).toMatchObject({
      status: "failed",
      failure: expect.stringContaining(why),
    });
    expect(trialOf(path, "adam").status).toBe("done");
    expect(summaryOf(path).conclusion).toContain(`Reason of sgd+clr: ${why}`);
  });

  test("a range test without any finite loss", async () => {
    const trained = within("trained");
    const call = [...TINY_FLAGS, ...common, "--epochs", "1"];
    await cli(["compare", ...call, "--optimizers", "adam", "--out", trained]);
    const { tensors } = await readSafetensors(join(trained, "trials/adam-0/last.safetensors"));
    const broken = [...tensors]
      .filter(([name]) => !name.includes(":"))
      .map(([name, { shape, data }]) => [name, { shape, data: data.slice().fill(3e38 as never) }]);
    const file = within("broken.safetensors");
    replaceFile(file, encodeSafetensors({ tensors: new Map(broken as never), metadata: {} }));

    const path = within("no finite loss");
    const begin = ["--pretrained", file, "--train-from", "all"];
    const { code, stderr } = await cli([
      ...["compare", ...call, ...begin, "--optimizers", "sgd+clr,adam", "--force", "--out", path],
    ]);
    expect(code).toBe(1);
    const why =
      "range test of sgd+clr: it cannot say which rate to train with: no seed has a finite loss (1 tried)";
    expect(stderr).toContain(`1 of 2 runs failed (sgd+clr, seed 0: ${why}; lower --from`);
    expect(trialOf(path, "sgd-clr")).toMatchObject({
      status: "failed",
      failure: expect.stringContaining(why),
    });
    expect(text(path, "trials/sgd-clr-0/log.txt")).toContain(`never began: ${why}`);
    expect(trialOf(path, "adam")).toMatchObject({ status: "diverged" });
    expect(summaryOf(path).conclusion).toContain(`Reason of sgd+clr: ${why}`);
    rmSync(trained, { recursive: true });
  });
});
