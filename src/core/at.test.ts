import { describe, expect, test } from "vitest";
import { at, get, present } from "./at.ts";
import { InternalError } from "./errors.ts";

describe("at", () => {
  test("gives what is there, from the end too; also what is false or 0", () => {
    expect([at([1, 2, 3], 0, "list"), at([1, 2, 3], -1, "list")]).toEqual([1, 3]);
    expect(at(Int32Array.of(0), 0, "list")).toBe(0);
    expect(at([false, null], 1, "list")).toBe(null);
  });

  test.each([3, -4, 0.5])(
    "refuses index %d by the list's name, the index and the length",
    (index) => {
      expect(() => at([1, 2, 3], index, "labels")).toThrow(InternalError);
      expect(() => at([1, 2, 3], index, "labels")).toThrow(
        `internal: labels: no element ${index}; there are 3`,
      );
    },
  );
});

describe("get", () => {
  test("gives the value of a key, in a map or an object", () => {
    expect(get(new Map([["a", 0]]), "a", "map")).toBe(0);
    expect(get({ a: "" }, "a", "object")).toBe("");
  });

  test("refuses a value that is null", () => {
    expect(() => get({ a: null }, "a", "record")).toThrow('internal: record: no value of "a"');
  });

  test("refuses a key that is not there, inherited ones too", () => {
    expect(() => get(new Map([["a", 1]]), "b", "shapes")).toThrow(
      'internal: shapes: no value of "b"; there are 1',
    );
    expect(() => get({} as Record<string, unknown>, "toString", "shapes")).toThrow(
      'internal: shapes: no value of "toString"; there are 0',
    );
  });
});

test("present gives what is there, and refuses the rest by name", () => {
  expect([present(0, "n"), present("", "n"), present(false, "n")]).toEqual([0, "", false]);
  for (const nothing of [null, undefined])
    expect(() => present(nothing, "the rate")).toThrow("internal: the rate: is not there");
});
