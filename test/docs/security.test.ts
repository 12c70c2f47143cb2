/** @file The limits that SECURITY.md and the guide to fuzzing state are those of the code. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import {
  DECODE_LIMITS,
  MOST_PIXELS,
  MOST_SIDE,
} from "../../src/datasets/decoding/decode-limits.ts";
import { fuzzParts } from "../fuzz/parts.ts";
import { TARGETS } from "../fuzz/targets.ts";
import { root } from "../house/rooms.ts";

const read = (name: string) => readFileSync(join(root, name), "utf8");

test("limits of images", () => {
  const { processorSeconds, memory } = DECODE_LIMITS;
  const page = read("SECURITY.md");
  expect(page).toContain(
    `| pixels | ${MOST_PIXELS / 1e6} megapixels, and ${MOST_SIDE.toLocaleString("en")} a side |`,
  );
  expect(page).toContain(`| processor time to decode it | ${processorSeconds} s |`);
  expect(page).toContain(`| memory to decode it | ${memory} MiB`);
});

test("every target of native/fuzz/ is run, and every part is described", async () => {
  const sources = readdirSync(join(root, "native", "fuzz"))
    .filter((name) => name.endsWith(".cc") && name !== "read_inputs.cc")
    .map((name) => basename(name, ".cc"));
  expect(sources.sort()).toEqual([...TARGETS].sort());
  const parts = await fuzzParts({ built: "", findings: "" });
  const page = read("docs/fuzzing.md");
  for (const { name } of parts) expect(page).toContain(`| \`${name}\` |`);
});
