/** @file The command line knows every optimizer: in help texts, and as arms of a comparison. */

import { describe, expect, test } from "vitest";
import { optimizerNames } from "../../src/optimizers/index.ts";
import type { SummaryRecord } from "../../src/record/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

test.each(["find", "train", "explain"])("%s --help names them all", async (command) => {
  const { code, stdout } = await cli([command, "--help"]);
  expect(code).toBe(0);
  const words = stdout.split(/[\s,]+/);
  for (const name of optimizerNames) expect(words).toContain(name);
});

describe.skipIf(absent)(`compare${absent ? ` (${absent})` : ""}`, () => {
  test("trains with each at its default rate, and with momentum where there is one", async () => {
    const result = await cli([
      ...["compare", "synthetic", "--size", "16", "--batch", "32", "--threads", "1"],
      ...["--optimizers", optimizerNames.join(","), "--momentum", "0.5", "--weight-decay", "1e-3"],
      ...["--epochs", "1", "--seeds", "1", "--out", within("all"), "--no-samples", "--json"],
    ]);
    expect(result.stderr).not.toContain("failed");
    expect(result.code).toBe(0);
    const { optimizers } = result.json<SummaryRecord>();
    expect(optimizers.map(({ name }) => name).sort()).toEqual([...optimizerNames].sort());
    for (const { name, diverged } of optimizers) expect(diverged, name).toBe(0);
  });
});
