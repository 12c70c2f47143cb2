/** @file Double buffering: while the engine works on one slot, the loader fills the other. */

import { at } from "../core/at.ts";

/**
 * Runs `step` for items 0 .. count - 1 in order; with two slots the next item is filled during each
 * step, with one after it. `step` may return false to end early. A fill in flight is awaited in any
 * case.
 */
export async function pipeline(options: {
  count: number;
  /** Default [0, 1]. */
  slots?: readonly number[];
  fill(item: number, slot: number): Promise<void>;
  step(item: number, slot: number): Promise<boolean | undefined>;
}): Promise<void> {
  const { count, slots = [0, 1], fill, step } = options;
  const slotOf = (item: number) => at(slots, item % slots.length, "slots");
  const fillNext = async (item: number) => {
    if (item < count) await fill(item, slotOf(item));
  };
  const ahead = slots.length > 1;
  await fillNext(0);
  for (let item = 0; item < count; item++) {
    const next = ahead ? fillNext(item + 1) : Promise.resolve();
    // Settled below; this keeps a failing fill from being "unhandled" while the step runs.
    next.catch(() => undefined);
    let goOn: boolean | undefined;
    try {
      goOn = await step(item, slotOf(item));
    } finally {
      await next.catch(() => undefined);
    }
    await next;
    if (goOn === false) return;
    if (!ahead) await fillNext(item + 1);
  }
}
