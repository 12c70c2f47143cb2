/**
 * @file --precision. bf16 needs a processor that multiplies it; on one that does not, oneDNN would
 * compute every convolution in its slow reference code.
 */

import { existsSync, readFileSync } from "node:fs";
import type { Precision } from "../../compile/index.ts";
import { ArgumentError } from "../../core/errors.ts";

/** Linux's names of the instruction sets that multiply bf16. */
const BF16_FLAGS = ["avx512_bf16", "amx_bf16"] as const;

/** Flags of the first processor, as /proc/cpuinfo has them; null where there is no such file. */
export function processorFlags(file = "/proc/cpuinfo"): ReadonlySet<string> | null {
  if (!existsSync(file)) return null;
  const line = /^flags\s*:\s*(.*)$/m.exec(readFileSync(file, "utf8"));
  return new Set((line?.[1] ?? "").split(/\s+/));
}

/** Whether a processor of these flags multiplies bf16. */
export const multipliesBf16 = (flags: ReadonlySet<string> | null = processorFlags()): boolean =>
  flags !== null && BF16_FLAGS.some((flag) => flags.has(flag));

/**
 * What --precision asks for, before anything is opened.
 * @throws ArgumentError for bf16 where the processor lacks AVX512-BF16 and AMX
 */
export function checkPrecision(
  subject: string,
  precision: Precision,
  flags: ReadonlySet<string> | null = processorFlags(),
): void {
  if (precision === "fp32" || multipliesBf16(flags)) return;
  throw new ArgumentError(
    `${subject}: --precision bf16 needs a processor with AVX512-BF16 or AMX, and this one has neither; leave it out for fp32`,
  );
}
