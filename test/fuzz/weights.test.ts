/**
 * @file A part of the mutated weight files (weights.ts), in a process whose heap could not hold a bomb: one
 * that reads without end, or takes what it is asked for, fails here and does not stop the tests.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { WeightFuzzSummary } from "./weights.ts";

const COUNT = 3000;
const MIB = 2 ** 20;

test(`${COUNT} files are read or refused by name, within their memory`, () => {
  const program = fileURLToPath(new URL("weights.ts", import.meta.url));
  const heap = "--max-old-space-size=256";
  const { stdout, stderr, signal } = spawnSync(
    process.execPath,
    [heap, "--import", "jiti/register", program, "--count", String(COUNT), "--seed", "15"],
    { encoding: "utf8", timeout: 300_000, killSignal: "SIGKILL" },
  );
  expect({ signal, stderr }).toEqual({ signal: null, stderr: "" });
  const { findings, outcomes, mostBeyond } = JSON.parse(stdout) as WeightFuzzSummary;
  expect(findings).toEqual([]);
  // Both ends of every format were met, so that the counts mean something.
  for (const format of ["safetensors", "checkpoint", "torch zip", "torch older", "onnx"]) {
    expect(outcomes[`${format}: accepted`], format).toBeGreaterThan(0);
    expect(outcomes[`${format}: not accepted: WeightsError`], format).toBeGreaterThan(10);
  }
  expect(outcomes["checkpoint: predicts"]).toBeGreaterThan(10);
  expect(outcomes["checkpoint: exports"]).toBeGreaterThan(10);
  expect(mostBeyond.bytes).toBeLessThan(256 * MIB);
}, 400_000);
