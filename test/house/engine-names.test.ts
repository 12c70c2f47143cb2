/**
 * @file No code outside engine/ asks which engine it has: backends come from the registry, and say what they can
 * in their capabilities. The public API alone names engines, for those who bring their own choice.
 */

import ts from "typescript";
import { expect, test } from "vitest";
import { ENGINE_KINDS } from "../../src/engine/native/engines.ts";
import { importsOf, parse, type SourceFile, sourceFiles } from "./rooms.ts";

/** What lists the package's exports. */
const PUBLIC = ["src/index.ts", "src/browser.ts"];

/** The registries, what chooses among implementations, and the module's image loops, which are no engine. */
const OPEN = /engine\/(registry\.ts|tuning\/[^/]+|native\/(engines\.ts|addon\/.+))$/;

/** Imports of a single engine, and texts that name one. */
function namesOf(file: SourceFile): string[] {
  const found = importsOf(file).filter(
    (specifier) => /(^|\/)engine\//.test(specifier) && !OPEN.test(specifier),
  );
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && ENGINE_KINDS.includes(node.text)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file.ast);
  return found;
}

test("no file outside engine/ imports one engine, or compares with its name", () => {
  const outside = sourceFiles().filter(
    ({ path, room }) => room !== "engine" && !PUBLIC.includes(path),
  );
  expect(outside.length).toBeGreaterThan(100);
  expect(outside.flatMap((file) => namesOf(file).map((name) => `${file.path}: ${name}`))).toEqual(
    [],
  );
});

test.each([
  ['import { nativeBackend } from "../engine/native/index.ts";', "../engine/native/index.ts"],
  ['await import("../engine/reference/index.ts")', "../engine/reference/index.ts"],
  ['if (backend.kind !== "native") stop();', "native"],
  ['switch (kind) { case "reference-f64": }', "reference-f64"],
])("%s would be found", (text, name) => {
  expect(namesOf(parse("src/train/a.ts", text))).toEqual([name]);
});

test.each([
  'import { openBackend } from "../engine/native/engines.ts";',
  'import { loadAddon } from "../engine/native/addon/index.ts";',
  '// the "native" one\nif (backend.capabilities.profile) measure();',
])("%s may stand", (text) => {
  expect(namesOf(parse("src/train/a.ts", text))).toEqual([]);
});
