/**
 * @file What the tabs of a browser have in common: a channel, and a lock that one of them holds. Where the browser keeps
 * both from a frame within a page of another site, the frame is on its own, and leads itself.
 */

export interface SharedChannel {
  postMessage(word: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  /** Does the work while the lock is this tab's; rejects where the wait is given up. */
  lead(signal: AbortSignal, work: () => Promise<void>): Promise<void>;
}

export function sharedChannel(name: string): SharedChannel {
  const channel = new BroadcastChannel(name);
  let isAlone = false;
  return {
    postMessage(word) {
      // Other frames that are on their own are not to lead this one too.
      if (!isAlone) channel.postMessage(word);
    },
    get onmessage() {
      return channel.onmessage;
    },
    set onmessage(hear) {
      channel.onmessage = hear;
    },
    async lead(signal, work) {
      try {
        await navigator.locks.request(name, { signal }, work);
      } catch (error) {
        if ((error as Error).name !== "SecurityError") throw error;
        isAlone = true;
        channel.close();
        if (!signal.aborted) await work();
      }
    },
  };
}
