/**
 * @file Ramps of range tests that are under way, as far as they were told: nothing of a ramp is on the disk before it
 * is whole, and a page that comes in its middle is to see its beginning.
 */

import type { StudyEvent } from "../record/index.ts";

export interface RampsUnderWay {
  hear(id: string, event: StudyEvent): void;
  /** What was told of a study's ramps that are not whole, oldest first of each. */
  of(id: string): StudyEvent[];
}

export function rampsUnderWay(): RampsUnderWay {
  /** By study, then by arm and seed. */
  const ramps = new Map<string, Map<string, StudyEvent[]>>();
  const end = (id: string, ends: (key: string) => boolean) => {
    const own = ramps.get(id);
    for (const key of own?.keys() ?? []) if (ends(key)) own?.delete(key);
    if (own?.size === 0) ramps.delete(id);
  };
  return {
    hear(id, event) {
      switch (event.type) {
        case "range-test-started": {
          const own = ramps.get(id) ?? new Map<string, StudyEvent[]>();
          ramps.set(id, own.set(keyOf(event), [event]));
          return;
        }
        case "range-test-update":
          ramps.get(id)?.get(keyOf(event))?.push(event);
          return;
        case "range-test-run":
          end(id, (key) => key === keyOf({ arm: event.arm, seed: event.run.seed }));
          return;
        case "range-test-search":
        case "range-test-finished":
          end(id, (key) => key.startsWith(`${event.arm} `));
          return;
        case "interrupted":
          end(id, () => true);
      }
    },
    of: (id) => [...(ramps.get(id)?.values() ?? [])].flat(),
  };
}

const keyOf = ({ arm, seed }: { readonly arm: string; readonly seed: number }) => `${arm} ${seed}`;
