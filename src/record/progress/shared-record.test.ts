/** @file Versions of a record against plain objects that are copied. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { entryOf, plainOf, type SharedRecord, sharedRecord, withEntry } from "./shared-record.ts";

type Versions = { shared: SharedRecord<{ n: number }>; copied: Record<string, { n: number }> }[];

const isTheSame = ({ shared, copied }: Versions[number]) => {
  // Order counts, too.
  expect(Object.entries(plainOf(shared))).toEqual(Object.entries(copied));
  for (const key of ["k0", "k1", "k99"]) expect(entryOf(shared, key)).toBe(copied[key]);
};

test("any version can be read and changed, in any order", () => {
  const step = fc.record({ of: fc.nat(), key: fc.nat(9), read: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const versions: Versions = [{ shared: sharedRecord(), copied: {} }];
      for (const [n, { of, key, read }] of steps.entries()) {
        // Mostly the newest, as it is used.
        const from = versions[of % 3 === 0 ? of % versions.length : versions.length - 1]!;
        const value = { n };
        const name = `k${key}`;
        versions.push({
          shared: withEntry(from.shared, name, value),
          copied: { ...from.copied, [name]: value },
        });
        if (read) isTheSame(versions[of % versions.length]!);
      }
      for (const version of versions) isTheSame(version);
    }),
  );
});

test("the newest version is made of the entries that are there, and not of a copy", () => {
  let record = sharedRecord(Array.from({ length: 1000 }, (_, n) => [`k${n}`, { n }] as const));
  const { entries } = record;
  let copies = 0;
  for (let n = 0; n < 10_000; n++) {
    const before = record.entries;
    record = withEntry(record, `k${n % 1000}`, { n });
    if (record.entries !== before) copies += 1;
  }
  // Once in as many changes as it has entries.
  expect(copies).toBe(9);
  expect(record.entries).not.toBe(entries);
});

test("a version that is kept holds no more than the entries, and as many changes", () => {
  const old = withEntry(sharedRecord(), "a", { n: 0 });
  let record = old;
  for (let n = 1; n < 1000; n++) record = withEntry(record, "a", { n });
  let kept = 0;
  for (let version = old; version.change; version = version.change.next) kept += 1;
  expect(kept).toBeLessThanOrEqual(64);
  expect(entryOf(old, "a")).toEqual({ n: 0 });
});
