/** @file Double buffering: while the engine works on one slot, the loader fills the other. */

/**
 * Runs `step` for items 0 .. count - 1 in order; the next item is filled during each step.
 * `step` may return false to end early. A fill in flight is awaited in any case.
 */
export async function pipeline(options: {
  count: number;
  fill(item: number, slot: number): Promise<void>;
  step(item: number, slot: number): Promise<boolean | undefined>;
}): Promise<void> {
  const { count, fill, step } = options;
  if (count === 0) return;
  await fill(0, 0);
  for (let item = 0; item < count; item++) {
    const slot = item % 2;
    const next = item + 1 < count ? fill(item + 1, 1 - slot) : Promise.resolve();
    // Settled below; this keeps a failing fill from being "unhandled" while the step runs.
    next.catch(() => undefined);
    let goOn: boolean | undefined;
    try {
      goOn = await step(item, slot);
    } finally {
      await next.catch(() => undefined);
    }
    await next;
    if (goOn === false) return;
  }
}
