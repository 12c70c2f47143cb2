/** @file Errors as they are said to another process, and as that one throws them. */

import { InterruptedError, LrscopeError } from "../../core/errors.ts";
import type { ReportedError } from "./executor.ts";

export function reported(error: unknown): ReportedError {
  if (error instanceof LrscopeError)
    return { code: error.code, message: error.message, exitCode: error.exitCode };
  const message = error instanceof Error ? error.message : String(error);
  return { code: null, message: `internal: ${message}`, exitCode: 1 };
}

export function errorOf({ code, message, exitCode }: ReportedError): Error {
  if (code === "INTERRUPTED") return new InterruptedError(message);
  return code === null ? new Error(message) : new LrscopeError(code, message, { exitCode });
}
