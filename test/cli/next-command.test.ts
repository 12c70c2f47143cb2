/** @file "Next: lrscope ..." after a run that was gone on with: it says where things lie, though the call did not. */

import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { shellLine } from "../../src/core/shell.ts";
import { photoFolder } from "./photos.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

const TINY = ["--size", "16", "--batch", "16", "--threads", "1", "--seeds", "1", "--no-samples"];

const NETWORK = `
import { layers } from "lrscope";
const { globalAveragePool, linear, sequential } = layers;
export const network = ({ classes, channels, size }) =>
  layers.network({
    name: "one-layer",
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      features: globalAveragePool(),
      classifier: linear({ features: classes }),
    }),
  });
`;
const OPTIMIZER = `
import { defineOptimizer } from "lrscope/optimizers";
export const optimizer = defineOptimizer({
  name: "half-step",
  hyperparameters: { learningRate: 0.1, damping: 0.5 },
  state: () => ({}),
  update: ({ parameter, gradient, lr }, { damping }) => ({
    parameter: parameter.sub(gradient.mul(lr.mul(damping))),
  }),
});
`;

const nextOf = (stdout: string) => stdout.split("\n").filter((line) => /^(Next:| +or:)/.test(line));

describe.skipIf(absent)(`the command that follows${absent ? ` (${absent})` : ""}`, () => {
  const files = { net: "", arm: "" };
  beforeAll(async () => {
    await photoFolder(within("my photos"), { each: 8 });
    files.net = within("net.mjs");
    files.arm = within("mine.mjs");
    writeFileSync(files.net, NETWORK);
    writeFileSync(files.arm, OPTIMIZER);
  });

  test.each(["find", "compare"])("%s --resume", async (command) => {
    const run = within(`${command}-run`);
    const own =
      command === "find" ? ["--optimizer", "adam"] : ["--optimizers", `adam,${files.arm}`];
    const first = await cli([
      ...[command, within("my photos"), "--model", files.net, ...own, ...TINY],
      ...["--epochs", "1", "--out", run],
    ]);
    expect(`${first.code} ${first.stderr}`).toMatch(/^0 /);
    const again = await cli([command, "--resume", run]);
    expect(`${again.code} ${again.stderr}`).toMatch(/^0 /);
    const [next = "", ...others] = nextOf(again.stdout);
    for (const line of [next, ...others]) {
      expect(line).toContain("my photos' ");
      expect(line).toContain("net.mjs");
      expect(line).not.toMatch(/SOURCE|NETWORK|vanilla/);
    }
    expect(next).not.toBe("");
    // Said once more, it is as it was said.
    const said = await cli([command, within("my photos"), "--resume", run, "--model", files.net]);
    expect(nextOf(said.stdout)[0]).toContain(shellLine([within("my photos")]));
  });
});
