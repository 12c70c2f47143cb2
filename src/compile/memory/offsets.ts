/**
 * @file Packing: blocks of memory, each alive from one step to another, get offsets such that no
 * two that are alive together overlap. Finding the smallest arena is NP-hard; three greedy orders
 * are tried and the best is kept.
 * Source of "greedy by size" and of the bound: Pisarchyk and Lee, "Efficient memory management for
 * deep neural net inference", 2020, sections 4 and 5.
 */

export interface Block {
  readonly bytes: number;
  /** Steps, both included. */
  readonly first: number;
  readonly last: number;
}

export interface Packing {
  /** Bytes from the start of the arena, of each block; multiples of the alignment. */
  readonly offsets: readonly number[];
  readonly peakBytes: number;
}

/** The next multiple of the alignment, which is the backend's. */
export const aligned = (bytes: number, alignment: number): number =>
  Math.ceil(bytes / alignment) * alignment;

/** Whether two blocks are alive at the same time. */
export const overlapInTime = (a: Block, b: Block): boolean =>
  a.first <= b.last && b.first <= a.last;

/** Bytes alive at the same time, at worst: no packing has a smaller peak. */
export function lowerBoundBytes(blocks: readonly Block[], alignment: number): number {
  const changes = new Map<number, number>();
  const change = (step: number, bytes: number) =>
    changes.set(step, (changes.get(step) ?? 0) + bytes);
  for (const { bytes, first, last } of blocks) {
    change(first, aligned(bytes, alignment));
    change(last + 1, -aligned(bytes, alignment));
  }
  let [alive, worst] = [0, 0];
  for (const [, bytes] of [...changes].sort(([a], [b]) => a - b)) {
    alive += bytes;
    worst = Math.max(worst, alive);
  }
  return worst;
}

type Order = (a: Block, b: Block) => number;

const bySize: Order = (a, b) => b.bytes - a.bytes || a.first - b.first;
const byArea: Order = (a, b) => b.bytes * (b.last - b.first + 1) - a.bytes * (a.last - a.first + 1);
const byDuration: Order = (a, b) => b.last - b.first - (a.last - a.first) || bySize(a, b);

/** Offsets by the best of the orders. */
export function pack(blocks: readonly Block[], alignment: number): Packing {
  const packings = [bySize, byArea, byDuration].map((order) =>
    packInOrder(blocks, alignment, order),
  );
  return packings.reduce((best, other) => (other.peakBytes < best.peakBytes ? other : best));
}

/** Places block after block in the tightest gap between the placed ones that live at its time. */
function packInOrder(blocks: readonly Block[], alignment: number, order: Order): Packing {
  const extents = blocks.map(({ bytes }) => aligned(bytes, alignment));
  const offsets = blocks.map(() => 0);
  const placed: number[] = [];
  const sorted = blocks.map((_, i) => i).sort((i, j) => order(blocks[i]!, blocks[j]!) || i - j);
  for (const i of sorted) {
    const neighbours = placed
      .filter((j) => overlapInTime(blocks[i]!, blocks[j]!))
      .sort((j, k) => offsets[j]! - offsets[k]!);
    offsets[i] = tightestGap(extents, offsets, neighbours, blocks[i]!.bytes);
    placed.push(i);
  }
  const ends = extents.map((extent, i) => offsets[i]! + extent);
  return { offsets, peakBytes: ends.reduce((peak, end) => Math.max(peak, end), 0) };
}

/** Offset of the smallest gap that holds `bytes`, or the end of the last neighbour. */
function tightestGap(
  extents: readonly number[],
  offsets: readonly number[],
  neighbours: readonly number[],
  bytes: number,
): number {
  let end = 0;
  let best: number | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (const j of neighbours) {
    const gap = offsets[j]! - end;
    if (gap >= bytes && gap < smallest) [best, smallest] = [end, gap];
    end = Math.max(end, offsets[j]! + extents[j]!);
  }
  return best ?? end;
}
