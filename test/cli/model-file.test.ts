/** @file `--model FILE`: a network of the user's own, from the command line. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRun } from "../../src/store/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

const NETWORK = `
import { layers } from "lrscope";
const { conv2d, relu, globalAveragePool, linear, sequential } = layers;
interface Shape { classes: number; channels: number; size: number }
export const network = ({ classes, channels, size }: Shape) =>
  layers.network({
    name: "my-net",
    inputShape: [channels, size, size],
    classes,
    layer: sequential([conv2d({ channels: 4, kernel: 3 }), relu(), globalAveragePool(), linear({ features: classes })]),
  });
`;

describe.skipIf(absent)(`a network in a file${absent ? ` (${absent})` : ""}`, () => {
  test("a TypeScript file is compiled on the fly, and trained", async () => {
    const file = within("my-net.ts");
    writeFileSync(file, NETWORK);
    const out = within("run");
    const small = ["--size", "12", "--batch", "32", "--limit", "16", "--threads", "1"];
    const result = await cli([
      ...["train", "synthetic", "--model", file, ...small],
      ...["--epochs", "1", "--out", out, "--no-samples", "--json"],
    ]);
    expect(result.stderr).not.toContain("internal");
    expect(result.code).toBe(0);
    const { experiment } = readRun(out);
    // 4 x 3 x 3 x 3 + 4 of the convolution, 4 x 4 + 4 of the classifier.
    expect(experiment.model).toMatchObject({ name: "my-net", parameters: 112 + 20 });
  });

  test("a name without a folder is a file of this one", async () => {
    writeFileSync(within("bare.ts"), NETWORK);
    const before = process.cwd();
    process.chdir(within("."));
    try {
      const { code, json } = await cli(["explain", "--model", "bare.ts", "--size", "12", "--json"]);
      expect(code).toBe(0);
      // 4 x 3 x 3 x 3 + 4 of the convolution, 4 x 5 + 5 of the classifier.
      expect(json()).toMatchObject({ parameters: 112 + 25 });
    } finally {
      process.chdir(before);
    }
  });

  test("bench times it, and says that PyTorch has none like it", async () => {
    const file = within("timed.ts");
    writeFileSync(file, NETWORK);
    const small = ["--size", "12", "--batch", "2", "--threads", "1", "--repetitions", "2"];
    const step = ["bench", "step", "--model", file, ...small, "--no-limit", "--json"];
    const { code, json } = await cli(step);
    expect(code).toBe(0);
    const notes = [expect.stringContaining("PyTorch has no network like the one in the file")];
    expect(json()).toMatchObject({ model: "my-net", peers: [], notes });
    const missing = await cli(["bench", "step", "--model", within("nowhere.ts")]);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringContaining("there is no such file"),
    ]);
  });
});

describe("refusals name the file and the remedy, exit 2", () => {
  const refused = async (name: string, text: string | null) => {
    const file = within(name);
    if (text !== null) writeFileSync(file, text);
    const result = await cli(["explain", "--model", file]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(name);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    return result.stderr;
  };

  test("a missing file", async () => {
    expect(await refused(join("nowhere.ts"), null)).toContain("there is no such file");
  });

  test("a file that cannot be run", async () => {
    expect(await refused("broken.ts", "throw new Error('on purpose');")).toContain(
      "cannot be run: on purpose",
    );
  });

  test("a file without the export", async () => {
    expect(await refused("other.js", "export const net = 1;")).toContain(
      'must export a function "network"',
    );
  });

  test("a function that returns no network", async () => {
    expect(await refused("number.js", "export const network = () => 7;")).toContain("got number");
  });
});
