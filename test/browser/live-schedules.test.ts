/**
 * @file The schedule explorer and the rules of a range test in Chromium: every family is drawn, every number of it has
 * its slider, and what is copied is what is shown. Needs Chromium; skipped where there is none.
 */

import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatRate, scheduleFromJSON, scheduleTypes } from "../../src/schedules/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { codeOf, EXAMPLES } from "../../web/schedule-examples.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";
import { idsOf, until } from "./live-browser.ts";

describe.skipIf(noChromium !== "")(`schedules and range tests${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const record = fakeRangeTest({ seeds: 4 });
  let server: RunningServer;
  let ids: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const found = fakeComparison({ arms: ["sgd+clr"] });
    writeRun(join(runs(), "found"), {
      experiment: { ...found.experiment, kind: "find" },
      trials: [],
    }).writeText("range-test.json", JSON.stringify(record));
    server = await serve({ folders: [runs()] });
    ids = await idsOf(server.port);
  });
  afterAll(() => server?.close());

  const open = async (hash: string, there: string, width = 1400): Promise<Page> => {
    const page = await chromium.page({ width });
    await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
    await until(page, (selector) => document.querySelector(selector), there);
    return page;
  };
  const numbersIn = (value: unknown): number =>
    typeof value === "number"
      ? 1
      : typeof value === "object" && value !== null
        ? Object.values(value).reduce((sum: number, each) => sum + numbersIn(each), 0)
        : 0;

  test("every family is drawn, with a slider for each of its numbers", async () => {
    const page = await open("#/schedules", ".explorer svg path");
    const family = page.getByLabel("Family");
    expect(await family.locator("option").allTextContents()).toEqual([...scheduleTypes]);
    const drawn = new Set<string>();
    for (const type of Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]) {
      await family.selectOption(type);
      const spec = { type, ...EXAMPLES[type] };
      expect(await page.getByLabel("Code").textContent()).toBe(codeOf(spec));
      expect(JSON.parse(await page.getByLabel("JSON, which can be edited").inputValue())).toEqual(
        spec,
      );
      expect(await page.getByRole("slider").count(), type).toBe(numbersIn(EXAMPLES[type]));
      expect(await page.getByRole("alert").isHidden(), type).toBe(true);
      drawn.add((await page.locator(".explorer path").first().getAttribute("d")) ?? "");
    }
    // No two of these examples are one curve.
    expect(drawn.size).toBeGreaterThan(scheduleTypes.length - 3);
  });

  test("a slider is moved by keys: number, code and curve follow", async () => {
    const page = await open("#/schedules", ".explorer svg path");
    await page.getByLabel("Family").selectOption("cosineDecay");
    const curve = () => page.locator(".explorer path").first().getAttribute("d");
    const before = await curve();
    const slider = page.getByRole("slider", { name: "floor", exact: true });
    await slider.focus();
    for (let i = 0; i < 60; i++) await page.keyboard.press("ArrowRight");
    const value = Number(await page.getByLabel("floor, as a number").inputValue());
    expect(value).toBeGreaterThan(0.0012);
    expect(await page.getByLabel("Code").textContent()).toContain(`floor: ${value},`);
    expect(await curve()).not.toBe(before);
    const { port } = server;
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"], {
      origin: `http://127.0.0.1:${port}`,
    });
    const copied = async (name: string) => {
      await page.getByRole("button", { name }).click();
      await until(
        page,
        (what) => document.getElementById("said")?.textContent?.startsWith(what),
        name.replace("Copy ", ""),
      );
      return page.evaluate(() => navigator.clipboard.readText());
    };
    expect(await copied("Copy code")).toBe(await page.getByLabel("Code").textContent());
    const json = JSON.parse(await copied("Copy JSON"));
    expect(json).toEqual({ type: "cosineDecay", peak: 0.1, floor: value, steps: 1000 });
    expect(scheduleFromJSON(json)(1000)).toBeCloseTo(value, 12);
  });

  test("a range test shows all its seeds and rules; each rule can be taken for the upper bound", async () => {
    const page = await open(`#/range-test/${ids.get("found")}`, ".draggable svg path");
    const text = await page.locator(".draggable > svg").textContent();
    for (const { seed } of record.runs) expect(text).toContain(`seed ${seed}`);
    expect(Object.keys(record.suggestions).length).toBeGreaterThan(2);
    for (const [rule, rate] of Object.entries(record.suggestions)) {
      if (rule === record.suggestion?.constant.rule) continue;
      expect(text).toContain(`${rule} ${formatRate(rate)}`);
    }
    const [rule, rate] = Object.entries(record.suggestions).find(
      ([name]) => name !== record.suggestion?.peak.rule,
    )!;
    await page.getByRole("button", { name: `${rule} ${formatRate(rate)}` }).click();
    expect(await page.getByLabel("Command").textContent()).toContain(
      `--max-lr ${formatRate(rate)}`,
    );
  });

  /** Texts above the plot, and the upright lines that cross them. */
  const crossings = (page: Page) =>
    page.locator(".draggable > svg").evaluate((svg) => {
      const boxes = (selector: string) =>
        [...svg.querySelectorAll<SVGGraphicsElement>(selector)].map((each) => ({
          box: each.getBoundingClientRect(),
          text: each.textContent,
        }));
      const labels = boxes("text[font-weight]").filter(
        ({ text }) => /[a-z].*\d$/.test(text ?? "") && !text?.startsWith("seed"),
      );
      const lines = boxes("line[stroke-width='1.25']");
      const crossed = labels.flatMap(({ box, text }) =>
        lines
          .filter(
            ({ box: line }) =>
              line.x > box.left + 1 &&
              line.x < box.right - 1 &&
              line.top < box.bottom - 3 &&
              line.bottom > box.top + 3,
          )
          .map(() => text),
      );
      const overlaps = labels.flatMap(({ box, text }, i) =>
        labels
          .slice(i + 1)
          .filter(
            ({ box: other }) =>
              box.left < other.right - 1 &&
              other.left < box.right - 1 &&
              box.top < other.bottom - 4 &&
              other.top < box.bottom - 4,
          )
          .map((other) => `${text} | ${other.text}`),
      );
      return { labels: labels.length, crossed, overlaps };
    });

  test.each([360, 390, 700, 1400])(
    "at %i pixels no line goes through a rule's label, wherever the bounds are",
    async (width) => {
      const page = await open(`#/range-test/${ids.get("found")}`, ".draggable svg path", width);
      for (const [low, high] of [
        [null, null],
        [1e-5, 10],
        [1e-3, 1e-2],
        [0.02, 3],
      ]) {
        for (const [end, to] of [
          ["Lower", low],
          ["Upper", high],
        ] as const) {
          if (to === null || to === undefined) continue;
          await page.getByLabel(`${end} bound of sgd+clr`).fill(String(to));
          await page.keyboard.press("Enter");
        }
        const { labels, crossed, overlaps } = await crossings(page);
        expect(labels).toBeGreaterThan(5);
        expect([crossed, overlaps], `${low} to ${high}`).toEqual([[], []]);
      }
    },
  );
});
