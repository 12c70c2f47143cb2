/**
 * @file Classes, files and tensors named by somebody who means ill: no command passes on what a terminal
 * obeys, and none of it reaches a page or a figure.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/open.ts";
import { encodeSafetensors } from "../../src/formats/index.ts";
import { replaceFile } from "../../src/store/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

/** Sets the title, clears the screen, feigns a line, conceals, in 8 bits, and turns the order round. */
const HOSTILE = [
  "\x1b]0;title\x07 a",
  "\x1b[2J\x1b[8mb",
  "c\nlrscope: all is well",
  "\x9b2J\u202egpj.d\u2066",
];

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  /** Named to be obeyed as well. */
  const photos = () => within("\x1b[31mphotos\x07");
  const run = () => within("run");
  const best = () => join(run(), "trials", "adam-0", "best.safetensors");
  let image: string;

  /** What reaches the terminal, colours on; our own are taken out, and nothing else. */
  const said = async (argv: readonly string[], wanted: number) => {
    const { code, stdout, stderr } = await cli(argv, { environment: { FORCE_COLOR: "1" } });
    const ours = [1, 2, 22, 31, 33, 39].reduce(
      (text, color) => text.replaceAll(`\x1b[${color}m`, ""),
      stdout + stderr,
    );
    expect([code, ours]).toEqual([wanted, expect.any(String)]);
    expect(ours).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    // The newline of a name does not begin a line.
    expect(ours).not.toMatch(/^lrscope: all is well/m);
    return stdout + stderr;
  };

  beforeAll(async () => {
    const dataset = await openDataset("synthetic", { size: 16, limit: 9 });
    for (const [index, label] of dataset.labels.entries()) {
      const folder = join(photos(), HOSTILE[label]!);
      mkdirSync(folder, { recursive: true });
      image = join(folder, `\x1b[2J${index}.png`);
      writeFileSync(image, await dataset.png(index));
    }
    writeFileSync(join(photos(), HOSTILE[0]!, "\x1b]0;broken\x07\n.png"), "torn");
    dataset.close();
  });

  test("data, and train", async () => {
    const data = await said(["data", photos(), "--size", "16"], 0);
    for (const name of ["\\x1b]0;title\\x07 a", "\\x1b[2J\\x1b[8mb", "c\\nlrscope: all is well"])
      expect(data).toContain(name);
    expect(data).toContain("\\x1b]0;broken\\x07\\n.png: ");
    expect(data).toContain("\x1b[1m\\x1b[31mphotos\\x07\x1b[22m");
    const sizes = ["--size", "16", "--batch", "16", "--epochs", "1", "--threads", "1"];
    await said(["train", photos(), ...sizes, "--optimizer", "adam", "--out", run()], 0);
  });

  test("predict, export and report; JSON says the names as they are", async () => {
    await said(["predict", best(), image], 0);
    const json = await said(["predict", best(), image, "--json"], 0);
    const line = json.split("\n").find((text) => text.startsWith("{"))!;
    expect(JSON.parse(line).predictions[0].file).toBe(image);
    await said(["export", best(), within("\x1b[2Jout.onnx")], 0);
    await said(["report", run(), "--out", within("\x07again")], 0);
    for (const name of readdirSync(run(), { recursive: true, encoding: "utf8" })) {
      if (!/\.(html|svg|csv)$/.test(name)) continue;
      const text = readFileSync(join(run(), name), "utf8");
      expect([name, text.match(/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/u)]).toEqual([
        name,
        null,
      ]);
    }
  });

  test("refusals", async () => {
    await said(["predict", within("\x1b[2J.safetensors"), image], 2);
    await said(["predict", best(), join(photos(), "\x1b[2J\n.png")], 2);
    await said(["data", within("\x1b]0;nothing\x07")], 2);
    await said(["train", "\x1b[2Jnothing\nlrscope: all is well"], 2);
    await said(["report", within("\u202enothing")], 2);
    await said(["compare", "synthetic", "--optimizers", "adam,\x1b[2J\nlrscope: all is well"], 2);
    await said(["\x1b[2J"], 2);
    const weights = within("weights.safetensors");
    const data = new Float32Array(1);
    const tensors = new Map(HOSTILE.map((name) => [name, { shape: [1], data }]));
    replaceFile(weights, encodeSafetensors({ tensors, metadata: {} }));
    await said(
      ["train", photos(), "--size", "16", "--pretrained", weights, "--out", within("p")],
      2,
    );
    await said(["predict", weights, image], 2);
  });
});
