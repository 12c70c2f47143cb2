/** @file Labels beside the ends of lines, moved apart so that none covers another. */

export interface PlacedLabel {
  /** Where the label would like to be, in pixels from the top. */
  readonly wanted: number;
  readonly placed: number;
}

/**
 * Places at least `gap` apart, within [low, high] as far as they fit, each as near to where it
 * would like to be as its neighbours allow: neighbours too close become one block about the mean of
 * their wishes (pool adjacent violators: the least sum of squared shifts).
 */
export function placeLabels(
  wanted: readonly number[],
  { gap, low, high }: { gap: number; low: number; high: number },
): PlacedLabel[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  // Subtracting the gaps turns "at least a gap apart" into "not decreasing".
  const blocks: { total: number; count: number }[] = [];
  for (const [rank, index] of order.entries()) {
    let block = { total: wanted[index]! - rank * gap, count: 1 };
    for (;;) {
      const above = blocks.at(-1);
      if (!above || above.total / above.count <= block.total / block.count) break;
      block = { total: block.total + above.total, count: block.count + above.count };
      blocks.pop();
    }
    blocks.push(block);
  }
  const highest = Math.max(low, high - (wanted.length - 1) * gap);
  const positions = blocks.flatMap(({ total, count }) =>
    Array.from({ length: count }, () => Math.min(Math.max(total / count, low), highest)),
  );
  const placed: number[] = [];
  for (const [rank, index] of order.entries()) placed[index] = positions[rank]! + rank * gap;
  return wanted.map((want, i) => ({ wanted: want, placed: placed[i]! }));
}
