/** @file Every event comes through JSON and its schema as it was. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type StudyEvent, studyEvent, versioned } from "./study-event.ts";
import { admitted } from "./test-arbitrary.ts";

const types = studyEvent.options.map((option) => option.shape.type.value);

test.each(studyEvent.options.map((option) => [option.shape.type.value, option] as const))(
  "any %s survives JSON and the schema",
  (_, option) => {
    fc.assert(
      fc.property(admitted<StudyEvent>(option), (event) => {
        expect(studyEvent.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
      }),
      { numRuns: 100 },
    );
  },
);

test("the types are told apart", () => expect(new Set(types).size).toBe(types.length));

const update = {
  type: "update",
  arm: "adam",
  seed: 0,
  epoch: 1,
  update: 1,
  updates: 4,
  lr: 0.1,
  loss: null,
  imagesPerSecond: 100,
} as const;

test.each([
  ["no version", { ...update }],
  ["another version", { formatVersion: 2, ...update }],
  ["an unknown type", { ...versioned(update), type: "updated" }],
  ["NaN, which JSON does not know", { ...versioned(update), loss: Number.NaN }],
  ["a rate that JSON made null", { ...versioned(update), lr: null }],
  ["half an image", { ...versioned(update), update: 0.5 }],
])("an event with %s is refused", (_, event) => {
  expect(studyEvent.safeParse(versioned(update)).success).toBe(true);
  expect(studyEvent.safeParse(event).success).toBe(false);
});
