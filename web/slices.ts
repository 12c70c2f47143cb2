/**
 * @file Work in slices: what takes long leaves a frame between its parts, so that what is drawn already is seen while
 * the rest is drawn, and a press of a key is heard.
 */

/** Milliseconds of a slice; a work that takes longer by itself is not cut. */
const SLICE = 40;

export interface Slices {
  /** Does the works in their order, the first of them at once; what is left of those before is given up. */
  run(works: readonly (() => void)[]): void;
  /** Whether some are left. */
  readonly busy: boolean;
  stop(): void;
}

export function slices(): Slices {
  let left: readonly (() => void)[] = [];
  let cancel: () => void = () => undefined;
  const go = () => {
    cancel = () => undefined;
    const until = performance.now() + SLICE;
    do {
      const [work, ...rest] = left;
      left = rest;
      work?.();
    } while (left.length > 0 && performance.now() < until);
    if (left.length > 0) cancel = afterFrame(go);
  };
  const stop = () => {
    cancel();
    left = [];
  };
  return {
    run(works) {
      stop();
      left = works;
      go();
    },
    get busy() {
      return left.length > 0;
    },
    stop,
  };
}

/** Once what was done is on its way to the screen; at once where nobody sees it. @returns what gives it up */
function afterFrame(work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer = setTimeout(work);
  };
  if (document.hidden) soon();
  const frame = document.hidden ? 0 : requestAnimationFrame(soon);
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
