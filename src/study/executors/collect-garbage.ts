/** @file Memory of a trial's process, kept flat: what finished epochs leave behind is given back between epochs. */

/** Bytes of garbage that are left lying: collecting them takes some 10 ms, more than a tiny epoch does. */
const ALLOWED = 1 << 20;

/**
 * V8 lets its heap grow to several times of what lives in it before it looks for garbage there, and hardly
 * counts the megabytes of array buffers that each checkpoint leaves. A process of hours would come to
 * hold a tenth more than it needs, or some checkpoints more.
 * @returns to be called between epochs: collects garbage where there may be more than a mebibyte of it.
 *   Does nothing in a process that was not started with --expose-gc.
 */
export function garbageCollector(): () => void {
  const collect = globalThis.gc;
  if (!collect) return () => undefined;
  let lived = 0;
  return () => {
    if (used() < lived + ALLOWED) return;
    collect();
    lived = used();
  };
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
