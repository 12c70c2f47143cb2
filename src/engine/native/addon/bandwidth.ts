/** @file What native/binding/bandwidth.cc exports, as it is. */

export interface BandwidthAddon {
  /**
   * Milliseconds of each of so many passes of a = b + s c over arrays of `elements` f32, on the
   * engine's own thread and OpenMP pool; results are written past the caches.
   */
  measureTriad(options: {
    readonly elements: number;
    readonly repetitions: number;
    readonly threads: number;
  }): Promise<Float64Array>;
}
