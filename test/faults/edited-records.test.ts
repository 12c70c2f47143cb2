/**
 * @file Run directories whose files were changed by hand: report and --resume either do their work, or
 * refuse it with an error that names the file. Never is it "a fault of lrscope's". The gate takes a
 * part of the edits, `npm run test:long` all.
 */

import { cpSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { draws, editFile } from "./edit-record.ts";
import { TINY_FLAGS } from "./tiny.ts";

const EDITS = process.env.LRSCOPE_TEST_LONG === "1" ? 1200 : 160;
const SEED = Number(process.env.LRSCOPE_TEST_SEED ?? 1);
const LANES = 2;
/** Milliseconds: many of them are gone on with, which takes a process each. */
const PATIENCE = 3_600_000;

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const call = [
    ...["compare", ...TINY_FLAGS, "--optimizers", "sgd+clr,adam", "--seeds", "1", "--threads", "1"],
    ...["--epochs", "2", "--step-size", "1e", "--published", "--force"],
    ...["--targets", "0.3", "--profile", "--tensorboard"],
  ];
  beforeAll(async () => {
    expect((await cli([...call, "--out", within("finished")])).code).toBe(0);
    const controller = new AbortController();
    const { code } = await cli([...call, "--out", within("stopped")], {
      signal: controller.signal,
      // In its second trial, so that one is finished and one has a checkpoint.
      onOutput: (text) => /adam.*epoch +1 /s.test(text) && controller.abort(),
    });
    expect(code).toBe(130);
  });

  /** Those of records, the experiment's as often as all others together. */
  const recordsOf = (path: string): string[] => {
    const files = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.jsonl?$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    const others = files.filter((file) => !file.endsWith("experiment.json"));
    return [...others, ...others.map(() => join(path, "experiment.json"))];
  };

  test(`${EDITS} edits: done, or refused by name`, { timeout: PATIENCE }, async () => {
    const wrong: string[] = [];
    const codes = new Map<string, number>();
    let next = 0;
    const lane = async (number: number) => {
      for (let edit = next++; edit < EDITS; edit = next++) {
        const draw = draws(SEED * 1_000_003 + edit);
        const kind = ["finished", "stopped"][draw(2)]!;
        const path = within(`edited-${number}`);
        rmSync(path, { recursive: true, force: true });
        cpSync(within(kind), path, { recursive: true });
        const files = recordsOf(path);
        const file = files[draw(files.length)]!;
        const what = editFile(file, draw);
        const argv = draw(2) === 0 ? ["report", path] : ["compare", "--resume", path];
        const { code, stderr } = await cli(argv);
        const line = stderr
          .split("\n")
          .filter((text) => /lrscope: |internal/.test(text))
          .join(" ");
        const key = `${argv[0]} ${code}`;
        codes.set(key, (codes.get(key) ?? 0) + 1);
        if (/unexpected|internal|fault of lrscope/.test(stderr) || ![0, 1, 2].includes(code))
          wrong.push(
            `edit ${edit} of a ${kind} run, ${relative(path, file)} ${what}; ${argv[0]}: ${line}`,
          );
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    if (EDITS > 200) console.log([...codes].sort());
    // Some are harmless, and some are not.
    expect(codes.get("report 0")).toBeGreaterThan(0);
    expect(codes.get("compare 0")).toBeGreaterThan(0);
    expect(codes.get("compare 2")).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });
});
