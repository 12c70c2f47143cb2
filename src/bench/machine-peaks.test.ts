import { expect, test } from "vitest";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { multipliesBf16 } from "../engine/native/precision.ts";
import { measurePeaks } from "./machine-peaks.ts";

test("what is timed for the speed of products computes one, in either precision", async () => {
  const backend = await openBackend(DEFAULT_ENGINE, { threads: 1 });
  const precision = multipliesBf16() ? "bf16" : "fp32";
  const { gflops } = await measurePeaks({ backend, threads: 1, precision });
  // A reorder in the product's place would make 0.
  expect(gflops.f32).toBeGreaterThan(0);
  if (precision === "bf16") expect(gflops.bf16).toBeGreaterThan(0);
});
