/**
 * @file docs/guide/schedules.md: its programs are run and print what they say, its commands are run
 * and draw the pictures that it shows.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import * as schedules from "../../src/schedules/index.ts";
import { cli } from "../cli/run-cli.ts";
import { root } from "../house/rooms.ts";
import { codeBlocks, runProgram, wordsOf } from "./code-blocks.ts";

const page = readFileSync(join(root, "docs", "guide", "schedules.md"), "utf8");
const blocks = (language: string) =>
  codeBlocks(join("docs", "guide", "schedules.md"))
    .filter(({ info }) => info === language)
    .map(({ text }) => text);

test("every type of schedule is on the page", () => {
  const named = (type: string) => page.includes(`\`${type}`) || page.includes(`${type}(`);
  expect(schedules.scheduleTypes.filter((type) => !named(type))).toEqual([]);
});

describe("programs", () => {
  const programs = blocks("ts");
  test("there are some", () => expect(programs.length).toBeGreaterThan(5));
  test.each(programs)("%s", async (program) => {
    const said = [...program.matchAll(/\); \/\/ (.*)$/gm)].map((match) => match[1]!);
    expect(said.length).toBeGreaterThan(0);
    const printed = await runProgram(program, { "lrscope/schedules": schedules });
    expect(printed.join(" ")).toBe(said.join(" "));
  });
});

describe("commands", () => {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-guide-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const commands = blocks("bash").flatMap((block) => block.trim().split("\n"));
  const pictures = commands.map((line) => / --svg (\S+)$/.exec(line)?.[1]).filter((file) => file);

  test.each(commands)("%s", async (line) => {
    const [program, ...words] = wordsOf(line);
    expect(program).toBe("lrscope");
    const shown = words.includes("--svg") ? words.at(-1)! : null;
    const drawn = join(folder, basename(shown ?? ""));
    const argv = shown ? [...words.slice(0, -1), drawn] : words;
    const { code, stdout, stderr } = await cli(argv);
    expect({ code, stderr: shown ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/[┼┤]/);
    // A change of drawing or of a schedule: run the command again, from the repository's root.
    if (shown) expect(readFileSync(drawn, "utf8")).toBe(readFileSync(join(root, shown), "utf8"));
  });

  test("draw every picture in the folder, and the page shows each", () => {
    const files = readdirSync(join(root, "docs", "images", "schedules")).sort();
    expect(pictures.map((file) => basename(file!)).sort()).toEqual(files);
    for (const file of files) expect(page).toContain(`](../images/schedules/${file})`);
  });
});
