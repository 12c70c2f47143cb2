/** @file Which folder of native/ may include which: N-API stays in binding/, and no arrow points back. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const native = new URL("../../native/", import.meta.url);

/** The folders, each with those that it may include beside itself; those of kernels/ are one room. */
const MAY_INCLUDE: Record<string, readonly string[]> = {
  core: [],
  engine: ["core"],
  images: ["core"],
  "kernels/simd": ["core", "engine"],
  "kernels/conv_norm_pool": ["core", "engine", "kernels", "kernels/simd", "kernels/winograd"],
  "kernels/norm": ["core", "engine", "kernels", "kernels/simd"],
  "kernels/tiles": ["core", "engine", "kernels"],
  "kernels/winograd": ["core", "engine", "kernels", "kernels/simd"],
  kernels: ["core", "engine", "kernels/simd", "kernels/tiles", "kernels/winograd"],
  optimizer: ["core", "engine", "kernels", "kernels/simd"],
  binding: ["core", "engine", "images", "kernels", "optimizer"],
  fuzz: ["core", "images"],
};

const folderOf = (file: string) => file.slice(0, file.lastIndexOf("/"));
const files = readdirSync(native, { recursive: true })
  .map((name) => String(name))
  .filter((name) => /\.(cc|h)$/.test(name) && !name.startsWith("build"));
const includesOf = (file: string, form: RegExp) =>
  Array.from(readFileSync(new URL(file, native), "utf8").matchAll(form), ([, name]) => name!);

test("every file lies in a folder of the table, and every folder has a file", () => {
  const folders = new Set(files.map(folderOf));
  expect([...folders].sort()).toEqual(Object.keys(MAY_INCLUDE).sort());
});

test("a file includes its own folder and those that the table names, by their path from native/", () => {
  const amiss = files.flatMap((file) => {
    const allowed = [folderOf(file), ...MAY_INCLUDE[folderOf(file)]!];
    return includesOf(file, /^#include "(.+)"/gm)
      .filter(
        (name) =>
          !allowed.includes(folderOf(name)) && !(file.startsWith("fuzz/") && name === "input.h"),
      )
      .map((name) => `${file} includes ${name}`);
  });
  expect(amiss).toEqual([]);
});

test("N-API is included in binding/ alone", () => {
  const users = files.filter(
    (file) => includesOf(file, /^#include <(napi|node_api|node)\b.*>/gm).length > 0,
  );
  expect(users.filter((file) => folderOf(file) !== "binding")).toEqual([]);
  expect(users).toContain("binding/addon.cc");
});
