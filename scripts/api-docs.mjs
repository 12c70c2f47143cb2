/**
 * @file Writes docs/api/: what each entry point of the package exports, from the docstrings and
 * declarations of src/. By syntax alone, so that it takes a second; nothing is evaluated.
 *
 *   node scripts/api-docs.mjs
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Entry point -> its source; what an earlier page has, a later one links to. */
const ENTRIES = [
  ["schedules", "lrscope/schedules", "src/schedules/index.ts"],
  ["analysis", "lrscope/analysis", "src/analysis/index.ts"],
  ["record", "lrscope/record", "src/record/index.ts"],
  ["report", "lrscope/report", "src/report/index.ts"],
  ["program", "lrscope/program", "src/program/index.ts"],
  ["optimizers", "lrscope/optimizers", "src/optimizers/index.ts"],
  ["layers", "lrscope/layers", "src/layers/index.ts"],
  ["models", "lrscope/models", "src/models/index.ts"],
  ["compile", "lrscope/compile", "src/compile/index.ts"],
  ["lrscope", "lrscope", "src/index.ts"],
];

const sources = new Map();

/** @returns {ts.SourceFile} */
function sourceOf(path) {
  if (!sources.has(path)) {
    const text = readFileSync(path, "utf8");
    sources.set(path, ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  }
  return sources.get(path);
}

const isExported = (node) =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** Names that a declaration introduces, each with the node that is documented. */
function declared(statement) {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations
      .filter(({ name }) => ts.isIdentifier(name))
      .map((declaration) => [declaration.name.text, statement, declaration]);
  return statement.name ? [[statement.name.text, statement, statement]] : [];
}

/** [name, {file, statement, declaration} or {namespace}] of all that a module exports, in order. */
function exportsOf(path) {
  const found = new Map();
  const own = new Map();
  const imports = new Map();
  const file = sourceOf(path);
  const target = ({ text }) => join(dirname(path), text);
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) {
      const { namedBindings } = statement.importClause ?? {};
      if (namedBindings && ts.isNamedImports(namedBindings))
        for (const { name, propertyName } of namedBindings.elements)
          imports.set(name.text, [statement.moduleSpecifier, (propertyName ?? name).text]);
      continue;
    }
    if (ts.isExportDeclaration(statement)) continue;
    for (const [name, node, declaration] of declared(statement)) {
      own.set(name, { file: path, statement: node, declaration });
      if (isExported(statement)) found.set(name, own.get(name));
    }
  }
  for (const statement of file.statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const { exportClause, moduleSpecifier } = statement;
    if (exportClause && ts.isNamespaceExport(exportClause)) {
      found.set(exportClause.name.text, { namespace: target(moduleSpecifier) });
      continue;
    }
    const from = moduleSpecifier ? exportsOf(target(moduleSpecifier)) : own;
    if (!exportClause) for (const [name, entry] of from) found.set(name, entry);
    else
      for (const { name, propertyName } of exportClause.elements) {
        const wanted = (propertyName ?? name).text;
        const [specifier, imported] = imports.get(wanted) ?? [];
        const entry = from.get(wanted) ?? (specifier && exportsOf(target(specifier)).get(imported));
        if (!entry) throw new Error(`${relative(root, path)}: cannot find the export "${wanted}"`);
        found.set(name.text, entry);
      }
  }
  return found;
}

/** The docstring as Markdown; "@throws X where ..." as a line of its own. */
function docOf(node) {
  const raw = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)?.getText() ?? "";
  const lines = raw
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const text = lines.join("\n").trim();
  return text
    .replace(/(^|\s)@throws\s+/g, (_, before) => `${before === "" ? "" : "\n\n"}**Throws** `)
    .replace(/(^|\n)@(param|returns)\s+/g, "\n\n**$2** ")
    .replace(/\n( {2,}[^\n]*(\n {2,}[^\n]*)*)/g, (block) => block.replace(/\n {2,4}/g, "\n    "))
    .replaceAll("<", "&lt;")
    .trim();
}

/** The declaration without its body, as it stands in the source. */
function signatureOf({ statement, declaration }) {
  const text = (node) => {
    const file = node.getSourceFile().text;
    return file.slice(node.getStart(), node.end);
  };
  if (ts.isFunctionDeclaration(statement)) {
    const whole = text(statement);
    const end = statement.body ? statement.body.getStart() - statement.getStart() : whole.length;
    return whole
      .slice(0, end)
      .trimEnd()
      .replace(/^export /, "");
  }
  if (ts.isVariableStatement(statement)) {
    const { name, type, initializer } = declaration;
    if (type) return `const ${name.text}: ${type.getText()}`;
    if (initializer && ts.isArrowFunction(initializer)) {
      const head = initializer.getText();
      const arrow = initializer.equalsGreaterThanToken.getStart() - initializer.getStart();
      return `const ${name.text} = ${head.slice(0, arrow)}=> ...`;
    }
    const value = initializer?.getText() ?? "";
    return `const ${name.text} = ${value.length > 400 ? "..." : value}`;
  }
  if (ts.isClassDeclaration(statement)) {
    const heritage = (statement.heritageClauses ?? []).map((clause) => ` ${clause.getText()}`);
    return `class ${statement.name.text}${heritage.join("")}`;
  }
  return text(statement).replace(/^export /, "");
}

/** Pages by path, relative to the repository's root. */
export function apiDocs() {
  const pages = new Map();
  const homes = new Map();
  const anchor = (name) => name.toLowerCase().replace(/[^\w-]/g, "");
  for (const [page, entry, source] of ENTRIES) {
    const own = [];
    const elsewhere = [];
    const visit = (exported, prefix) => {
      for (const [name, found] of exported) {
        if (found.namespace) {
          visit(exportsOf(found.namespace), `${prefix}${name}.`);
          continue;
        }
        const home = homes.get(found.declaration);
        if (home) elsewhere.push(`[${prefix}${name}](${home})`);
        else own.push([`${prefix}${name}`, found]);
      }
    };
    visit(exportsOf(join(root, source)), "");
    const parts = own.map(([name, found]) => {
      homes.set(found.declaration, `${page}.md#${anchor(name)}`);
      return [
        `## ${name}`,
        docOf(found.statement),
        `\`\`\`ts signature\n${signatureOf(found)}\n\`\`\``,
        `[${relative(root, found.file)}](../../${relative(root, found.file)})`,
      ]
        .filter((part) => part !== "")
        .join("\n\n");
    });
    const also =
      elsewhere.length > 0 ? `Besides, from other pages: ${elsewhere.join(", ")}.\n\n` : "";
    pages.set(
      `docs/api/${page}.md`,
      `# ${entry}\n\nWhat \`import ... from "${entry}"\` gives. Written by scripts/api-docs.mjs from the docstrings.\n\n${also}${parts.join("\n\n")}\n`,
    );
  }
  const list = ENTRIES.map(([page, entry]) => `- [${entry}](${page}.md)`).join("\n");
  pages.set(
    "docs/api/README.md",
    `# API reference\n\nOne page an entry point of the package, written by scripts/api-docs.mjs from the docstrings of src/.\n\n${list}\n`,
  );
  return pages;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, "docs", "api"), { recursive: true });
  for (const [path, text] of apiDocs()) writeFileSync(join(root, path), text);
}
