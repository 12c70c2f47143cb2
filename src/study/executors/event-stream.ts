/** @file Events that are pushed in one place and read in others, each reader from the first one on. */

import { at } from "../../core/at.ts";

export interface EventStream<T> {
  push(event: T): void;
  /** No more will come. */
  end(): void;
  /** Ends with the stream, or where the signal aborts. */
  read(signal: AbortSignal): AsyncIterable<T>;
}

export function eventStream<T>(): EventStream<T> {
  const events: T[] = [];
  let ended = false;
  let waiting: (() => void)[] = [];
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  };
  return {
    push(event) {
      events.push(event);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *read(signal) {
      signal.addEventListener("abort", wake);
      try {
        for (let next = 0; !signal.aborted; )
          if (next < events.length) yield at(events, next++, "events");
          else if (ended) return;
          else await new Promise<void>((resolve) => waiting.push(resolve));
      } finally {
        signal.removeEventListener("abort", wake);
      }
    },
  };
}
