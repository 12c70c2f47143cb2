import { describe, expect, test } from "vitest";
import { pipeline } from "./pipeline.ts";

/** Runs a pipeline whose fills and steps say when they begin and end. */
async function trace(count: number, lastStep = count, slots = [0, 1]) {
  const log: string[] = [];
  await pipeline({
    count,
    slots,
    async fill(item, slot) {
      log.push(`fill ${item} into ${slot}`);
      await null;
      log.push(`filled ${item}`);
    },
    async step(item, slot) {
      log.push(`step ${item} on ${slot}`);
      await null;
      await null;
      log.push(`stepped ${item}`);
      return item + 1 < lastStep;
    },
  });
  return log;
}

describe("pipeline", () => {
  test("the next item is filled while a step runs, into the other slot", async () => {
    expect(await trace(3)).toEqual([
      "fill 0 into 0",
      "filled 0",
      "fill 1 into 1",
      "step 0 on 0",
      "filled 1",
      "stepped 0",
      "fill 2 into 0",
      "step 1 on 1",
      "filled 2",
      "stepped 1",
      "step 2 on 0",
      "stepped 2",
    ]);
  });

  test("in one slot, filling and stepping take turns", async () => {
    expect(await trace(2, 2, [1])).toEqual([
      "fill 0 into 1",
      "filled 0",
      "step 0 on 1",
      "stepped 0",
      "fill 1 into 1",
      "filled 1",
      "step 1 on 1",
      "stepped 1",
    ]);
    const ended = await trace(5, 1, [0]);
    expect(ended.some((line) => line.startsWith("fill 1"))).toBe(false);
  });

  test("nothing to do", async () => expect(await trace(0)).toEqual([]));

  test("an early end awaits the fill in flight", async () => {
    const log = await trace(5, 1);
    expect(log).toContain("filled 1");
    expect(log.some((line) => line.startsWith("step 1"))).toBe(false);
  });

  test("a failing fill surfaces after the step that ran beside it", async () => {
    let stepped = 0;
    const work = pipeline({
      count: 3,
      async fill(item) {
        if (item === 1) throw new Error("unreadable");
      },
      async step() {
        stepped++;
        return true;
      },
    });
    await expect(work).rejects.toThrow("unreadable");
    expect(stepped).toBe(1);
  });

  test("a failing step awaits the fill in flight", async () => {
    let filled = 0;
    const work = pipeline({
      count: 2,
      async fill() {
        await null;
        filled++;
      },
      async step() {
        throw new Error("broken step");
      },
    });
    await expect(work).rejects.toThrow("broken step");
    expect(filled).toBe(2);
  });
});
