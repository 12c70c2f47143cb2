/** @file How the lab speaks to its listener, so that nothing that the listener says back is lost. */

import type { LabEvent, LabListener } from "./events.ts";

export interface Announcer {
  /** Calls the listener. @throws what it throws, and what a promise of its has rejected with before */
  say(event: LabEvent): void;
  /** Calls the listener and awaits it, and all that it has promised before. */
  sayAndWait(event: LabEvent): Promise<void>;
}

/**
 * A failure is thrown once: the end of the trial that it brings about can still be announced.
 * Promises of the listener's are not awaited one by one, which would hold up the engine; but one
 * that rejects ends the work at the next event, rather than the process as an unhandled rejection.
 */
export function announcer(listener: LabListener | undefined): Announcer {
  const pending = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const throwFailure = (): void => {
    const found = failure;
    failure = undefined;
    if (found) throw found.error;
  };
  const say = (event: LabEvent): void => {
    throwFailure();
    const answer = listener?.(event);
    if (!(answer instanceof Promise)) return;
    const settled = answer
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => pending.delete(settled));
    pending.add(settled);
  };

  return {
    say,
    async sayAndWait(event) {
      say(event);
      await Promise.all(pending);
      throwFailure();
    },
  };
}
