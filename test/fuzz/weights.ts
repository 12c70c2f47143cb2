/**
 * @file Mutated weight files through everything that reads them: each is accepted or refused by a WeightsError
 * that names the file; lrscope's own checkpoints go on to prediction and export. Run it in a process of its own,
 * within limits of the system's, to see hangs and memory too:
 *
 *   prlimit --as=4000000000 node --import jiti/register test/fuzz/weights.ts --count 30000 --seed 1
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WeightsError } from "../../src/core/errors.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { readStoredNetwork } from "../../src/files/stored-network.ts";
import { readWeights } from "../../src/files/weight-files.ts";
import { decodeOnnx, memorySource } from "../../src/formats/index.ts";
import { openPredictor } from "../../src/infer/predictor.ts";
import type { Backend } from "../../src/program/index.ts";
import { exportOnnx } from "../../src/study/stored/from-checkpoint.ts";
import { type MutatedFile, mutateWeights } from "./mutate-weights.ts";
import type { Finding, FuzzOptions, FuzzSummary } from "./report.ts";

export interface WeightFuzzOptions extends FuzzOptions {
  /** Runs checkpoints; default the reference backend. */
  readonly backend?: Backend;
}

/** Outcomes are "onnx: accepted", "onnx: not accepted: WeightsError", "checkpoint: predicts" and so on. */
export interface WeightFuzzSummary extends FuzzSummary {
  /** Of the file that took longest. */
  readonly slowest: { readonly milliseconds: number; readonly file: string };
  /** What one file's arrays took at most, in bytes beyond twice the larger of file and values; below 0: less. */
  readonly mostBeyond: { readonly bytes: number; readonly file: string };
}

/** What src/formats/limits.ts allows beyond twice the larger of file and values. */
const BEYOND = 256 * 2 ** 20;

/** Reads all of them; whatever is neither accepted nor refused as it should be is a finding. */
export async function fuzzWeights(options: WeightFuzzOptions): Promise<WeightFuzzSummary> {
  const { seed, backend = referenceBackend(), onProgress } = options;
  const outcomes: Record<string, number> = {};
  const findings: Finding[] = [];
  let slowest = { milliseconds: 0, file: "" };
  let mostBeyond = { bytes: Number.NEGATIVE_INFINITY, file: "" };
  const folder = mkdtempSync(join(tmpdir(), "lrscope-fuzz-weights-"));
  const path = join(folder, "some.file");
  try {
    for (const file of mutateWeights(options)) {
      const { index, name, format, how } = file;
      const label = `${name}, ${how}, seed ${seed}, file ${index}`;
      const began = performance.now();
      const take = async (outcome: string, work: () => unknown) => {
        try {
          await work();
          outcomes[`${format}: ${outcome}`] = (outcomes[`${format}: ${outcome}`] ?? 0) + 1;
          return true;
        } catch (error) {
          const refusal = `${format}: not ${outcome}: ${(error as Error).constructor.name}`;
          outcomes[refusal] = (outcomes[refusal] ?? 0) + 1;
          const fault = faultOf(error, path);
          if (fault) findings.push({ what: `${format}: ${fault}`, reproduce: label });
          return false;
        }
      };
      writeFileSync(path, file.bytes);
      await take("accepted", () => {
        const beyond = readCounting(file, path);
        if (beyond > mostBeyond.bytes) mostBeyond = { bytes: beyond, file: label };
        if (beyond > BEYOND)
          findings.push({ what: `${format}: takes ${beyond} bytes too many`, reproduce: label });
      });
      if (format === "checkpoint") {
        const predicts = await take("predicts", () => predictOnce(path, backend));
        const exports = await take("exports", () => exportOnce(path));
        if (predicts && !exports)
          findings.push({ what: "predicts, and is not exported", reproduce: label });
      }
      const milliseconds = performance.now() - began;
      if (milliseconds > slowest.milliseconds) slowest = { milliseconds, file: label };
      onProgress?.(1);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { name: "weights", inputs: options.count, outcomes, findings, slowest, mostBeyond };
}

/** null where the error is what it should be. */
function faultOf(error: unknown, path: string): string | null {
  if (!(error instanceof WeightsError)) return `${(error as Error).stack?.slice(0, 400)}`;
  const { message } = error;
  if (/internal/i.test(message)) return `a fault of lrscope's: ${message}`;
  if (!message.includes(path)) return `the file is not named: ${message}`;
  if (message.length > 2000) return `a message of ${message.length} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(message) ? "control characters" : null;
}

/** Bytes of arrays that reading took beyond twice the larger of the file and its values. */
function readCounting({ bytes }: MutatedFile, path: string): number {
  const before = process.memoryUsage().arrayBuffers;
  const { tensors } = readWeights(path);
  const taken = process.memoryUsage().arrayBuffers - before;
  const buffers = new Set([...tensors.values()].map(({ data }) => data.buffer));
  const values = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return taken - 2 * Math.max(bytes.length, values);
}

async function predictOnce(path: string, backend: Backend): Promise<void> {
  const { session, run } = await openPredictor(await readStoredNetwork(path), {
    backend,
    batch: 2,
    threads: 1,
  });
  try {
    session.images(0).fill(0.5);
    const probabilities = await run(2);
    if (!probabilities.every((value) => value >= 0 && value <= 1))
      throw new Error(`probabilities ${probabilities.slice(0, 10)}`);
  } finally {
    session.dispose();
  }
}

/** What is exported holds the weights that can be read back. */
async function exportOnce(path: string): Promise<void> {
  decodeOnnx(memorySource(await exportOnnx({ checkpoint: path }), path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const number = (flag: string, fallback: number) => {
    const at = process.argv.indexOf(flag);
    return at < 0 ? fallback : Number(process.argv[at + 1]);
  };
  const options = {
    seed: number("--seed", 1),
    first: number("--first", 0),
    count: number("--count", 3000),
  };
  const backend = process.argv.includes("--native")
    ? (await import("../../src/engine/native/index.ts")).nativeBackend({ threads: 1 })
    : referenceBackend();
  const summary = await fuzzWeights({ ...options, backend });
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ ...summary, peakBytes: peak }, null, 1));
  process.exitCode = summary.findings.length > 0 ? 1 : 0;
}
