/** @file `lrscope --help` loads definitions and nothing heavy: what commands need, they import when they run. */

import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root, type SourceFile, sourceFiles } from "./rooms.ts";

/** Rooms whose modules are small, or hold the names that help shows; what they load is looked at too. */
const LIGHT = ["cli", "core", "arms", "study", "train", "program"];
const LIGHT_FILES = [
  // Names of engines, which are loaded when they are asked for.
  "src/engine/native/engines.ts",
  "src/engine/native/implementations.ts",
  "src/engine/registry.ts",
  "src/datasets/sources/source-names.ts",
  "src/datasets/cache/cache-parts.ts",
  // The registry knows names; an engine is loaded when it is opened.
  ...["engines", "implementations", "precision"].map((name) => `src/engine/native/${name}.ts`),
  "src/engine/registry.ts",
  "src/optimizers/names.ts",
  "src/record/recipe.ts",
  "src/schedules/text/describe.ts",
  "src/schedules/nesting.ts",
  "src/schedules/schedule.ts",
];
const PACKAGES = ["commander", "fastest-levenshtein", "picocolors", "asciichart"];

/** Modules that a file loads at once: neither types nor import(). */
function loads({ ast }: SourceFile): string[] {
  return ast.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    if (!statement.moduleSpecifier || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
    if (ts.isExportDeclaration(statement) ? statement.isTypeOnly : typeOnly(statement)) return [];
    return [statement.moduleSpecifier.text];
  });
}

function typeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false;
  if (importClause.isTypeOnly) return true;
  const bindings = importClause.namedBindings;
  return (
    !importClause.name &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

test("the command line starts without engine, data, records or charts", () => {
  const files = new Map(sourceFiles().map((file) => [file.path, file]));
  const cameBy = new Map<string, string>();
  const queue = ["src/cli/process.ts"];
  const heavy: string[] = [];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = files.get(path)!;
    for (const specifier of loads(file)) {
      if (!specifier.startsWith(".")) {
        if (!specifier.startsWith("node:") && !PACKAGES.includes(specifier))
          heavy.push(`${path} loads ${specifier}`);
        continue;
      }
      const target = relative(root, join(root, dirname(path), specifier));
      if (cameBy.has(target)) continue;
      cameBy.set(target, path);
      const { room } = files.get(target)!;
      if (!LIGHT.includes(room) && !LIGHT_FILES.includes(target))
        heavy.push(`${path} loads ${target}`);
      else queue.push(target);
    }
  }
  expect(heavy).toEqual([]);
  expect(cameBy.size).toBeGreaterThan(30);
});
