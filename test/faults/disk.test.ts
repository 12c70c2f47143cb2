/** @file A disk that fills up, or is mounted read-only, in mid-run: what was finished stays, and the run goes on. */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { StoreError } from "../../src/core/errors.ts";
import type { StudyEvent } from "../../src/record/index.ts";
import { newestCheckpoint } from "../../src/store/index.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { epochsRecorded, resultOf, runTiny } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let whole: Record<string, string>;
  beforeAll(async () => {
    await runTiny({ directory: within("whole") });
    whole = resultOf(within("whole"));
  });
  const mount = (...argv: string[]) => spawnSync("mount", argv).status === 0;
  let mounted: string | null = null;
  afterEach(() => {
    if (mounted) spawnSync("umount", [mounted]);
    mounted = null;
  });
  /** A disk of its own for the test. @returns null where that takes rights that we lack */
  const disk = (name: string) => {
    mkdirSync(within(name));
    if (!mount("-t", "tmpfs", "-o", "size=512k", "tmpfs", within(name))) return null;
    mounted = within(name);
    return mounted;
  };
  /** What the trial ends with, where the disk fails after its third epoch. */
  const fails = (directory: string, breakDisk: () => void): Promise<StoreError> => {
    const onEvent = (event: StudyEvent) => {
      if (event.type === "update" && event.epoch === 4) breakDisk();
    };
    return runTiny({ directory, onEvent }).then(
      () => expect.fail("the disk did not fail"),
      (error) => error,
    );
  };
  const checkpoint = (directory: string) =>
    newestCheckpoint(join(directory, "trials/adam-0/checkpoints"))?.record.epoch;

  test("full: the file is named, three epochs are kept; with room again, the same bytes", async ({
    skip,
  }) => {
    const path = disk("full");
    if (!path) return skip("mounting a small disk needs root");
    const directory = join(path, "run");
    const ballast = join(path, "ballast");
    const error = await fails(directory, () => {
      // Larger than the disk: it takes what there is.
      try {
        writeFileSync(ballast, Buffer.alloc(1 << 20));
      } catch {
        // As intended.
      }
    });
    expect(error).toBeInstanceOf(StoreError);
    expect(error.exitCode).toBe(1);
    expect(error.message).toContain("the disk is full (ENOSPC)");
    expect(error.message).toContain(join(directory, "trials/adam-0/"));
    expect(checkpoint(directory)).toBe(3);
    expect(epochsRecorded(directory)).toBeGreaterThanOrEqual(3);
    rmSync(ballast);
    expect(await runTiny({ directory })).toEqual([4, 5]);
    expect(resultOf(directory)).toEqual(whole);
  });

  test("read-only: the same", async ({ skip }) => {
    const path = disk("read-only");
    if (!path) return skip("mounting a disk needs root");
    const directory = join(path, "run");
    let closed = true;
    const error = await fails(directory, () => {
      closed = mount("-o", "remount,ro", path) && closed;
    });
    if (!closed) return skip("a disk cannot be made read-only here");
    expect(error).toBeInstanceOf(StoreError);
    expect(error.message).toContain("the file system is read-only");
    expect(checkpoint(directory)).toBe(3);
    // Not even its end could be recorded, and what was is readable all the same.
    expect(epochsRecorded(directory)).toBe(3);
    expect(mount("-o", "remount,rw", path)).toBe(true);
    expect(await runTiny({ directory })).toEqual([4, 5]);
    expect(resultOf(directory)).toEqual(whole);
  });
});
