/**
 * @file lrscope in a browser: the built browser.js trains, tests a range, classifies and draws a report to the
 * numbers that Node gives. Needs Chromium and dist/; skipped where either is missing.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as source from "../../src/browser.ts";
import { root } from "../house/rooms.ts";

type Laboratory = {
  records: {
    trials: {
      trial: { arm: string; status: string };
      metrics: { validationAccuracy: number }[];
    }[];
    answers: { top: { class: string; probability: number }[] }[];
    onnx: number;
  };
  rangeTest: unknown;
  weights: Record<string, number[]>;
  figures: Record<string, string>;
  html: string;
  table: string;
};
const { runLaboratory } = (await import("./laboratory.mjs" as string)) as {
  runLaboratory(lrscope: typeof source): Promise<Laboratory>;
};

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const bundle = join(root, "dist", "browser.js");
const missing = [
  ...(executablePath ? [] : ["no Chromium at /usr/bin/chromium"]),
  ...(existsSync(bundle) ? [] : ["no dist/: npm run build"]),
];

/** Every number of a record, by where it stands. */
function numbersOf(value: unknown, path = ""): Record<string, number> {
  if (typeof value === "number") return { [path]: value };
  if (typeof value !== "object" || value === null) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, entry]) => numbersOf(entry, `${path}.${key}`)),
  );
}

test.skipIf(!existsSync(bundle))("browser.js is one module that imports nothing", () => {
  const text = readFileSync(bundle, "utf8");
  expect(text).not.toMatch(/^\s*(import\b[^(]|export .* from )/m);
  expect(text).not.toMatch(/\bimport\("(?!data:)|\brequire\("|"node:/);
});

describe.skipIf(missing.length > 0)(`lrscope in a browser ${missing.join("; ")}`, () => {
  let browser: Browser;
  let page: Page;
  let here: Laboratory;
  let there: Laboratory;
  const requests: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
    });
    page = await browser.newPage();
    const files: Record<string, [string, string]> = {
      "/": ["text/html", "<!doctype html><title>laboratory</title>"],
      "/browser.js": ["text/javascript", readFileSync(bundle, "utf8")],
      "/laboratory.mjs": [
        "text/javascript",
        readFileSync(join(root, "test/browser/laboratory.mjs"), "utf8"),
      ],
    };
    await page.route("**/*", (route) => {
      const { pathname } = new URL(route.request().url());
      requests.push(pathname);
      const [contentType, body] = files[pathname] ?? ["text/plain", ""];
      return route.fulfill({ status: files[pathname] ? 200 : 404, contentType, body });
    });
    await page.goto("http://localhost/");
    there = await page.evaluate(
      `Promise.all([import("/laboratory.mjs"), import("/browser.js")])
        .then(([{ runLaboratory }, lrscope]) => runLaboratory(lrscope))`,
    );
    here = await runLaboratory(source);
  });
  afterAll(() => browser?.close());

  test("all trials end, and learn something", () => {
    expect(there.records.trials.map(({ trial }) => trial.status)).toEqual(Array(4).fill("done"));
    for (const { metrics } of there.records.trials) expect(metrics).toHaveLength(2);
    const sgd = there.records.trials.filter(({ trial }) => trial.arm === "sgd");
    for (const { metrics } of sgd) expect(metrics[1]!.validationAccuracy).toBeGreaterThan(0.6);
  });

  test("every metric and answer is that of Node, to the bit", () => {
    expect(there.records).toEqual(here.records);
    expect(here.records.answers[0]!.top[0]!.probability).toBeGreaterThan(0.25);
    expect(here.records.onnx).toBeGreaterThan(1000);
  });

  test("a range test is, but for the last bit of what a power gives in another version of V8", () => {
    const [found, expected] = [numbersOf(there.rangeTest), numbersOf(here.rangeTest)];
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    expect(Object.keys(found).length).toBeGreaterThan(20);
    for (const [path, value] of Object.entries(expected))
      expect(Math.abs(found[path]! - value), path).toBeLessThanOrEqual(1e-6 * Math.abs(value));
  });

  test("so are the weights and the optimizers' state", () => {
    expect(Object.keys(there.weights).length).toBeGreaterThan(20);
    expect(there.weights).toEqual(here.weights);
  });

  test("figures and table are those that Node draws", () => {
    expect(there.table).toBe(here.table);
    expect(Object.keys(here.figures)).toContain("accuracy-validation.svg");
    expect(there.figures).toEqual(here.figures);
  });

  test("the report is laid out, with its figures and its script", async () => {
    const report = await browser.newPage();
    const errors: string[] = [];
    report.on("pageerror", ({ message }) => errors.push(message));
    try {
      await report.setContent(there.html);
      expect(await report.locator("figure svg.wide").count()).toBeGreaterThan(3);
      expect(await report.locator("button").count()).toBeGreaterThan(0);
      expect(await report.textContent("body")).toContain("Chrome");
      expect(errors).toEqual([]);
    } finally {
      await report.close();
    }
  });

  test("nothing but the page and its modules was asked for", () => {
    expect([...new Set(requests)].filter((path) => path !== "/favicon.ico").sort()).toEqual([
      "/",
      "/browser.js",
      "/laboratory.mjs",
    ]);
  });
});
