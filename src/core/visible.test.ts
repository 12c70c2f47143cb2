/** @file No character of a foreign text reaches a terminal that would obey it. */

import { expect, test } from "vitest";
import { visible, visibleJson, visibleLine } from "./visible.ts";

const ALL = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).join("");

test.each([
  ["daisy", "daisy"],
  ["\x1b]0;title\x07", "\\x1b]0;title\\x07"],
  ["\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"],
  ["a\r\nb\tc", "a\\x0d\\nb\\x09c"],
  ["\x9b2J\x7f", "\\x9b2J\\x7f"],
  ["\u202egpj.exe\u2069", "\\u202egpj.exe\\u2069"],
  ["Gänseblümchen, 雏菊, 👩‍🔬", "Gänseblümchen, 雏菊, 👩‍🔬"],
])("%j", (text, want) => expect(visibleLine(text)).toBe(want));

test("of all control and bidirectional characters none is left, and lines stay lines", () => {
  expect(visible(ALL)).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  expect(visible("a\nb")).toBe("a\nb");
  expect(visibleLine(ALL)).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
});

test("JSON says the same", () => {
  const json = visibleJson(JSON.stringify({ [ALL]: ALL }));
  expect(json).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
  expect(JSON.parse(json)).toEqual({ [ALL]: ALL });
});
