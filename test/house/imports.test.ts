import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import {
  BREACHES,
  BROWSER_PACKAGES,
  forbiddenArrows,
  importsOf,
  isBrowserSafe,
  parse,
  ROOMS,
  roomOf,
  root,
  type SourceFile,
  sourceFiles,
  targetOf,
} from "./rooms.ts";

const files = sourceFiles();

describe("arrows between rooms", () => {
  test("every source imports from the rooms of the table alone", () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap(forbiddenArrows)).toEqual([]);
  });

  test("a known breach that is mended leaves the list", () => {
    const stale = Object.entries(BREACHES).flatMap(([path, rooms]) => {
      const file = files.find((one) => one.path === path);
      const led = file ? importsOf(file).map((specifier) => roomOf(file, specifier)) : [];
      return rooms.filter((room) => !led.includes(room)).map((room) => `${path} -> ${room}`);
    });
    expect(stale).toEqual([]);
  });

  test("the rooms are those of docs/architecture.md, in its order", () => {
    const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
    const table = page.slice(page.indexOf("| room | holds |"), page.indexOf("## Three seams"));
    const rows = [...table.matchAll(/^\| ([\w.]+)( \[N\])? \| [^|]+ \|$/gm)].slice(1);
    expect(rows.map(([, name, node]) => (node ? { name, node: true } : { name }))).toEqual(ROOMS);
  });

  test.each([
    ["import", 'import { x } from "../cli/main.ts";'],
    ["import type", 'import type { X } from "../cli/main.ts";'],
    ["export from", 'export * from "../cli/main.ts";'],
    ["side effect", 'import "../cli/main.ts";'],
    ["dynamic import", 'const x = await import("../cli/main.ts");'],
    ["type of an import", 'let x: import("../cli/main.ts").X;'],
    ["require", 'const x = require("../cli/main.ts");'],
  ])("a forbidden arrow by %s is found", (_, text) => {
    expect(forbiddenArrows(parse("src/core/x.ts", text))).toEqual([
      "src/core/x.ts imports cli; core may import []",
    ]);
  });

  test("allowed arrows, and imports within a room, are not", () => {
    const text = 'import "../core/errors.ts"; import "./y.ts"; import "zod"; import "node:fs";';
    expect(forbiddenArrows(parse("src/schedules/x.ts", text))).toEqual([]);
  });

  test("a room that is not in the table, and a way out of src/, are found", () => {
    expect(forbiddenArrows(parse("src/attic/x.ts", ""))).toHaveLength(1);
    expect(forbiddenArrows(parse("src/core/x.ts", 'import "../../bench/x.ts";'))).toHaveLength(1);
  });

  test("no source imports a test, or what tests share", () => {
    const found = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => /\.test\.ts$|\/test-[^/]*\.ts$/.test(specifier))
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(found).toEqual([]);
  });

  test("imports are written with their extension", () => {
    const bare = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith(".") && !/\.(ts|json)$/.test(specifier))
        .map((specifier) => `${file.path}: ${specifier}`),
    );
    expect(bare).toEqual([]);
  });
});

describe("studies of publications", () => {
  const folder = join(root, "studies");
  const studies = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => parse(join("studies", name), readFileSync(join(folder, name), "utf8")));

  /** A study stands above the line by the package's public API alone. */
  const strangers = (file: SourceFile) =>
    importsOf(file).filter(
      (name) =>
        !/^\.\/[\w-]+\.ts$/.test(name) &&
        name !== "zod" &&
        !ROOMS.some(({ name: room, node }) => !node && name === `lrscope/${room}`),
    );

  test("import their own files, and rooms that a browser loads by the package's entry points", () => {
    expect(studies.length).toBeGreaterThan(3);
    expect(studies.flatMap(strangers)).toEqual([]);
    const text =
      'import "./x.ts"; import "lrscope/report"; import "lrscope"; import "../../src/x.ts";';
    expect(strangers(parse("studies/x/y.ts", text))).toEqual(["lrscope", "../../src/x.ts"]);
  });

  test("are loaded by study/ alone, and named by it and the command line", () => {
    const naming = (text: RegExp) =>
      files.filter(({ ast }) => text.test(ast.text)).map(({ path, room }) => ({ path, room }));
    expect(naming(/lrscope\/studies/)).toEqual([{ path: "src/study/protocols.ts", room: "study" }]);
    const rooms = new Set(naming(/flowers-2019/).map(({ room }) => room));
    expect([...rooms].filter((room) => !["cli", "study", "index.ts"].includes(room))).toEqual([]);
  });
});

