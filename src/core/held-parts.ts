/** @file Parts that a process knows by name: for good, or for as long as somebody holds them. */

export interface HeldParts<T> {
  get(name: string): T | undefined;
  has(name: string): boolean;
  /** For good, in place of what the name stood for. */
  keep(name: string, part: T): void;
  /** Until what is returned is called, once by each who holds it. The name must be free, or stand for the same. */
  hold(name: string, part: T): () => void;
}

export function heldParts<T>(): HeldParts<T> {
  const parts = new Map<string, { part: T; holders: number }>();
  return {
    get: (name) => parts.get(name)?.part,
    has: (name) => parts.has(name),
    keep: (name, part) => void parts.set(name, { part, holders: Number.POSITIVE_INFINITY }),
    hold(name, part) {
      const entry = parts.get(name) ?? { part, holders: 0 };
      entry.holders += 1;
      parts.set(name, entry);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        entry.holders -= 1;
        if (entry.holders === 0) parts.delete(name);
      };
    },
  };
}
