/**
 * @file The machine code of the addon: what is compiled for AVX-512 stays in the functions that are chosen
 * by the processor. A function that other files share and that were compiled for it would end the process
 * on a machine without.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const addon =
  process.env.LRSCOPE_ADDON ??
  fileURLToPath(new URL("../../native/build/Release/lrscope.node", import.meta.url));

/** Why the test cannot be made here; null where it can. */
function impossible(): string | null {
  if (process.arch !== "x64" || process.platform !== "linux") return "no AVX-512 is compiled here";
  if (!existsSync(addon)) return "the addon is not built";
  try {
    execFileSync("objdump", ["--version"], { stdio: "pipe" });
    return null;
  } catch {
    return "objdump of binutils is absent";
  }
}

/** Registers that only AVX-512 has: 512 bits wide, masks, and those from the sixteenth on. */
const ONLY_AVX512 = /%zmm|\{%k[0-7]\}|%[xy]mm(1[6-9]|2\d|3[01])\b/;

const why = impossible();
test.skipIf(why)(`AVX-512 stays in its namespace${why ? ` (${why})` : ""}`, () => {
  const code = execFileSync("objdump", ["--disassemble", "--no-show-raw-insn", addon], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  const users = new Set<string>();
  let current = "";
  for (const line of code.split("\n")) {
    const name = /^[0-9a-f]+ <(.+)>:$/.exec(line)?.[1];
    if (name !== undefined) current = name;
    else if (ONLY_AVX512.test(line)) users.add(current);
  }
  expect([...users].filter((name) => !name.includes("6avx512"))).toEqual([]);
  expect(users.size).toBeGreaterThan(0);
});
