/** @file What is said of files that are the same bytes, and where: `data` names all groups, a study its first. */

import { expect, test } from "vitest";
import type { StudyEvent } from "../../record/index.ts";
import { describeCopies } from "./broken-files.ts";
import { noteLines } from "./study-notes.ts";

const copies = {
  files: 6,
  acrossParts: 2,
  inTwoClasses: 1,
  groups: ["a", "b", "c", "d"].map((name) => ({
    files: [`rose/${name}.jpg`, `tulip/${name}.jpg`],
    count: 2,
  })),
};

const HEADING =
  "6 files are copies of others: 2 pictures on both sides of the split, 1 picture in two classes; --copies leave-out takes one of each:";

test("every group, or the first and that there are others", () => {
  expect(describeCopies({ copies })).toEqual([
    HEADING,
    ...["a", "b", "c", "d"].map((name) => `  rose/${name}.jpg = tulip/${name}.jpg`),
  ]);
  expect(describeCopies({ copies }, { limit: 1 })).toEqual([
    HEADING,
    "  rose/a.jpg = tulip/a.jpg",
    "  and others; lrscope data names them",
  ]);
  expect(describeCopies({})).toEqual([]);
  expect(describeCopies({ copiesLeftOut: 3 })).toEqual([
    "3 files left out, as others are the same bytes",
  ]);
});

test("a study says them as it begins", () => {
  const dataset = { name: "d", images: 20, size: 8, classes: [{}, {}], copies };
  const note = { type: "dataset", dataset, train: 16, validation: 4, test: 0 };
  const lines = noteLines(note as unknown as Extract<StudyEvent, { type: "dataset" }>);
  expect(lines[0]).toBe("d: 20 images at 8x8 in 2 classes; 16 to train, 4 to validate");
  expect(lines[1]).toBe(HEADING);
  expect(lines).toHaveLength(6);
});
