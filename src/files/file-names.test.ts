import fc from "fast-check";
import { expect, test } from "vitest";
import { legibleName, nameOfBytes, pathOfName } from "./file-names.ts";

const back = (name: string) => Buffer.from(pathOfName(name) as never);

test("any bytes come back from the name that they were given", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(back(nameOfBytes(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});

test("a name in UTF-8 is that text, and its own path", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(nameOfBytes(Buffer.from(text, "utf8"))).toBe(text);
      expect(pathOfName(text)).toBe(text);
      expect(legibleName(text)).toBe(text);
    }),
  );
});

test("Latin-1 is legible", () => {
  expect(legibleName(nameOfBytes(Buffer.from("Café 😀", "latin1")))).toBe("Caf\\xe9 =\u0000");
  expect(legibleName(nameOfBytes(Buffer.concat([Buffer.of(0xe9), Buffer.from("😀")])))).toBe(
    "\\xe9😀",
  );
});
