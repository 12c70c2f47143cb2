/**
 * @file How long a training step takes, next to PyTorch's in the same run. Ours and the peer's steps
 * alternate in rounds, so that a slow minute of the machine falls on both.
 */

/** A peer's time, and how many times slower than ours it is. */
export interface BenchPeer {
  /** "pytorch 1.13.1, channels_last, 2 threads" */
  readonly name: string;
  readonly medianMs: number;
  /** Peer's median / our median: above 1, ours is faster. */
  readonly ratio: number;
}

/** What `bench step --json` prints. */
export interface BenchStepRecord {
  readonly model: string;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
  readonly precision: "fp32" | "bf16";
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly imagesPerSecond: number;
  /** Arena and persistent buffers together, 2^20 bytes. */
  readonly peakMemoryMiB: number;
  /** Lower bound from the convolutions alone; null: not measured. */
  readonly limitMs: number | null;
  readonly peers: readonly BenchPeer[];
  /** The processor, the engine, why a peer is absent: for people. */
  readonly notes: readonly string[];
}