describe("the live page's client", () => {
  const folder = join(root, "web");
  const client = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => parse(join("web", name), readFileSync(join(folder, name), "utf8")));

  /** It stands above the line, and loads no package. */
  const strangers = (file: SourceFile) =>
    importsOf(file).filter((name) => {
      const target = join(file.path, "..", name);
      return !(
        name.startsWith(".") &&
        (target.startsWith("web/") ||
          files.some((source) => source.path === target && isBrowserSafe(source)))
      );
    });

  test("imports its own files, and rooms that a browser loads", () => {
    expect(client.length).toBeGreaterThan(5);
    expect(client.flatMap(strangers)).toEqual([]);
    const text =
      'import "./a.ts"; import "../src/report/draw.ts"; import "../src/store/index.ts"; import "zod";';
    expect(strangers(parse("web/x.ts", text))).toEqual(["../src/store/index.ts", "zod"]);
  });

  test("is compiled without Node's types: tsconfig.web.json", () => {
    const config = JSON.parse(readFileSync(join(root, "tsconfig.web.json"), "utf8"));
    expect([config.compilerOptions.types, config.include]).toEqual([[], ["web"]]);
  });
});

describe("rooms that a browser loads", () => {
  const safe = files.filter(isBrowserSafe);
  const safePaths = new Set(safe.map(({ path }) => path));

  test("are all but the native engine's above the line", () => {
    const above = ROOMS.filter(({ node }) => !node).map(({ name }) => name);
    expect(above.slice(-4)).toEqual(["train", "infer", "report", "browser.ts"]);
    const left = files.filter(({ path, room }) => above.includes(room) && !safePaths.has(path));
    expect(left.length).toBeGreaterThan(0);
    expect(left.filter(({ path }) => !path.startsWith("src/engine/native/"))).toEqual([]);
  });

  test("lead to each other alone", () => {
    const led = safe.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => ({ file: file.path, target: targetOf(file, specifier) })),
    );
    expect(led.length).toBeGreaterThan(100);
    expect(led.filter(({ target }) => !safePaths.has(target))).toEqual([]);
  });

  test("are compiled without Node's types: tsconfig.browser.json", () => {
    const config = JSON.parse(readFileSync(join(root, "tsconfig.browser.json"), "utf8"));
    expect(config.compilerOptions.types).toEqual([]);
    expect(config.files).toEqual(["src/browser.ts"]);
    expect(config.include).toEqual(
      ROOMS.filter(({ name, node }) => !node && name !== "browser.ts").map(
        ({ name }) => `src/${name}`,
      ),
    );
    expect(config.exclude).toEqual(["src/**/*.test.ts", "src/**/test-*.ts", "src/engine/native"]);
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(scripts.typecheck).toBe(
      "tsc --noEmit && tsc --noEmit -p tsconfig.browser.json && tsc --noEmit -p tsconfig.web.json",
    );
  });

  test("import no builtin of Node and no package but those listed", () => {
    const packages = safe.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => roomOf(file, specifier) === null)
        .filter((name) => isBuiltin(name) || !BROWSER_PACKAGES[file.room]?.includes(name))
        .map((name) => `${file.path} imports ${name}`),
    );
    expect(packages).toEqual([]);
  });

  /** Globals that Node has and a browser lacks. */
  const NODE_GLOBALS = new Set([
    "process",
    "Buffer",
    "__dirname",
    "__filename",
    "require",
    "global",
  ]);

  function nodeGlobals({ ast, path }: SourceFile): string[] {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && NODE_GLOBALS.has(node.text)) {
        const { parent } = node;
        const isName =
          (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
          ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) &&
            parent.name === node);
        if (!isName) found.push(`${path} uses ${node.text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(ast);
    return found;
  }

  test("use no global of Node's", () => {
    expect(safe.flatMap(nodeGlobals)).toEqual([]);
    expect(
      nodeGlobals(parse("src/core/x.ts", "process.exit(1); a.process; ({ Buffer: 1 })")),
    ).toEqual(["src/core/x.ts uses process"]);
  });
});
