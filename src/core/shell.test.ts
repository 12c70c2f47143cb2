/** @file Words that are printed to be pasted, read back by a shell. */

import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellLine, shellWord } from "./shell.ts";
import { visibleLine } from "./visible.ts";

test.each([
  ["photos/", "photos/"],
  ["sgd+clr,adam@1e-3", "sgd+clr,adam@1e-3"],
  ["my photos", "'my photos'"],
  ["a'b", "'a'\\''b'"],
  ["", "''"],
  ["~", "'~'"],
  ["=x", "'=x'"],
  ["naïve", "'naïve'"],
  ["two\nlines", `"$(printf -- 'two\\012lines')"`],
  ["100%\t'q'\\n", `"$(printf -- '100%%\\011'\\''q'\\''\\\\n')"`],
])("%j is written %s", (word, written) => expect(shellWord(word)).toBe(written));

test.skipIf(process.platform === "win32")("sh reads back what was written", () => {
  // No argument of a process holds a NUL.
  const word = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..." '\"\\$`!*?[]{}()<>|&;#~=\n\t%^é花") }),
  );
  const words = fc.array(
    word.filter((text) => !text.includes("\0")),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(words, (given) => {
      const out = execFileSync("sh", ["-c", `printf '%s\\0' ${shellLine(given)}`]);
      expect(out.toString("utf8").split("\0").slice(0, -1)).toEqual(given);
    }),
    { numRuns: 30 },
  );
});

test.skipIf(process.platform === "win32")(
  "what a terminal would obey is read back by what it shows",
  () => {
    const letter = fc.constantFrom(..."\n\t\x1b\x07\r\x7f\u009b\u202e\u200b\ufeff%\\'\"$`-7 a花!");
    fc.assert(
      fc.property(
        fc.array(letter, { minLength: 1, maxLength: 12 }).filter((some) => some.at(-1) !== "\n"),
        (letters) => {
          const word = letters.join("");
          const line = shellLine(["printf", "%s", word]);
          expect(visibleLine(line)).toBe(line);
          for (const shell of ["sh", "bash"])
            expect(execFileSync(shell, ["-c", line]).toString("utf8")).toBe(word);
        },
      ),
      { numRuns: 40 },
    );
  },
);
