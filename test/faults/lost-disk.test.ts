/**
 * @file A run directory's disk that turns read-only, or goes away, under a comparison: the command says
 * so, whatever it was doing, and takes no blame for it.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY_FLAGS } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const mount = (...argv: string[]) => spawnSync("mount", argv).status === 0;
  let mounted: string | null = null;
  afterEach(() => {
    if (mounted) spawnSync("umount", ["-l", mounted]);
    mounted = null;
  });
  const disk = (name: string) => {
    mkdirSync(within(name));
    if (!mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", within(name))) return null;
    mounted = within(name);
    return mounted;
  };
  /** Runs a comparison, and does something to its disk as soon as it says something. */
  const interrupted = async (out: string, when: RegExp, what: () => void) => {
    let seen = false;
    const common = ["--optimizers", "adam,sgd", "--seeds", "1", "--epochs", "4", "--threads", "1"];
    const result = await cli(["compare", ...TINY_FLAGS, ...common, "--out", out], {
      onOutput(text) {
        if (seen || !when.test(text)) return;
        seen = true;
        what();
      },
    });
    expect(seen).toBe(true);
    return result;
  };

  test.for([
    ["before the first trial", /records go to/],
    ["after an epoch", /adam +seed 0 +epoch +2/],
    ["between two trials", /sgd +seed 0 +epoch +1/],
    ["after the last epoch", /sgd +seed 0 +epoch +4/],
  ] as const)("read-only %s", async ([name, when], { skip }) => {
    const path = disk(name);
    if (!path) return skip("mounting a disk needs root");
    const { code, stderr } = await interrupted(join(path, "run"), when, () => {
      // Refused as long as a file is open for writing, as a log or a checkpoint may be.
      for (let tries = 0; tries < 2000 && !mount("-o", "remount,ro", path); tries++);
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("the file system is read-only")]);
    expect(stderr).not.toMatch(/unexpected|fault of lrscope/);
  });

  test("moved away after an epoch", async () => {
    const out = within("moved");
    const { code, stderr } = await interrupted(out, /adam +seed 0 +epoch +2/, () =>
      renameSync(out, within("elsewhere")),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/its lock is gone|its folder is gone/);
    expect(stderr).not.toMatch(/unexpected|fault of lrscope/);
    // Nothing was made anew where the folder had been.
    expect(() => readFileSync(join(out, "experiment.json"))).toThrow("ENOENT");
  });
});
