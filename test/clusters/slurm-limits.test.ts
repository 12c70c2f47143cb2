/**
 * @file A real Slurm that refuses what it is given, takes no more for now, or does not answer; and machines that differ.
 */

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { summaryRecord } from "../../src/record/index.ts";
import { readRecord, readRun } from "../../src/store/index.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { commands, ended, PATIENCE, until } from "./commands.ts";
import { OTHER_PROCESSOR } from "./other-processor.ts";
import { type SlurmCluster, slurmAbsent, startSlurm } from "./slurm-cluster.ts";

/** What Slurm answers where a user has submitted as many jobs as the accounting allows (slurm_errno.h). */
const ACCOUNTING_POLICY = 2050;

const absent = engineAbsent() ?? slurmAbsent();
describe.skipIf(absent)(`with Slurm${absent ? ` (${absent})` : ""}`, { timeout: PATIENCE }, () => {
  const within = temporaryFolder();
  const { run, end } = commands();
  let cluster: SlurmCluster;
  const full = () => within("no-more");
  beforeAll(async () => {
    cluster = await startSlurm({
      conf: [
        "EnforcePartLimits=ALL",
        "PartitionName=closed Nodes=n1 AllowAccounts=physics State=UP",
        "PartitionName=short Nodes=n1 MaxTime=5 State=UP",
      ],
      // No array of more than two tasks, and none at all where there is such a file.
      onSubmit: `local last = tonumber(string.match(job.array_inx or "", "^0%-(%d+)")) or 0
        local file = io.open("${full()}")
        if file then file:close() end
        if file or last > 1 then return ${ACCOUNTING_POLICY} end`,
    });
  });
  afterAll(() => {
    end();
    cluster?.stop();
  });
  const on = ["--executor", "slurm"];
  const flags = (name: string, { seeds = 4, epochs = 2 } = {}) => [
    ...["compare", ...TINY_FLAGS, "--optimizers", "adam", "--seeds", `${seeds}`],
    ...["--epochs", `${epochs}`, "--threads", "1", "--no-samples", "--out", within(name), ...on],
  ];
  const compare = (...args: readonly string[]) => run(args, { env: cluster.environment });
  const flat = (text: string) => text.replaceAll(/\s+/g, " ");
  const epochsOf = (name: string) =>
    [0, 1, 2, 3].reduce((sum, seed) => {
      const file = within(`${name}/trials/adam-${seed}/metrics.jsonl`);
      return sum + (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0);
    }, 0);

  test.each([
    ["--partition=man", /invalid partition/i, "sinfo --summarize lists the partitions"],
    ["--partition=closed", /Invalid account or account\/partition/, "sacctmgr show associations"],
    ["--partition=short --time=60", /time limit is invalid/i, "scontrol show partition says"],
  ])("%s is refused, with what to do, and nothing waits", async (options, words, remedy) => {
    const refused = compare(...flags(`refused${options}`), "--slurm-options", options);
    expect(await ended(refused)).toBe(2);
    const said = flat(refused.said());
    expect(said).toMatch(words);
    for (const text of ["sbatch must take the study's tasks", options, remedy, "--resume"])
      expect(said).toContain(text);
    expect(cluster.run("squeue", "--noheader")).toBe("");
  });

  test("refused, it goes on with other options", async () => {
    const path = within("refused--partition=man");
    const resumed = compare("compare", "--resume", path, ...on, "--slurm-options", "-p main");
    expect([await ended(resumed), resumed.said()]).toEqual([0, expect.any(String)]);
    expect(readRun(path).trials.map(({ trial }) => trial.status)).toEqual(Array(4).fill("done"));
  });

  test("a user who may submit no more waits, and then in such parts as are taken", async () => {
    writeFileSync(full(), "");
    const waiting = compare(...flags("full"));
    const words = "takes no more of this user's tasks for now (Job violates accounting/QOS policy";
    await until("it is said", () => flat(waiting.said()).includes(words));
    rmSync(full());
    expect([await ended(waiting), waiting.said()]).toEqual([0, expect.any(String)]);
    expect(epochsOf("full")).toBe(8);
  });

  test("a controller that ends and comes back loses no run", async () => {
    const going = compare(...flags("controller", { epochs: 60 }));
    await until("runs are under way", () => epochsOf("controller") > 4);
    cluster.endController();
    await until("it is said", () => flat(going.said()).includes("Slurm cannot be asked"));
    const none = compare(...flags("none"));
    expect(await ended(none)).toBe(2);
    expect(flat(none.said())).toMatch(/Slurm must answer .* scontrol said: .*scontrol ping/);
    cluster.startController();
    expect([await ended(going), going.said()]).toEqual([0, expect.any(String)]);
    expect(epochsOf("controller")).toBe(240);
    for (const { metrics } of readRun(within("controller")).trials)
      expect(metrics.map(({ epoch }) => epoch)).toEqual(metrics.map((_, index) => index + 1));
  });

  test("a machine that differs runs nothing, and with --mixed it does: both are named, and no seconds are compared", async () => {
    const name = Object.entries(OTHER_PROCESSOR).map(([key, value]) => `${key}=${value}`);
    // The first run computes as this machine does, the others do not, wherever Slurm puts them.
    const first = within("first");
    const setup = `if ! mkdir ${first} 2>/dev/null; then export ${name}; fi`;
    const refused = compare(...flags("mixed"), "--slurm-setup", setup);
    expect(await ended(refused)).not.toBe(0);
    expect(flat(refused.said())).toMatch(/the engine changed .*--mixed/);
    rmSync(first, { recursive: true });
    const path = within("mixed");
    const mixed = compare("compare", "--resume", path, ...on, "--mixed", "--slurm-setup", setup);
    expect([await ended(mixed), mixed.said()]).toEqual([0, expect.any(String)]);
    const { experiment, trials } = readRun(path);
    const {
      machines = [],
      optimizers,
      conclusion,
    } = readRecord(join(path, "summary.json"), summaryRecord);
    expect(trials.map(({ trial }) => trial.status)).toEqual(Array(4).fill("done"));
    expect(machines.map(({ engine }) => engine)).toContain(experiment.engine);
    expect(machines).toHaveLength(2);
    expect(optimizers[0]?.msPerStep).toBeNull();
    expect(conclusion).toContain("(--mixed)");
    const report = readFileSync(join(path, "report.html"), "utf8");
    for (const { engine } of machines) expect(report).toContain(engine);
    expect(report).not.toContain("ms/step");
  });
});
