/**
 * @file The errors that lrscope throws on purpose. Each carries a `code` for programs and an
 * `exitCode` for the command line: 2 where the call was wrong, 1 where the work failed.
 * A message names the subject, the rule, the value found and the remedy.
 */

/** What kind of error it is, for programs: `error.code`. */
export type ErrorCode =
  | "SHAPE"
  | "ARGUMENT"
  | "DATA"
  | "ADDON"
  | "STORE"
  | "DOWNLOAD"
  | "WEIGHTS"
  | "RANGE_TEST"
  | "INTERRUPTED"
  | "INTERNAL";

/** Base of every error that lrscope throws on purpose. */
export class LrscopeError extends Error {
  readonly code: ErrorCode;
  /** What the command line exits with when this error reaches it: 1, 2 or 130. */
  readonly exitCode: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: { exitCode?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Shapes that do not fit each other. The message begins with the op and the layer's name. */
export class ShapeError extends LrscopeError {
  constructor(message: string) {
    super("SHAPE", message, { exitCode: 2 });
  }
}

/** An argument, option or flag outside its domain. */
export class ArgumentError extends LrscopeError {
  constructor(message: string) {
    super("ARGUMENT", message, { exitCode: 2 });
  }
}

/** A data source that cannot be used as it is. */
export class DataError extends LrscopeError {
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super("DATA", message, { exitCode: 2, ...options });
  }
}

/** The native module is absent, or an instruction of its failed. */
export class AddonError extends LrscopeError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("ADDON", message, { exitCode: 1, ...options });
  }
}

/** A run directory that cannot be read, written or taken. */
export class StoreError extends LrscopeError {
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super("STORE", message, options);
  }
}

/** A download that failed, was cut short, or whose checksum differs. */
export class DownloadError extends LrscopeError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("DOWNLOAD", message, options);
  }
}

/** A checkpoint that cannot be read, or does not fit the network. */
export class WeightsError extends LrscopeError {
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super("WEIGHTS", message, { exitCode: 2, ...options });
  }
}

/** A range test that was made, and whose curves say nothing: no seed has a finite loss. */
export class RangeTestError extends LrscopeError {
  constructor(message: string) {
    super("RANGE_TEST", message, { exitCode: 1 });
  }
}

/** The work was interrupted on request; what was recorded stays readable. */
export class InterruptedError extends LrscopeError {
  constructor(message = "interrupted; what was recorded so far stays readable") {
    super("INTERRUPTED", message, { exitCode: 130 });
  }
}

/** A bug of lrscope's own. */
export class InternalError extends LrscopeError {
  constructor(message: string) {
    super("INTERNAL", `internal: ${message}`);
  }
}

/** The system's word for what went wrong, as "ENOENT"; undefined where it is no error of the system's. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
