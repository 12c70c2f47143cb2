import { expect, test } from "vitest";
import { frameAncestors } from "./frames.ts";

test("origins that are named, and the page's own", () => {
  expect(frameAncestors([])).toBe("'self'");
  expect(frameAncestors(["http://localhost:8888", "https://lab.example"])).toBe(
    "'self' http://localhost:8888 https://lab.example",
  );
});

test.each([
  "*",
  "http://*",
  "http://*.example",
  "https:",
  "http://a.example/",
  "http://a.example/path",
  "http://a.example; script-src *",
  "http://a.example http://b.example",
  "http://a.example\nx: y",
  "http://user@a.example",
  "file:///tmp",
  "data:text/html,x",
  "javascript:alert(1)",
  "'none'",
  "null",
  "",
  "a.example",
  "HTTP://A.EXAMPLE",
])("%j is no origin", (text) => {
  expect(() => frameAncestors([text])).toThrow(/embedIn must be origins/);
});
