/** @file How the bench's pages time a drawing: until the frame after the one that shows it. */

const shown = () =>
  new Promise<void>((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(() => resolve())),
  );

/** Milliseconds from the call to the picture. */
export async function timed(draw: () => void): Promise<number> {
  const began = performance.now();
  draw();
  await shown();
  return performance.now() - began;
}

/** Puts the two calls at which the bench asks. */
export function offer(calls: { paint(): Promise<number>; update(): Promise<number> }): void {
  Object.assign(globalThis, calls);
}

/** The four places of charts, two a row. */
export function places(): HTMLElement[] {
  document.body.style.cssText = "display:grid;grid-template-columns:680px 680px;margin:0";
  return Array.from({ length: 4 }, () => document.body.appendChild(document.createElement("div")));
}

/** Pixels of a chart. */
export const [WIDTH, HEIGHT] = [680, 730];
