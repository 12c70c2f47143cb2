/** @file `lrscope runs` and `lrscope cache`: what is there is listed, and only what is lrscope's own is deleted. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { acquireLease } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

interface Listed {
  readonly runs: readonly {
    readonly name: string;
    readonly status: string;
    readonly reason: string | null;
    readonly about: { readonly kind: string; readonly done: number; readonly runs: number } | null;
    readonly note: string;
    readonly tags: readonly string[];
    readonly bytes: number;
    readonly weightBytes: number;
  }[];
}

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const folder = () => within("runs");
  const at = (name: string) => join(folder(), name);
  const names = async (...flags: string[]) =>
    (await cli(["runs", folder(), "--json", ...flags])).json<Listed>().runs.map(({ name }) => name);

  beforeAll(async () => {
    const flags = [...TINY_FLAGS, "--threads", "1", "--epochs", "1", "--no-samples"];
    const { code, stderr } = await cli(["train", ...flags, "--out", at("whole")]);
    expect(code, stderr).toBe(0);
    const copied = (name: string) => cpSync(at("whole"), at(name), { recursive: true });
    copied("stopped");
    writeFileSync(
      at("stopped/trials/sgd-0/trial.json"),
      readFileSync(at("stopped/trials/sgd-0/trial.json"), "utf8").replace(
        '"status": "done"',
        '"status": "interrupted"',
      ),
    );
    copied("damaged");
    writeFileSync(at("damaged/trials/sgd-0/metrics.jsonl"), "{}\n");
    mkdirSync(at("photos/rose"), { recursive: true });
    mkdirSync(at("other"));
    writeFileSync(at("other/experiment.json"), '{"name": "of another program"}');
  }, 300_000);

  test("lists what each run is, how far it came and what it takes; what is no run is none", async () => {
    const { code, stdout } = await cli(["runs", folder(), "--json"]);
    const { runs } = JSON.parse(stdout) as Listed;
    expect(code).toBe(0);
    const of = (name: string) => runs.find((run) => run.name === name);
    expect(runs.map(({ name }) => name).sort()).toEqual(["damaged", "other", "stopped", "whole"]);
    expect(of("whole")).toMatchObject({ status: "finished", about: { kind: "train", done: 1 } });
    expect(of("stopped")).toMatchObject({ status: "unfinished", about: { done: 0, runs: 1 } });
    expect(of("damaged")).toMatchObject({ status: "damaged", about: null });
    expect(of("damaged")!.reason).toContain("metrics.jsonl, line 1");
    const weights = ["best", "last"].map(
      (name) => readFileSync(at(`whole/trials/sgd-0/${name}.safetensors`)).length,
    );
    expect(of("whole")!.weightBytes).toBe(weights[0]! + weights[1]!);
    const every = readdirSync(at("whole"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)).length);
    expect(of("whole")!.bytes).toBe(every.reduce((sum, bytes) => sum + bytes, 0));
    const table = (await cli(["runs", folder()])).stdout;
    expect(table).toMatch(/whole .*finished/);
    expect(table).toMatch(/stopped .*0 of 1/);
    for (const line of table.split("\n").slice(0, 5)) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("filters by kind, status, words and tags", async () => {
    expect(await names("--status", "unfinished")).toEqual(["stopped"]);
    expect(await names("--kind", "find")).toEqual([]);
    expect(await names("--filter", "WHOL")).toEqual(["whole"]);
  });

  test("notes, tags and a new name are the run's own, and its results stay as they are", async () => {
    const before = readFileSync(at("whole/experiment.json"), "utf8");
    const said = ["--note", "the first", "--add-tags", "good,lab"];
    expect((await cli(["runs", at("whole"), ...said])).code).toBe(0);
    expect(await names("--tag", "good")).toEqual(["whole"]);
    expect(await names("--filter", "the FIRST")).toEqual(["whole"]);
    expect((await cli(["runs", at("whole"), "--remove-tags", "lab"])).code).toBe(0);
    expect((await cli(["runs", at("whole"), "--remove-tags", "lab"])).stderr).toContain(
      'has no tag "lab"; it has good',
    );
    const moved = await cli(["runs", at("whole"), "--rename", "base line", "--json"]);
    expect(moved.json<Listed>().runs[0]).toMatchObject({
      name: "base line",
      note: "the first",
      tags: ["good"],
      status: "finished",
    });
    expect(existsSync(at("whole"))).toBe(false);
    for (const [name, why] of [
      ["stopped", "is there already"],
      ["../away", "no path"],
      [".hidden", "not begin with a dot"],
    ] as const)
      expect((await cli(["runs", at("base line"), "--rename", name])).stderr).toContain(why);
    await cli(["runs", at("base line"), "--rename", "whole"]);
    await cli(["runs", at("whole"), "--note", "-", "--remove-tags", "good"]);
    expect(existsSync(at("whole/notes.json"))).toBe(false);
    expect(readFileSync(at("whole/experiment.json"), "utf8")).toBe(before);
  });

  test("deletes nothing that is not wholly lrscope's, is in use, or was not asked about", async () => {
    const refused = async (argv: string[], why: string) => {
      const { code, stderr } = await cli(["runs", ...argv]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
    };
    await refused([at("whole"), "--delete"], "nobody can be asked here; say --yes");
    await refused([folder(), "--delete", "--yes"], "needs to know which runs");
    await refused([at("other"), "--delete", "--yes"], "not one of lrscope's");
    await refused([at("photos"), "--delete", "--yes"], "needs to know which runs");
    writeFileSync(at("whole/trials/sgd-0/thesis.txt"), "mine");
    await refused([at("whole"), "--delete", "--yes"], "trials/sgd-0/thesis.txt");
    expect(readdirSync(at("whole"))).toContain("summary.json");
    const lease = await acquireLease(at("stopped"));
    expect(await names("--status", "running")).toEqual(["stopped"]);
    await refused([at("stopped"), "--delete", "--yes"], "has been working in this folder");
    await refused([at("stopped"), "--rename", "x"], "has been working in this folder");
    lease.release();
    symlinkSync(at("stopped"), at("link"));
    await refused([at("link"), "--delete", "--yes"], "is a link");
    expect((await names()).sort()).toEqual(["damaged", "other", "stopped", "whole"]);
  });

  test("deletes a run, and those that a filter leaves, the damaged too", async () => {
    const one = await cli(["runs", at("stopped"), "--delete", "--yes", "--json"]);
    expect(one.json()).toEqual({ deleted: [at("stopped")] });
    expect(existsSync(at("stopped"))).toBe(false);
    const damaged = await cli(["runs", folder(), "--filter", "damaged", "--delete", "--yes"]);
    expect(damaged.code, damaged.stderr).toBe(0);
    expect((await names()).sort()).toEqual(["other", "whole"]);
  });

  test("the cache: its parts with their sizes; cleaned by part, and foreign files left", async () => {
    const cache = within("cache");
    const listed = async () =>
      (await cli(["cache", "--json"])).json<{ files: { part: string; path: string }[] }>().files;
    mkdirSync(join(cache, "sources/thesis"), { recursive: true });
    writeFileSync(join(cache, "sources/thesis/a.txt"), "mine");
    writeFileSync(join(cache, "decoded/mine.txt"), "mine");
    const fetched = join(cache, "fetched", "ab".repeat(32));
    mkdirSync(join(fetched, "photos/rose"), { recursive: true });
    writeFileSync(join(fetched, "photos/rose/1.jpg"), "twelve bytes");
    expect((await cli(["cache"])).stdout).toMatch(/fetched +1 +.*that workers fetched/);
    expect((await listed()).map(({ part }) => part)).toContain("decoded");
    expect((await cli(["cache"])).stdout).toMatch(/decoded +1 +.*decoded images/);
    const ask = await cli(["cache", "--clean"]);
    expect([ask.code, ask.stderr]).toEqual([2, expect.stringContaining("say --yes")]);
    expect((await cli(["cache", "--clean", "--parts", "weigths", "--yes"])).stderr).toContain(
      "weights",
    );
    await cli(["cache", "--clean", "--older-than", "30", "--yes"]);
    expect((await listed()).map(({ part }) => part)).toContain("decoded");
    expect((await cli(["cache", "--clean", "--yes"])).code).toBe(0);
    expect(existsSync(fetched)).toBe(false);
    expect((await listed()).map(({ part }) => part)).not.toContain("decoded");
    expect(readFileSync(join(cache, "sources/thesis/a.txt"), "utf8")).toBe("mine");
    expect(existsSync(join(cache, "decoded/mine.txt"))).toBe(true);
  });
});
