/**
 * @file What native/binding/engine.cc exports, as it is: plain objects in, plain objects out. The Backend
 * that the rest of lrscope sees is in engine/native/, which turns the errors into AddonErrors.
 * Errors thrown or rejected carry the index of the instruction that failed, when there is one.
 */

export interface EngineInfo {
  /** "2.6.3" */
  readonly onednn: string;
  /** The instruction set that oneDNN generates code for: "avx2", "avx512_core" ... */
  readonly isa: string;
  /** Whether it multiplies bf16: AVX512-BF16 or AMX. */
  readonly bf16: boolean;
  /** Whether it computes a first block in one; see `Capabilities.firstBlock`. */
  readonly firstBlock: boolean;
  /** Processors that OpenMP sees. */
  readonly processors: number;
}

/** What the engine takes of a kind; src/program/kernels.ts says the same of every engine. */
export interface NativeKernel {
  readonly kind: string;
  /** The least and the most of them. */
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  /** Names of all that it takes. */
  readonly attributes: readonly string[];
}

export interface NativeLayoutAnswer {
  readonly inputs: string[];
  readonly outputs: string[];
  readonly outputBytes: number[];
  readonly scratchBytes: number;
  readonly implementation: string;
}

export interface NativeFailure extends Error {
  readonly instruction?: number;
}

export interface NativeProgram {
  /** Values of the outputs by name. */
  run(slot: number, scalars: Float64Array): Promise<Record<string, Float64Array>>;
  /** Milliseconds of each instruction. */
  profile(slot: number, scalars: Float64Array): Promise<Float64Array>;
  /** Milliseconds of each repetition of one instruction. */
  time(
    slot: number,
    scalars: Float64Array,
    instruction: number,
    repetitions: number,
  ): Promise<Float64Array>;
}

export interface NativeSession {
  /** `program` is a Program of src/program/types.ts. */
  load(program: object): NativeProgram;
  images(slot: number): Float32Array;
  labels(slot: number): Int32Array;
  /** `buffer` is a BufferSpec, `initializer` an Initializer of src/program/. */
  initialize(buffer: object, initializer: object, seed: number, ordinal: number): void;
  read(buffer: object): Float32Array;
  readPart(buffer: object, from: number, into: Float32Array): void;
  write(buffer: object, values: Float32Array): void;
  dispose(): void;
}

export interface EngineAddon {
  engineInfo(): EngineInfo;
  /** Every kernel that the engine has. It refuses operands and attributes beside what they take. */
  engineKernels(): NativeKernel[];
  /** `request` is a LayoutRequest of src/program/backend.ts. */
  chooseLayouts(request: object, threads: number, emulateBf16: boolean): NativeLayoutAnswer;
  /** `options` is a SessionOptions of src/program/backend.ts. */
  createSession(options: object): NativeSession;
}
