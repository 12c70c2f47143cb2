/** @file Whatever the command line does is a function of the public API: each command names its own, and calls it. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import * as api from "../../src/index.ts";
import { importsOf, root, type SourceFile, sourceFiles } from "./rooms.ts";

const files = new Map(sourceFiles().map((file) => [file.path, file]));
const functions: Readonly<Record<string, unknown>> = api;

/** Modules outside cli/ that a file of cli/ loads, at once or later, itself or by others of cli/. */
function reached(file: SourceFile, seen = new Set<string>()): string[] {
  return importsOf(file).flatMap((specifier) => {
    const target = join(file.path, "..", specifier);
    if (!specifier.startsWith(".") || seen.has(target)) return [];
    seen.add(target);
    const next = files.get(target);
    return next?.room === "cli" ? reached(next, seen) : [target];
  });
}

test.each(commands.map((command) => [command.name, command.api] as const))(
  "%s: its functions are exported, and its module loads the very same",
  async (name, names) => {
    expect(names.length).toBeGreaterThan(0);
    const modules = reached(files.get(`src/cli/commands/${name}.ts`)!);
    const loaded = await Promise.all(
      modules.map((path) => import(/* @vite-ignore */ join(root, path)) as Promise<object>),
    );
    const called = new Set(loaded.flatMap((module) => Object.values(module) as unknown[]));
    for (const each of names) {
      expect(typeof functions[each], `${each} of src/index.ts`).toBe("function");
      expect(called.has(functions[each]), `${name} does its work by ${each}`).toBe(true);
    }
  },
);
