import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StoreError } from "../../src/core/errors.ts";
import type { ExperimentRecord } from "../../src/record/index.ts";
import { findPlaces } from "../../src/study/places.ts";
import { temporaryFolder } from "../datasets/fixtures.ts";

const names = { source: "synthetic", model: "vanilla" };
const experiment = { dataset: { name: "x", fingerprint: "0" }, model: { name: "x" } };

const find = (recorded: object) =>
  findPlaces({
    call: "compare --resume some-run",
    experiment: experiment as ExperimentRecord,
    recorded: { ...names, ...recorded },
    said: { source: undefined, model: undefined, pretrained: undefined },
  });

test("names are taken as they were recorded", async () => {
  expect(await find({})).toEqual({ ...names, files: {} });
});

// A run directory may come from anybody; a file that its record names must not be run.
test.each([
  ["model", "./some-run/network.mjs"],
  ["model", "network.ts"],
  ["model", "/tmp/network"],
  ["source", "../photos"],
  ["pretrained", "weights.pth"],
])("a record whose %s is the path %s is refused", async (key, path) => {
  const refused = find({ [key]: path });
  await expect(refused).rejects.toThrow(StoreError);
  await expect(refused).rejects.toThrow(`"specification.${key}" of experiment.json`);
  await expect(refused).rejects.toThrow(JSON.stringify(path));
});

test("so it is where the path leads somewhere", async () => {
  const path = join(temporaryFolder(), "network.mjs");
  writeFileSync(path, 'throw new Error("was run");');
  await expect(find({ model: path })).rejects.toThrow("must be a name or null");
});
