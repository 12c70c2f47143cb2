import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheDirectory } from "./cache-dir.ts";

const home = join(homedir(), ".cache", "lrscope");

test.each([
  ["/chosen", { LRSCOPE_CACHE: "/variable", XDG_CACHE_HOME: "/xdg" }, "/chosen"],
  [undefined, { LRSCOPE_CACHE: "/variable", XDG_CACHE_HOME: "/xdg" }, "/variable"],
  [undefined, { LRSCOPE_CACHE: "", XDG_CACHE_HOME: "/xdg" }, "/xdg/lrscope"],
  [undefined, { XDG_CACHE_HOME: "" }, home],
  [undefined, {}, home],
])("%s under %o is %s", (chosen, environment, expected) => {
  expect(cacheDirectory(chosen, environment)).toBe(expected);
});
