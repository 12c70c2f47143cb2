/**
 * @file The live page without eyes: each chart, table, control and state of each page has a name in the accessibility
 * tree, and of what changes is said what a reader waits for, not each update. Needs Chromium; skipped where there is
 * none.
 */

import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../../src/core/at.ts";
import { type StudyEvent, versioned } from "../../src/record/index.ts";
import { type ServingPage, serve } from "../../src/server/index.ts";
import { acquireLease, type Lease, type RunDirectory } from "../../src/store/index.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writePhotos, writeRun } from "../server/records.ts";
import { heardOn, listen, type Spoken, spokenOf } from "./accessibility-tree.ts";
import { launched, noChromium } from "./chromium.ts";
import { idsOf, until } from "./live-browser.ts";

/** Roles of what is acted upon, and of what is a thing by itself: a reader hears them by their names. */
const NAMED = new Set([
  ...["button", "link", "checkbox", "combobox", "textbox", "searchbox", "spinbutton", "slider"],
  ...["image", "img", "progressbar", "progressIndicator", "region", "dialog", "navigation", "main"],
  ...["ColorWell", "DisclosureTriangle", "heading"],
]);

describe.skipIf(noChromium !== "")(`the live page, read aloud${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 2, epochs: 8 });
  let ids: ReadonlyMap<string, string>;
  let server: ServingPage;
  let growing: RunDirectory;
  let lease: Lease;

  beforeAll(async () => {
    const compared = writeRun(join(runs(), "compared"), input);
    writePhotos(compared);
    const found = fakeComparison({ arms: ["sgd+clr"] });
    writeRun(join(runs(), "found"), {
      experiment: { ...found.experiment, kind: "find" },
      trials: [],
    }).writeText("range-test.json", JSON.stringify(fakeRangeTest()));
    growing = writeRun(join(runs(), "growing"), {
      experiment: input.experiment,
      trials: input.trials.map(({ trial, metrics }) => ({
        trial: { ...trial, status: "running" as const },
        metrics: metrics.slice(0, 2),
      })),
    });
    lease = await acquireLease(growing.path);
    server = await serve({ folders: [runs()] });
    ids = await idsOf(server.port);
  });
  afterAll(async () => {
    lease?.release();
    await server?.close();
  });

  const study = (name: string) => `#/study/${ids.get(name)}`;
  const PAGES: readonly (readonly [name: string, hash: () => string, there: string])[] = [
    ["studies", () => "", "tbody tr"],
    ["study", () => study("compared"), ".mistakes img"],
    ["study that runs", () => study("growing"), "#results table"],
    ["range test", () => `#/range-test/${ids.get("found")}`, ".draggable svg path"],
    ["schedules", () => "#/schedules", ".explorer svg path"],
    ["together", () => `#/together/${ids.get("compared")}/${ids.get("growing")}`, ".chart path"],
    ["start", () => "#/start", "form pre"],
    ["figure", () => `figure#/${ids.get("compared")}/accuracy-validation`, ".chart svg path"],
  ];
  const open = async (hash: string, there: string): Promise<Page> => {
    const page = await chromium.page();
    await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
    await until(page, (selector) => document.querySelector(selector), there);
    if (/#\/(study|range-test|schedules|together)\b/.test(hash))
      await page.getByText("Export", { exact: true }).waitFor();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    return page;
  };

  test.each(PAGES)("of %s all that is there has a name", async (_, hash, there) => {
    const page = await open(hash(), there);
    const all = await spokenOf(page);
    expect(all.length).toBeGreaterThan(10);
    const nameless = all.filter(({ role, name }) => NAMED.has(role) && name === "");
    expect(nameless).toEqual([]);
    // What is folded is a group too, by the name of what unfolds it.
    const groups = await page.evaluate(() =>
      [...document.querySelectorAll("[role=group], .chart")]
        .filter((each) => each.checkVisibility())
        .map((each) => each.getAttribute("aria-label") ?? ""),
    );
    expect(groups.filter((name) => name === "")).toEqual([]);
    // A table is named by itself, or by the region in which it scrolls.
    const tables = await page.evaluate(() =>
      [...document.querySelectorAll("table")]
        .filter((table) => table.checkVisibility() && !table.closest("[aria-hidden=true]"))
        .map((table) => table.closest("[aria-label]")?.getAttribute("aria-label") ?? ""),
    );
    expect(tables.filter((name) => name === "")).toEqual([]);
    expect(new Set(tables).size).toBe(tables.length);
  });

  const find = (all: readonly Spoken[], role: string, name: string | RegExp) =>
    all.find(
      (each) =>
        each.role === role &&
        (typeof name === "string" ? each.name === name : name.test(each.name)),
    );

  test("a chart is named by what it shows, says how each line ends, and how it is read", async () => {
    const page = await open(study("compared"), ".mistakes img");
    const all = await spokenOf(page);
    const figure = find(all, "figure", "Validation accuracy against epoch");
    expect(figure?.description).toContain("Arrow keys");
    const drawing = all.find(
      ({ role, name }) => /^(image|img)$/.test(role) && name.startsWith("Validation accuracy"),
    );
    expect(drawing?.name).toMatch(
      /^Validation accuracy against epoch\. sgd\+clr ends at [\d.]+%; adam ends at [\d.]+%$/,
    );
    await page.getByRole("button", { name: "by second" }).click();
    await expect
      .poll(
        async () => find(await spokenOf(page), "figure", "Validation accuracy against second"),
        { timeout: 20_000 },
      )
      .toBeDefined();
  });

  test("what is chosen, ticked and set is said, and with what an arm trains", async () => {
    const page = await open(study("compared"), ".mistakes img");
    const adam = page.getByRole("button", { name: "adam", exact: true });
    const said = async () => {
      const all = await spokenOf(page);
      const of = (role: string, name: string | RegExp) => find(all, role, name);
      return {
        arm: [of("button", "adam")?.properties.pressed, of("button", "adam")?.description],
        axis: [of("button", "by epoch"), of("button", "by update")].map(
          (b) => b?.properties.pressed,
        ),
        seeds: of("checkbox", "seeds")?.properties.checked,
        smoothing: of("slider", /^Smoothing/)?.properties.value,
        line: of("checkbox", "Line of adam, seed 1")?.properties.checked,
      };
    };
    expect(await said()).toEqual({
      arm: ["true", ""],
      axis: ["true", "false"],
      seeds: "true",
      smoothing: 0,
      line: "true",
    });
    await page.getByLabel("Smoothing").fill("0.5");
    await page.getByLabel("seeds", { exact: true }).uncheck();
    await page.getByLabel("Line of adam, seed 1").uncheck();
    await page.getByRole("button", { name: "by update" }).click();
    await adam.click();
    await page.getByRole("button", { name: "sgd+clr", exact: true }).focus();
    await adam.focus();
    const now = await said();
    expect(now).toMatchObject({
      axis: ["false", "true"],
      seeds: "false",
      smoothing: 0.5,
      line: "false",
    });
    expect(now.arm).toEqual(["false", expect.stringMatching(/^adam optimizer adam .*schedule/)]);
    const other = find(await spokenOf(page), "button", "sgd+clr");
    expect(other?.description).toBe("");
  });

  test("values under a crosshair are said once, where it is moved by keys, and not under a pointer", async () => {
    const page = await open(study("compared"), ".mistakes img");
    await listen(page);
    const box = (await page.locator(".chart > svg").first().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 150);
    await until(page, () => document.querySelectorAll(".chart .tip:not([hidden])").length === 4);
    expect(await heardOn(page)).toEqual([]);
    await page.mouse.move(2, 2);
    await page.locator(".chart").nth(1).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await until(page, () => document.querySelectorAll(".chart .tip:not([hidden])").length === 4);
    const reading =
      /^epoch \d: (adam|sgd\+clr) [\d.]+% [\d.]+% – [\d.]+% n = 2; (adam|sgd\+clr) [\d.]+% /;
    await expect
      .poll(() => heardOn(page), { timeout: 20_000 })
      .toEqual(
        ["epoch 1", "epoch 2"].map((epoch) => expect.stringMatching(new RegExp(`^${epoch}: `))),
      );
    for (const text of await heardOn(page)) expect(text).toMatch(reading);
  });

  test("of a study that runs its state and its runs' ends are said; updates and epochs are not", async () => {
    const page = await open(study("growing"), "#results table");
    const { trial, metrics } = at(input.trials, 0, "trials");
    await listen(page);
    const tell = (update: number) => {
      const { arm, seed } = trial;
      const event = {
        ...{ type: "update", arm, seed, epoch: 3, update, updates: 432 },
        ...{ loss: 0.5, lr: 1e-3, imagesPerSecond: 100 + update },
      };
      server.tell(growing.path, versioned(event as never) as StudyEvent);
    };
    const visible = (text: string) =>
      until(
        page,
        (wanted) => document.querySelector("main .note")?.textContent?.includes(wanted),
        text,
      );
    for (let update = 109; update < 113; update++) {
      tell(update);
      await visible(`${100 + update} images/s`);
    }
    const row = (text: string) =>
      until(
        page,
        (wanted) => document.querySelector("#trials tbody tr")?.textContent?.includes(wanted),
        text,
      );
    for (const epoch of [3, 4, 5]) {
      growing.appendMetrics(trial.slug, trial.seed, at(metrics, epoch - 1, "metrics"));
      await row(`${epoch} of 8`);
    }
    expect(await heardOn(page)).toEqual([]);
    growing.writeTrial({ ...trial, status: "failed", failure: "the disk is full" });
    await row("failed");
    growing.writeTrial({ ...trial, status: "done" });
    await visible("1 of 4 runs at their end");
    lease.release();
    await visible("not running");
    expect(await heardOn(page)).toEqual([
      "running, 1 of 4 runs at their end",
      "not running, 1 of 4 runs at their end",
    ]);
    lease = await acquireLease(growing.path);
  });

  test("a page that is gone to is said by its name, and what it cannot show as an alert", async () => {
    const page = await open("", "tbody tr");
    await page.getByRole("link", { name: "Schedules" }).click();
    await until(page, () => document.activeElement?.id === "page");
    await until(page, () => document.activeElement?.getAttribute("aria-label") === "Schedules");
    await page.goto(`http://127.0.0.1:${server.port}/#/study/0123456789abcdef`);
    await page.getByRole("alert").filter({ hasText: "there is no such study" }).waitFor();
  });

  test("where the bounds of a range test are, their fields say", async () => {
    const page = await open(`#/range-test/${ids.get("found")}`, ".draggable svg path");
    const bound = async (name: string) =>
      find(await spokenOf(page), "spinbutton", name)?.properties.value;
    await page.getByLabel("Lower bound of sgd+clr").fill("0.002");
    await page.keyboard.press("Enter");
    expect(Number(await bound("Lower bound of sgd+clr"))).toBeCloseTo(0.002, 6);
    expect(Number(await bound("Upper bound of sgd+clr"))).toBeGreaterThan(0.002);
  });
});
