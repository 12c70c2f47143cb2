/** @file Words as a shell splits them: bash is asked, and what is not closed is refused. */

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWords } from "./shell-words.ts";

test.each([
  "--partition=main --time=4:00:00",
  "  -p   main\t--comment='two words' ",
  `--a="it's \\"so\\"" b\\ c ''`,
  `x"y"'z' "a\\nb" '\\'`,
  "",
])("%j as bash has it", (line) => {
  const asked = execFileSync("bash", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" });
  const words = line.trim() === "" ? [] : asked.split("\0").slice(0, -1);
  expect(shellWords(line, "--slurm-options")).toEqual(words);
});

test.each(["--a='b", '--a="b', "--a\\"])("%j is refused", (line) =>
  expect(() => shellWords(line, "--slurm-options")).toThrow(
    "--slurm-options: a quote or backslash is not closed",
  ),
);

test("nothing is expanded", () => expect(shellWords("$HOME *", "x")).toEqual(["$HOME", "*"]));
