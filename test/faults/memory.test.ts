/** @file What an epoch leaves behind: its record, and nothing else. Counted in bytes that live, not in resident pages. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { runTiny, tinyTrial } from "./tiny.ts";

/**
 * Epochs after which is counted; before the first, what is compiled and cached on the way has been. What is
 * kept once, whenever it comes, is in one of the spans between them; what each epoch leaves is in all.
 */
const COUNTED = [30, 80, 130, 180];
const LAST = COUNTED.at(-1)!;

/** Of an epoch's record in memory: a dozen numbers, four accuracies, the times of four updates. */
const RECORD_BYTES = 2500;
/** Array buffers: a checkpoint's text grows by an epoch's line, and two may be alive. Weights are 5 kB. */
const BUFFER_BYTES = 1000;

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();

  test("no buffer, tensor, listener or promise of an epoch outlives it", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const counts: NodeJS.MemoryUsage[] = [];
    await runTiny({
      directory: within("run"),
      spec: tinyTrial({ epochs: LAST + 1 }),
      onEvent(event) {
        if (event.type !== "update" || event.update % 4 !== 1) return;
        if (!COUNTED.includes(event.epoch)) return;
        // Array buffers are swept beside what runs: the second waits for the first.
        collect();
        collect();
        counts.push(process.memoryUsage());
      },
    });
    expect(counts).toHaveLength(COUNTED.length);
    const grown = (of: "heapUsed" | "external" | "arrayBuffers") =>
      Math.min(
        ...counts
          .slice(1)
          .map((count, i) => (count[of] - counts[i]![of]) / (COUNTED[i + 1]! - COUNTED[i]!)),
      );
    expect(grown("heapUsed")).toBeLessThan(RECORD_BYTES);
    expect(grown("external")).toBeLessThan(BUFFER_BYTES);
    expect(grown("arrayBuffers")).toBeLessThan(BUFFER_BYTES);
  });
});
