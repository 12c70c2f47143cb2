/** @file What native/binding/isolation.cc exports: memory shared between processes, and limits. */

export interface IsolationAddon {
  /**
   * Zeros that several processes can map; gone with the last of them.
   * @returns a descriptor, to hand to a child and to close
   */
  createSharedMemory(bytes: number): number;
  /** The memory behind such a descriptor, which may be closed then. */
  mapSharedMemory(descriptor: number, bytes: number): Uint8Array;
  /**
   * Hold this process to so many bytes beyond what it has now (RLIMIT_DATA).
   * @returns false where the system cannot, or holds it to less already
   */
  limitMemory(bytes: number): boolean;
  /** Have the system end this process (SIGXCPU) after so many seconds of processor time in all. */
  limitProcessorTime(seconds: number): void;
  /** Whether so many bytes more could be had now; they are not taken. */
  canReserve(bytes: number): boolean;
}
