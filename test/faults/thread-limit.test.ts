/** @file A machine or container that gives no more threads: an error or fewer threads, never a crash. */

import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { engineAbsent } from "../cli/temporary.ts";

/** Why the test cannot be made here; null where it can. */
function impossible(): string | null {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "pipe" });
    return engineAbsent();
  } catch {
    return "prlimit of util-linux is absent";
  }
}

const why = impossible();
test.skipIf(why)(`no thread can be started${why ? ` (${why})` : ""}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-threads-"));
  const cache = join(folder, "cache");
  writeFileSync(cache, new Uint8Array(8 * 32 * 32 * 3 + 64));
  chmodSync(folder, 0o755); // it is read by another user
  const script = fileURLToPath(new URL("./thread-limit-child.mjs", import.meta.url));
  const child = fork(script, [JSON.stringify({ cache })], { execArgv: [] });
  // As the user that the child has become, for which limits hold.
  const user = process.getuid!() === 0 ? { uid: 65534 } : {};
  const prlimit = (...more: string[]) =>
    execFileSync("prlimit", ["--pid", `${child.pid}`, ...more], { ...user, encoding: "utf8" });
  const ended = once(child, "exit");
  const message = async () => {
    const [said] = await Promise.race([once(child, "message"), ended]);
    return said as unknown;
  };
  const round = async (limit: (hard: string) => string) => {
    expect(await message()).toBe("ready");
    const hard = prlimit("--nproc", "--noheadings", "--output", "HARD").trim();
    prlimit(`--nproc=${limit(hard)}:${hard}`);
    child.send("go");
    return message();
  };
  try {
    const refused = expect.stringMatching(/^a thread cannot be started \(.+\); the limit of/);
    expect(await round(() => "1")).toEqual([
      ...[refused, refused, refused],
      ...["done", "done", refused],
    ]);
    expect(await round((hard) => hard)).toEqual(Array(6).fill("done"));
    // The engine's own thread is there now; the team of OpenMP that the last run needs is not.
    expect(await round(() => "1")).toEqual([
      ...["done", "done", refused],
      ...["done", "done", "done", refused],
    ]);
    expect(await round((hard) => hard)).toEqual(Array(7).fill("done"));
    expect(await ended).toEqual([0, null]);
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
