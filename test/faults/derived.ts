/** @file What is said of a run in the end, as it would be if its work had taken no time: whoever ran it, it has to be the same. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRunDirectory } from "../../src/store/index.ts";
import { deriveResults } from "../../src/study/derive.ts";

/** Summary, report and curves, made again from the records with all of their times alike. */
export async function saidOf(directory: string): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-said-"));
  const path = join(folder, "run");
  const inside = (name: string) => join(path, name);
  const rewrite = (name: string, time: RegExp, value: string) =>
    writeFileSync(inside(name), readFileSync(inside(name), "utf8").replaceAll(time, value));
  try {
    cpSync(directory, path, { recursive: true });
    for (const name of ["summary.json", "report.html", "derived.json", "metrics.csv", "lock"])
      rmSync(inside(name), { force: true });
    rewrite("experiment.json", /"created": "[^"]+"/g, '"created": "2026-01-31T10:15:00.000Z"');
    for (const trial of readdirSync(inside("trials")))
      for (const name of ["trial.json", "metrics.jsonl"])
        rewrite(
          `trials/${trial}/${name}`,
          /"(seconds|msPerStep|optimizerShare)": ?[^,}\n]+/g,
          '"$1": 1',
        );
    await deriveResults(openRunDirectory(path), { ended: true });
    return Object.fromEntries(
      ["summary.json", "report.html", "metrics.csv"].map((name) => [
        name,
        readFileSync(inside(name), "utf8"),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
