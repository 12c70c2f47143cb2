/** @file Asking before what cannot be undone, at a terminal: what each answer does, and where nobody can be asked. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lrscopeCall, openTerminalSession, terminalAbsent } from "./on-terminal.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();
let caches = 0;

/** A cache that holds a file, and the call that asks whether it may go. */
function cacheOf() {
  const folder = within(`cache-${caches++}`);
  mkdirSync(`${folder}/decoded`, { recursive: true });
  const file = `${folder}/decoded/photos-128-${"0".repeat(24)}.images`;
  writeFileSync(file, "x".repeat(1000));
  return { file, environment: { LRSCOPE_CACHE: folder } };
}

const CLEAN = ["cache", "--clean"];
const QUESTION = /Remove 1 file of the cache, [^?]*\? \[y\/N\] /;

describe.skipIf(terminalAbsent)(`asked${terminalAbsent ? ` (${terminalAbsent})` : ""}`, () => {
  test.each([
    ["y", "y\n", 0, /removed 1 file,/],
    ["YES, with spaces", "  YES \n", 0, /removed 1 file,/],
    ["n", "n\n", 0, /Nothing was removed\./],
    ["an empty line", "\n", 0, /Nothing was removed\./],
    ["another word", "yea\n", 0, /Nothing was removed\./],
    ["the end of the input (ctrl-D)", "\x04", 0, /\n\s*Nothing was removed\./],
    ["ctrl-C", "\x03", 130, /\n\s*interrupted; nothing was done/],
  ])("%s", async (_, keys, code, said) => {
    const { file, environment } = cacheOf();
    const session = openTerminalSession(lrscopeCall(CLEAN), { columns: 80, environment });
    await session.until(QUESTION);
    session.type(keys);
    const end = await session.ended;
    expect(end.text).toMatch(said);
    expect(end.text).not.toContain("fault");
    expect([end.code, existsSync(file)]).toEqual([code, !keys.trim().match(/^(y|yes)$/i)]);
  });

  test.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])("with %j all the same", async (plain) => {
    const { file, environment } = cacheOf();
    const session = openTerminalSession(lrscopeCall(CLEAN), {
      columns: 80,
      environment: { ...environment, ...plain },
    });
    await session.until(QUESTION);
    session.type("y\n");
    expect((await session.ended).code).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  test.skipIf(engineAbsent())("a run that is to be deleted", async () => {
    const run = within("run");
    const call = ["train", "synthetic", "--size", "16", "--epochs", "1", "--no-samples"];
    expect((await cli([...call, "--threads", "1", "--out", run])).code).toBe(0);
    for (const [keys, there] of [
      ["n\n", true],
      ["y\n", false],
    ] as const) {
      const session = openTerminalSession(lrscopeCall(["runs", run, "--delete"]), { columns: 80 });
      await session.until(/Delete this run for good\? \[y\/N\] /);
      session.type(keys);
      expect((await session.ended).code).toBe(0);
      expect(existsSync(run)).toBe(there);
    }
  });
});

describe("nobody can be asked", () => {
  test.each([
    ["no terminal", CLEAN],
    ["its output is for a program", [...CLEAN, "--json"]],
  ])("%s: --yes says it", (_, argv) => {
    const { file, environment } = cacheOf();
    const [program = "", ...words] = lrscopeCall(argv);
    const call = (more: string[]) =>
      spawnSync(program, [...words, ...more], {
        ...{ input: "y\n", encoding: "utf8" },
        env: { ...process.env, ...environment },
      });
    const { status, stderr } = call([]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/1 file of the cache, .* nobody can be asked here; say --yes/);
    expect(existsSync(file)).toBe(true);
    expect(call(["--yes"]).status).toBe(0);
    expect(existsSync(file)).toBe(false);
  });
});
