import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** What an example prints when it is run with these arguments. */
async function run(load: () => Promise<unknown>, ...args: string[]): Promise<string> {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  process.argv = [process.argv[0]!, "example", ...args];
  await load();
  return lines.join("\n");
}

const argv = process.argv;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-examples-"));
  vi.stubEnv("LRSCOPE_CACHE", folder);
});
afterEach(() => {
  process.argv = argv;
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("range-test.ts prints both rates, over two seeds, and by rule", async () => {
  const printed = await run(() => import("../../examples/range-test.ts"), "synthetic");
  expect(printed).toMatch(
    /^constant rate: [\d.e-]+ \(over seeds [\d.e-]+ \.\. [\d.e-]+\)\na cycle: [\d.e-]+ to [\d.e-]+$/m,
  );
  // A rule that cannot tell on a curve says nothing; the published one always has a line.
  expect(printed).toMatch(/^ {2}minimum\/10 +[\d.e-]+$/m);
});

test("compare.ts prints every epoch and a line an arm, and writes a report", async () => {
  const file = join(folder, "report.html");
  const printed = await run(() => import("../../examples/compare.ts"), "synthetic", file);
  expect(printed.match(/, seed [01], epoch [123]: [01]\.\d{3}$/gm)).toHaveLength(3 * 2 * 3);
  for (const arm of ["sgd\\+clr", "adam", "rmsprop@3e-4"])
    expect(printed).toMatch(new RegExp(`^${arm} +[01]\\.\\d{3} ± \\d\\.\\d{3} `, "m"));
  expect(readFileSync(file, "utf8")).toMatch(/^<!doctype html>/i);
});

test("custom-network.ts trains, and its loss falls", async () => {
  const printed = await run(() => import("../../examples/custom-network.ts"), "synthetic");
  const losses = [...printed.matchAll(/loss ([\d.]+)/g)].map((match) => Number(match[1]));
  expect(losses).toHaveLength(4);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
  expect(printed).toContain("signum: done");
});
