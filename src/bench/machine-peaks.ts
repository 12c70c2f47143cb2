/**
 * @file What this machine can do at best, measured: bytes moved, operations made, and instructions begun. A step
 * is held against these, and not against a data sheet.
 */

import { compileNetwork, instructionRows, type Precision } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { InternalError } from "../core/errors.ts";
import { loadAddon } from "../engine/native/addon/index.ts";
import { flatten, linear, type Network, network, sequential } from "../layers/index.ts";
import { sgd } from "../optimizers/index.ts";
import type { Backend } from "../program/index.ts";
import { openNoiseStep } from "./noise-step.ts";

/** Elements of each of the triad's three arrays: 384 MiB together, far beyond most caches. */
const TRIAD_ELEMENTS = 2 ** 25;
const TRIAD_PASSES = 12;

/** Rows, features in and features out of the greatest product: 17 GFLOP. */
const PRODUCT = 2048;
const PRODUCT_PASSES = 8;
/** Of the smallest, which costs little but its beginning. */
const TINY = 16;
const TINY_PASSES = 400;

export interface MachinePeaks {
  /** Gigabytes (10^9) a second of a triad over memory. */
  readonly gbPerSecond: number;
  /** 10^9 additions and multiplications a second of a great matrix product, by the type of its factors; 0: not asked for. */
  readonly gflops: { readonly f32: number; readonly bf16: number };
  /** Milliseconds of an instruction that has next to nothing to do. */
  readonly startMs: number;
}

/** Gigabytes (10^9 bytes) a second of a = b + s c: of some passes the median, or the best. */
export async function measureTriad(
  threads: number,
  which: "median" | "best" = "median",
): Promise<number> {
  const options = { elements: TRIAD_ELEMENTS, repetitions: TRIAD_PASSES, threads };
  const sorted = [...(await loadAddon().measureTriad(options))].sort((a, b) => a - b);
  const ms = at(sorted, which === "best" ? 0 : Math.floor(sorted.length / 2), "times");
  return (12 * TRIAD_ELEMENTS) / ms / 1e6;
}

/** @param precision whether products of bf16 are measured too */
export async function measurePeaks(options: {
  readonly backend: Backend;
  readonly threads: number;
  readonly precision?: Precision | undefined;
}): Promise<MachinePeaks> {
  const { backend, threads, precision = "fp32" } = options;
  const product = (of: Precision) =>
    productMs({ backend, threads, precision: of, extent: PRODUCT, passes: PRODUCT_PASSES });
  const gflops = ({ flops, least }: { flops: number; least: number }) => flops / least / 1e6;
  const tiny = await productMs({
    ...{ backend, threads, precision: "fp32", extent: TINY, passes: TINY_PASSES },
  });
  return {
    gbPerSecond: await measureTriad(threads, "best"),
    gflops: {
      f32: gflops(await product("fp32")),
      bf16: precision === "bf16" ? gflops(await product("bf16")) : 0,
    },
    startMs: tiny.median,
  };
}

/** Milliseconds and operations of the product of two square matrices as a linear layer computes it. */
async function productMs(options: {
  backend: Backend;
  threads: number;
  precision: Precision;
  extent: number;
  passes: number;
}): Promise<{ least: number; median: number; flops: number }> {
  const { backend, threads, precision, extent, passes } = options;
  const compiled = compileNetwork({
    network: squareProduct(extent),
    ...{ backend, threads, precision, batch: extent, optimizer: sgd(), slots: 1 },
  });
  const program = compiled.programs.predict;
  const step = await openNoiseStep({ compiled, backend, program });
  try {
    // Where factors are bf16, a reorder of the layer's weights comes before its product.
    const instruction = program.instructions.findIndex(
      ({ layer, kind }) => layer === "second" && kind === "linear",
    );
    if (!step.loaded.time) throw new InternalError("the engine has no clock for one instruction");
    const scalars = step.scalars();
    await step.loaded.run({ slot: 0, scalars });
    const times = await step.loaded.time({ slot: 0, scalars, instruction, repetitions: passes });
    const sorted = [...times].sort((a, b) => a - b);
    return {
      // What was timed says what it computes: a reorder in its place would give 0, and no fabulous speed.
      flops: at(instructionRows(program), instruction, "rows").flops,
      least: at(sorted, 0, "times"),
      median: at(sorted, Math.floor(sorted.length / 2), "times"),
    };
  } finally {
    step.close();
  }
}

/** Of three layers the middle one is measured: what it reads and writes has the precision's type. */
const squareProduct = (extent: number): Network =>
  network({
    name: "square product",
    inputShape: [1, 1, 1],
    classes: 2,
    layer: sequential({
      flatten: flatten(),
      first: linear({ features: extent, bias: false }),
      second: linear({ features: extent, bias: false }),
      last: linear({ features: 2, bias: false }),
    }),
  });
