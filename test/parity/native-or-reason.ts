/** @file The native backend where its addon is built; else why the tests that need it are skipped. */

import { LrscopeError } from "../../src/core/errors.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import type { Backend } from "../../src/program/index.ts";

export interface NativeOrReason {
  /** Opens the backend with two threads; undefined where the addon is absent. */
  readonly native?: () => Backend;
  /** For a test's title: "" or " (skipped: ...)". */
  readonly reason: string;
}

/** @throws any failure that is not the addon's absence */
export function nativeOrReason(): NativeOrReason {
  try {
    nativeBackend({ threads: 2 });
    return { native: () => nativeBackend({ threads: 2 }), reason: "" };
  } catch (error) {
    if (!(error instanceof LrscopeError)) throw error;
    return { reason: ` (skipped: the addon is absent: ${error.message.split("\n")[0]})` };
  }
}
