/** @file The rooms of src/ and the arrows allowed between them: docs/architecture.md in a form that a test reads. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Every room, in the order of docs/architecture.md: each may import those before it. `node`: it may use what
 * Node has and a browser lacks.
 */
export const ROOMS: readonly { readonly name: string; readonly node?: true }[] = [
  { name: "core" },
  { name: "schedules" },
  { name: "ir" },
  { name: "ops" },
  { name: "layers" },
  { name: "models" },
  { name: "optimizers" },
  { name: "program" },
  { name: "compile" },
  { name: "record" },
  { name: "analysis" },
  { name: "formats" },
  { name: "data" },
  { name: "engine" },
  { name: "arms" },
  { name: "train" },
  { name: "infer" },
  { name: "report" },
  { name: "browser.ts" },
  { name: "files", node: true },
  { name: "datasets", node: true },
  { name: "store", node: true },
  { name: "study", node: true },
  { name: "bench", node: true },
  { name: "server", node: true },
  { name: "index.ts", node: true },
  { name: "cli", node: true },
];

/** room -> the rooms that it may import from, itself aside. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  ROOMS.map(({ name }, place) => [name, ROOMS.slice(0, place).map((room) => room.name)]),
);

/** Arrows against the order, file by file, until what they lead to has moved. */
export const BREACHES: Readonly<Record<string, readonly string[]>> = {};

/** The line: what lies in rooms above it loads in a browser, but for the engines that are native. */
const NATIVE = "src/engine/native/";

const BROWSER_ROOMS = ROOMS.filter(({ node }) => !node).map(({ name }) => name);

/** Whether a browser loads the file as it is. */
export const isBrowserSafe = ({ path, room }: Pick<SourceFile, "path" | "room">): boolean =>
  BROWSER_ROOMS.includes(room) && !path.startsWith(NATIVE);

/** Packages that rooms above the line may load: each runs in a browser. */
export const BROWSER_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: ["fastest-levenshtein"],
  ir: ["zod"],
  compile: ["zod"],
  record: ["zod"],
  formats: ["fflate"],
  data: ["fflate"],
  train: ["zod"],
  report: ["asciichart"],
};

export interface SourceFile {
  /** "src/core/errors.ts" */
  readonly path: string;
  /** "core", or "index.ts" for the public API. */
  readonly room: string;
  readonly ast: ts.SourceFile;
}

/** Tests, and what several tests beside them share ("test-networks.ts"): neither is built. */
const isTest = (name: string) => /\.test\.ts$|(^|[\\/])test-[^\\/]*\.ts$/.test(name);

/** Every source of src/, tests left out: a test may call any room for its oracle. */
export function sourceFiles(): SourceFile[] {
  const source = join(root, "src");
  return readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !isTest(name))
    .sort()
    .map((name) => parse(join("src", name), readFileSync(join(source, name), "utf8")));
}

export function parse(path: string, text: string): SourceFile {
  const room = path.split(sep)[1]!;
  return { path, room, ast: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** Module specifiers of every form: import, export from, import(), import("x").T, require(). */
export function importsOf({ ast }: SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : ts.isCallExpression(node) &&
              (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
                node.expression.getText() === "require")
            ? node.arguments[0]
            : undefined;
    if (specifier && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

/** The room that a relative specifier leads to; null for a package or a builtin. */
export function roomOf(file: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const target = relative("src", targetOf(file, specifier));
  return target.startsWith("..") ? `outside src/ (${specifier})` : target.split(sep)[0]!;
}

/** "src/core/errors.ts" of a relative specifier. */
export const targetOf = (file: SourceFile, specifier: string): string =>
  join(file.path, "..", specifier);

/** "src/a/b.ts imports c; ...", for each arrow against the order that is no known breach. */
export function forbiddenArrows(file: SourceFile): string[] {
  const allowed = ALLOWED[file.room];
  if (!allowed) return [`${file.path} lies in a room that docs/architecture.md does not have`];
  return importsOf(file)
    .map((specifier) => roomOf(file, specifier))
    .filter((room) => room !== null && room !== file.room && !allowed.includes(room))
    .filter((room) => !BREACHES[file.path]?.includes(room!))
    .map((room) => `${file.path} imports ${room}; ${file.room} may import [${allowed.join(" ")}]`);
}
