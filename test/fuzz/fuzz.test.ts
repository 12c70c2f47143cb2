/** @file A small part of what `npm run fuzz` does at length, and that it sees what it is for. */

import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../datasets/fixtures.ts";
import { nativeOrReason } from "../parity/native-or-reason.ts";
import { FORMATS, imageSeeds } from "./image-seeds.ts";
import { fuzzImages } from "./images.ts";
import { mutate } from "./mutate.ts";
import { fuzzTarget } from "./native-target.ts";
import { fuzzCacheFiles, fuzzPacked } from "./readers.ts";
import { structureOf } from "./structure.ts";

const { native, reason } = nativeOrReason();

describe("mutations", () => {
  test.each(FORMATS)(
    "%s: seeds have a structure; cases differ, and are the same again",
    async (format) => {
      const files = await imageSeeds(format);
      for (const file of files) expect(structureOf(file).fields.length).toBeGreaterThan(4);
      const draw = (seed: number) =>
        Array.from({ length: 50 }, (_, index) => mutate({ seed, index, files }).toString("base64"));
      expect(draw(1)).toEqual(draw(1));
      expect(new Set([...draw(1), ...draw(2)]).size).toBeGreaterThan(90);
    },
  );

  test("bear what is empty, short or of no format", () => {
    const files = ["", "\xff", "\xff\xd8\xff", "GIF89a", "RIFF", "II*\0\xff\xff\xff\xff", "text"];
    for (let index = 0; index < 3000; index++)
      expect(
        mutate({ seed: 1, index, files: files.map((text) => Buffer.from(text, "latin1")) }).length,
      ).toBeLessThanOrEqual(1 << 20);
  });
});

describe(`readers${reason}`, () => {
  test.skipIf(!native)("500 damaged photos: pixels or a named reason, in any company", async () => {
    const { outcomes, findings } = await fuzzImages({ seed: 1, count: 500 });
    expect(findings).toEqual([]);
    for (const format of FORMATS) {
      // Both must be met, or the mutations do too little or too much.
      expect(outcomes[`${format}: pixels`]).toBeGreaterThan(10);
      expect(outcomes[`${format}: named reason`]).toBeGreaterThan(10);
    }
  });

  test.skipIf(!native)("damaged IDX and CIFAR-10 files are opened or refused by name", async () => {
    const { outcomes, findings } = await fuzzPacked({ seed: 1, count: 80 });
    expect(findings).toEqual([]);
    expect(outcomes.opened).toBeGreaterThan(5);
    expect(outcomes["named reason"]).toBeGreaterThan(5);
  });

  test.skipIf(!native)("a damaged cache never gives other pixels", async () => {
    const { outcomes, findings } = await fuzzCacheFiles({ seed: 1, count: 80 });
    expect(findings).toEqual([]);
    expect(outcomes["the same pixels"]).toBeGreaterThan(40);
  });
});

describe("a target that dies", () => {
  /** Dies of "b" once it has been given "a": the failure needs two inputs. */
  const program = `#!${process.execPath}
const { readFileSync } = require("node:fs");
let armed = false;
const run = (bytes) => {
  if (armed && bytes.toString() === "b") { console.error("== RULE BROKEN: b after a"); process.abort(); }
  armed ||= bytes.toString() === "a";
};
if (process.argv.length > 2) { for (const name of process.argv.slice(2)) run(readFileSync(name)); process.exit(); }
let held = Buffer.alloc(0);
process.stdin.on("data", (more) => {
  held = Buffer.concat([held, more]);
  while (held.length >= 4 && held.length >= 4 + held.readUInt32LE(0)) {
    run(held.subarray(4, 4 + held.readUInt32LE(0)));
    held = held.subarray(4 + held.readUInt32LE(0));
    process.stdout.write("\\0");
  }
});
`;

  test("is started again; the inputs that end it are kept, and no more than it takes", async () => {
    const folder = temporaryFolder();
    const binary = join(folder, "target");
    writeFileSync(binary, program);
    chmodSync(binary, 0o755);
    const text = "xxaxbxxxxxxxxxxxxxxxxaxxx";
    const { inputs, findings } = await fuzzTarget({
      binary,
      name: "letters",
      seed: 3,
      count: text.length,
      findings: join(folder, "findings"),
      input: (index) => Buffer.from(text[index]!),
    });
    expect(inputs).toBe(text.length);
    expect(findings.map(({ what }) => what)).toEqual(["== RULE BROKEN: b after a"]);
    const kept = join(folder, "findings", "letters-3-4");
    expect(readdirSync(kept).map((name) => readFileSync(join(kept, name), "utf8"))).toEqual([
      "x",
      "a",
      "x",
      "b",
    ]);
  });
});
