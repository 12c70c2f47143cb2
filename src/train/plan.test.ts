import { expect, test } from "vitest";
import { compileNetwork } from "../compile/index.ts";
import type { Dataset } from "../data/types.ts";
import { referenceBackend } from "../engine/reference/index.ts";
import { vanilla } from "../models/index.ts";
import { sgd } from "../optimizers/index.ts";
import type { Plan } from "../record/index.ts";
import { describePlan, planDifferences } from "./plan.ts";

const network = vanilla({ classes: 2, channels: 1, size: 8, widths: [2], hidden: 2 });
const backend = referenceBackend();

const planWith = (precision: "fp32" | "bf16"): Plan =>
  describePlan(
    { network, backend, dataset: {} as Dataset, threads: 1, precision },
    compileNetwork({ network, backend, batch: 2, optimizer: sgd(), threads: 1, precision }),
  );

test("a plan says its precision, and going on in another is refused by name", () => {
  const [whole, half] = [planWith("fp32"), planWith("bf16")];
  expect(half.precision).toBe("bf16");
  expect(planDifferences(half, planWith("bf16"))).toEqual([]);
  expect(planDifferences(whole, half)).toContain('precision is "bf16", not "fp32"');
});
