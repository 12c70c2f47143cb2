/**
 * @file The TypeScript of README.md type-checks against the public API; every function, class and
 * constant of that API says what it is.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root } from "../house/rooms.ts";

const config = ts.getParsedCommandLineOfConfigFile(
  join(root, "tsconfig.json"),
  { noEmit: true, allowImportingTsExtensions: true },
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
)!;
const entry = join(root, "src/index.ts");

/** The compiler on the public API, and on a text that is taken to lie beside it. */
function compile(text: string) {
  const file = join(root, "src/program-of-a-page.ts");
  const host = ts.createCompilerHost(config.options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
      : getSourceFile(path, ...rest);
  const program = ts.createProgram([entry, file], config.options, host);
  const problems = [
    ...program.getSyntacticDiagnostics(program.getSourceFile(file)),
    ...program.getSemanticDiagnostics(program.getSourceFile(file)),
  ].map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  return { program, problems };
}

test("README.md: its program type-checks; a wrong one would not", () => {
  const page = readFileSync(join(root, "README.md"), "utf8");
  const [program, ...others] = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
    ([, text]) => text!,
  );
  expect(others).toEqual([]);
  expect(compile(program!).problems).toEqual([]);
  expect(compile(program!.replace("seeds:", "seedz:")).problems.join()).toContain("seedz");
}, 120_000);

test("every function, class and constant of the public API has a docstring", () => {
  const { program } = compile("export {};");
  const checker = program.getTypeChecker();
  const bare: string[] = [];
  const visit = (module: ts.Symbol, prefix: string) => {
    for (const symbol of checker.getExportsOfModule(module)) {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
      const name = prefix + symbol.name;
      if (target.flags & ts.SymbolFlags.ValueModule) visit(target, `${name}.`);
      else if (
        target.flags & ts.SymbolFlags.Value &&
        target.getDocumentationComment(checker).length === 0
      )
        bare.push(name);
    }
  };
  visit(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!, "");
  expect(bare).toEqual([]);
}, 120_000);
