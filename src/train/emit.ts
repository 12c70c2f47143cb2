/** @file How training gives its events to a listener, so that nothing that the listener answers is lost. */

import { type EventBody, type StudyListener, versioned } from "../record/index.ts";

export interface Emitter {
  /** Calls the listener. @throws what it throws, and what a promise of its has rejected with before */
  emit(event: EventBody): void;
  /** Calls the listener and awaits it, and all that it has promised before. */
  emitAndWait(event: EventBody): Promise<void>;
  /** Awaits all that it has promised. @throws what a promise of its has rejected with */
  settled(): Promise<void>;
}

/**
 * A failure is thrown once: the end of the trial that it brings about can still be emitted.
 * Promises of the listener's are not awaited one by one, which would hold up the engine; but one
 * that rejects ends the work at the next event, rather than the process as an unhandled rejection.
 */
export function emitter(listener: StudyListener | undefined): Emitter {
  const pending = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const throwFailure = (): void => {
    const found = failure;
    failure = undefined;
    if (found) throw found.error;
  };
  const emit = (event: EventBody): void => {
    throwFailure();
    const answer = listener?.(versioned(event));
    if (!(answer instanceof Promise)) return;
    const answered = answer
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => pending.delete(answered));
    pending.add(answered);
  };

  const settled = async () => {
    await Promise.all(pending);
    throwFailure();
  };
  return {
    emit,
    settled,
    async emitAndWait(event) {
      emit(event);
      await settled();
    },
  };
}

/** The number as an event holds it. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** So many since a moment of performance.now(); finite, whatever the clock's resolution. */
export const perSecond = (count: number, since: number): number =>
  (count * 1000) / Math.max(performance.now() - since, 1e-3);
