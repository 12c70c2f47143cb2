/** @file Clean-up that never hides the error that made it necessary. */

/**
 * Does the work, then the clean-up, whether the work succeeded or not. Where both fail, the work's error is
 * thrown: a `finally` block would throw the other one, which came second and explains less.
 */
export function withCleanup<T>(work: () => T, cleanup: () => void): T {
  let result: T;
  try {
    result = work();
  } catch (error) {
    quietly(cleanup);
    throw error;
  }
  cleanup();
  return result;
}

/** The same for work that takes its time. */
export async function withCleanupLater<T>(
  work: () => Promise<T>,
  cleanup: () => Promise<void> | void,
): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    try {
      await cleanup();
    } catch {
      // The work's error came first.
    }
    throw error;
  }
  await cleanup();
  return result;
}

/** For what is tried where something else has failed already, or that nothing depends on. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Nobody could do anything about it.
  }
}
