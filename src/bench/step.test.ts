import { describe, expect, test } from "vitest";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import { multipliesBf16 } from "../engine/native/precision.ts";
import { findTorchPython, startTorch } from "./peers.ts";
import { benchStep } from "./step.ts";
import { type BenchProgress, takeTurns } from "./turns.ts";

/** A side whose steps take as long as it is told, in a log shared by all sides. */
function side(name: string, log: string[]) {
  return {
    name,
    times: [] as number[],
    async run(steps: number) {
      log.push(`${name} ${steps}`);
      return Array.from({ length: steps }, (_, i) => i);
    },
  };
}

describe("takeTurns", () => {
  test("sides alternate, after a warm-up that is not counted", async () => {
    const log: string[] = [];
    const sides = [side("a", log), side("b", log)];
    const progress: BenchProgress[] = [];
    await takeTurns({ sides, repetitions: 12, onProgress: (event) => progress.push(event) });
    expect(log.slice(0, 2)).toEqual(["a 3", "b 3"]);
    const rounds = [2, 2, 3, 2, 3];
    expect(log.slice(2)).toEqual(rounds.flatMap((steps) => [`a ${steps}`, `b ${steps}`]));
    expect(sides.map(({ times }) => times.length)).toEqual([12, 12]);
    expect(progress.at(-1)).toEqual({ done: 30, total: 30, what: "done" });
  });

  test("fewer steps than rounds make fewer rounds", async () => {
    const log: string[] = [];
    await takeTurns({ sides: [side("a", log)], repetitions: 2 });
    expect(log).toEqual(["a 3", "a 1", "a 1"]);
  });

  test("ends when it is interrupted", async () => {
    const log: string[] = [];
    const turns = takeTurns({
      sides: [side("a", log)],
      repetitions: 2,
      signal: AbortSignal.abort(),
    });
    await expect(turns).rejects.toBeInstanceOf(InterruptedError);
    expect(log).toEqual([]);
  });
});

describe("options", () => {
  test.each([
    [{ batch: 0 }, "bench step: batch must be a positive integer; got 0"],
    [{ threads: 1.5 }, "bench step: threads must be a positive integer; got 1.5"],
    [{ repetitions: -1 }, "bench step: repetitions must be a positive integer; got -1"],
  ])("%o is refused", async (options, message) => {
    await expect(benchStep(options)).rejects.toBeInstanceOf(ArgumentError);
    await expect(benchStep(options)).rejects.toThrow(message);
  });

  test.skipIf(multipliesBf16())("bf16 is refused where the processor has none", async () => {
    const refused = expect(benchStep({ precision: "bf16" })).rejects;
    await refused.toThrow("bench step: --precision bf16 needs a processor with AVX512-BF16 or AMX");
  });
});

describe("benchStep", () => {
  test("what it says follows from what it measured", async () => {
    const record = await benchStep({
      batch: 4,
      size: 16,
      threads: 1,
      repetitions: 3,
      peers: false,
    });
    expect(record).toMatchObject({ model: "vanilla", batch: 4, size: 16, threads: 1, peers: [] });
    expect(record.minMs).toBeGreaterThan(0);
    expect(record.medianMs).toBeGreaterThanOrEqual(record.minMs);
    expect(record.maxMs).toBeGreaterThanOrEqual(record.medianMs);
    expect(record.imagesPerSecond).toBeCloseTo(4000 / record.medianMs, 6);
    // At least the parameters themselves.
    expect(record.peakMemoryMiB).toBeGreaterThan((310_149 * 4) / 2 ** 20);
    expect(record.limitMs).toBeGreaterThan(0);
    expect(record.limitRatio).toBeCloseTo(record.medianMs / record.limitMs!, 9);
    expect(record.engine).toMatch(/^oneDNN .*, 1 thread$/);
  });

  test("an unknown model is refused by name", async () => {
    await expect(benchStep({ model: "vanila", peers: false })).rejects.toThrow('"vanila"');
  });
});

describe("peers", () => {
  test("a Python that is not there, or lacks PyTorch, is passed over", async () => {
    expect(await findTorchPython(["no-such-python", process.execPath])).toBeNull();
  });

  test("a process that cannot be started is an error that says why", async () => {
    const options = { model: "vanilla", batch: 2, channels: 3, size: 16, classes: 5, threads: 1 };
    await expect(startTorch("no-such-python", options)).rejects.toThrow("ENOENT");
  });

  test("a process that ends early is an error with its last words", async () => {
    const options = { model: "vanilla", batch: 2, channels: 3, size: 16, classes: 5, threads: 1 };
    // Node takes the script for JavaScript, and fails; its last line is its version.
    const started = startTorch(process.execPath, options);
    await expect(started).rejects.toThrow(`Node.js ${process.version}`);
  });

  test("PyTorch steps as often as it is asked to", async ({ skip }) => {
    const python = await findTorchPython();
    if (python === null) skip("no python3 has PyTorch (Debian: python3-torch)");
    const options = { model: "vanilla", batch: 2, channels: 3, size: 16, classes: 5, threads: 1 };
    const peer = await startTorch(python!, options);
    try {
      expect(peer.name).toMatch(/^pytorch .*channels_last, 1 thread$/);
      expect(peer.parameters).toBe(310_149);
      for (const steps of [1, 3]) {
        const times = await peer.run(steps);
        expect(times).toHaveLength(steps);
        expect(times.every((ms) => ms > 0)).toBe(true);
      }
    } finally {
      peer.close();
    }
  });
});
