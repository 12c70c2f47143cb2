/** @file Code blocks of the pages, and how the programs among them are run. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { shellWords } from "../../src/core/shell-words.ts";
import { root } from "../house/rooms.ts";

export interface CodeBlock {
  /** "docs/optimizers.md:7" */
  readonly place: string;
  readonly page: string;
  /** What follows the fence: "ts", "bash", "text". */
  readonly info: string;
  readonly text: string;
}

/** Pages for people: not the API reference, whose blocks are declarations, nor the decisions. */
export const pages: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !/^api[\\/]/.test(name))
    .map((name) => join("docs", name)),
].sort();

export function codeBlocks(page: string): CodeBlock[] {
  const markdown = readFileSync(join(root, page), "utf8");
  return [...markdown.matchAll(/^ {0,3}```([^\n`]*)\n([\s\S]*?)^ {0,3}```$/gm)].map((match) => ({
    place: `${page}:${markdown.slice(0, match.index).split("\n").length}`,
    page,
    info: match[1]!.trim(),
    text: match[2]!,
  }));
}

/**
 * Runs a program with these modules, and gives what it printed, line by line.
 * @throws Error where it imports another
 */
export async function runProgram(
  program: string,
  modules: Readonly<Record<string, unknown>>,
): Promise<string[]> {
  const { outputText } = ts.transpileModule(program, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const lines: string[] = [];
  const log = (...values: unknown[]) => lines.push(values.map(String).join(" "));
  const load = (name: string) => {
    if (!(name in modules)) throw new Error(`the program imports "${name}"`);
    return modules[name];
  };
  const AsyncFunction = (async () => undefined).constructor as new (
    ...text: string[]
  ) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction("require", "exports", "console", outputText)(load, {}, { log });
  return lines;
}

/** Words of a shell's line without its comment. */
export const wordsOf = (line: string): string[] => shellWords(line.replace(/ +#.*$/, ""), line);
