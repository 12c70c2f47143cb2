/**
 * @file A record of which every version can be read, and the newest is changed at a cost that does not grow with it:
 * it has the entries, and each older one knows only what the next has changed (Baker, "Shallow Binding Makes
 * Functional Arrays Fast", 1991).
 */

/** One version. Whoever holds it reads what it was, whatever was made of it since. */
export interface SharedRecord<T extends object> {
  /** Its entries; null where the next version has taken them over. */
  entries: Map<string, T> | null;
  /** What the next version has that this one has not. */
  change: Change<T> | null;
  /** Versions that may still be made of the same entries. */
  left: number;
  plain: Readonly<Record<string, T>> | null;
}

interface Change<T extends object> {
  readonly key: string;
  /** undefined: it had no entry of that key. */
  readonly before: T | undefined;
  readonly next: SharedRecord<T>;
}

/** Of a small record so many versions share their entries. */
const LEAST = 64;

export const sharedRecord = <T extends object>(
  entries: Iterable<readonly [string, T]> = [],
): SharedRecord<T> => {
  const own = new Map(entries);
  return { entries: own, change: null, left: Math.max(LEAST, own.size), plain: null };
};

/** Of an old version it is looked for in what has changed since. */
export function entryOf<T extends object>(record: SharedRecord<T>, key: string): T | undefined {
  let version = record;
  for (let { change } = version; change; { change } = version) {
    if (change.key === key) return change.before;
    version = change.next;
  }
  return version.entries?.get(key);
}

/** The next version: with the entry, in the place of one that was there, else as the last. */
export function withEntry<T extends object>(
  record: SharedRecord<T>,
  key: string,
  value: T,
): SharedRecord<T> {
  const entries = entriesOf(record);
  // Once in as many versions as there are entries they are copied, so that who keeps an old one keeps no more than
  // twice as much.
  if (record.left === 0) return sharedRecord(new Map(entries).set(key, value));
  const before = entries.get(key);
  entries.set(key, value);
  const next = { entries, change: null, left: record.left - 1, plain: null };
  record.entries = null;
  record.change = { key, before, next };
  return next;
}

/** The version as a plain object, which is made when it is first asked for. */
export function plainOf<T extends object>(record: SharedRecord<T>): Readonly<Record<string, T>> {
  record.plain ??= Object.fromEntries(entriesOf(record));
  return record.plain;
}

/** Those of an old version are made from the newest's, and are then its own. */
function entriesOf<T extends object>(record: SharedRecord<T>): Map<string, T> {
  const changes: Change<T>[] = [];
  let newest = record;
  while (newest.change) {
    changes.push(newest.change);
    newest = newest.change.next;
  }
  // The newest version has them always.
  const found = newest.entries ?? new Map<string, T>();
  if (newest === record) return found;
  const own = new Map(found);
  for (const { key, before } of changes.reverse())
    if (before === undefined) own.delete(key);
    else own.set(key, before);
  record.entries = own;
  record.change = null;
  record.left = Math.max(LEAST, own.size);
  return own;
}
