import { expect, test } from "vitest";
import { ArgumentError } from "../../core/errors.ts";
import { checkPrecision, processorFlags } from "./precision.ts";

test("fp32 is always there", () => {
  expect(() => checkPrecision("train", "fp32", new Set())).not.toThrow();
});

test("bf16 is refused with the reason", () => {
  const without = () => checkPrecision("train", "bf16", new Set(["avx2"]));
  expect(without).toThrow(ArgumentError);
  expect(without).toThrow(
    "train: --precision bf16 needs a processor with AVX512-BF16 or AMX, and this one has neither",
  );
  expect(() => checkPrecision("train", "bf16", null)).toThrow("has neither");
});

test.each(["avx512_bf16", "amx_bf16"])("%s is what it needs", (flag) => {
  expect(() => checkPrecision("train", "bf16", new Set(["avx2", flag]))).not.toThrow();
});

test("no list of flags is no error", () => {
  expect(processorFlags("/no/such/file")).toBeNull();
});
