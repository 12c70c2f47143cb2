/**
 * @file The live page without a pointer: each control of each page is reached by Tab alone, and what it does can be done
 * by keys. Needs Chromium; skipped where there is none.
 */

import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";

describe.skipIf(noChromium !== "")(`the live page by keyboard${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const ids: Record<string, string> = {};
  let server: RunningServer;
  beforeAll(async () => {
    const compared = fakeComparison({ arms: ["adam", "sgd+clr"], epochs: 5 });
    writeRun(join(runs(), "compared"), compared);
    const other = fakeComparison({ arms: ["rmsprop"], epochs: 4 });
    writeRun(join(runs(), "other"), {
      ...other,
      experiment: { ...other.experiment, engine: "oneDNN 3.0, avx2, 1 threads" },
    });
    const found = fakeComparison({ arms: ["sgd+clr"] });
    const tests = writeRun(join(runs(), "found"), {
      experiment: { ...found.experiment, kind: "find" },
      trials: [],
    });
    tests.writeText("range-test.json", JSON.stringify(fakeRangeTest()));
    server = await serve({ folders: [runs()] });
    const { studies } = (await (
      await fetch(`http://127.0.0.1:${server.port}/api/studies`)
    ).json()) as { studies: { id: string; name: string }[] };
    for (const { id, name } of studies) ids[name] = id;
  });
  afterAll(() => server?.close());

  const PAGES: readonly (readonly [name: string, hash: () => string, there: string])[] = [
    ["studies", () => "", "tbody tr"],
    ["study", () => `#/study/${ids.compared}`, "#differences table"],
    ["range test", () => `#/range-test/${ids.found}`, ".draggable svg path"],
    ["schedules", () => "#/schedules", ".explorer svg path"],
    ["together", () => `#/together/${ids.compared}/${ids.other}`, "main table"],
    ["start", () => "#/start", "form pre"],
  ];
  const open = async (hash: string, there: string): Promise<Page> => {
    const page = await chromium.page();
    await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
    await page.waitForFunction((selector) => document.querySelector(selector), there);
    return page;
  };

  test.each(PAGES)(
    "every control of %s is reached by Tab, in the order of the page",
    async (_, hash, there) => {
      const page = await open(hash(), there);
      // What is loaded when it is needed is there too, and all that is folded is open.
      if (/#\/(study|range-test|schedules|together)\b/.test(hash()))
        await page.getByText("Export", { exact: true }).waitFor();
      const wanted = await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
        const controls = [
          ...document.querySelectorAll<HTMLElement>(
            "a[href], button, input, select, textarea, summary, [tabindex='0']",
          ),
        ].filter(
          (each) =>
            each.checkVisibility({ checkVisibilityCSS: true }) &&
            !(each as HTMLButtonElement).disabled,
        );
        controls.forEach((each, i) => {
          each.dataset.place = String(i);
        });
        return controls.length;
      });
      const places: number[] = [];
      for (let press = 0; press < wanted; press++) {
        await page.keyboard.press("Tab");
        const place = await page.evaluate(
          () => (document.activeElement as HTMLElement).dataset.place,
        );
        places.push(Number(place ?? Number.NaN));
      }
      expect(wanted).toBeGreaterThan(8);
      expect(places).toEqual(Array.from({ length: wanted }, (_, i) => i));
    },
  );

  test("choices, boxes and sliders are worked by keys", async () => {
    const page = await open(`#/study/${ids.compared}`, "#differences table");
    await page.getByRole("button", { name: "by update" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "adam", exact: true }).focus();
    await page.keyboard.press("Space");
    // The legend is made anew, and the focus is where it was.
    expect(
      await page.evaluate(() => [
        document.activeElement?.textContent,
        document.activeElement?.getAttribute("aria-pressed"),
      ]),
    ).toEqual(["adam", "false"]);
    await page.getByLabel("Smoothing").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByLabel("seeds", { exact: true }).focus();
    await page.keyboard.press("Space");
    await page.waitForFunction(() => location.hash.includes("seeds=0"));
    for (const part of ["across=update", "hide=adam", "smooth=0.01"])
      expect(page.url()).toContain(part);
  });

  test("the first Tab leads past the links to the page", async () => {
    const page = await open(`#/study/${ids.compared}`, "#differences table");
    const before = page.url();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("page");
    expect([page.url(), await page.locator(".chart").count()]).toEqual([before, 4]);
  });

  test("a dialog is opened, left with Escape, and gives the focus back", async () => {
    const page = await open("", "tbody tr");
    const edit = page.getByRole("button", { name: /^Edit note and tags of compared/ });
    await edit.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(await edit.evaluate((each) => each === document.activeElement)).toBe(true);
  });
});
