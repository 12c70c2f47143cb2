/**
 * @file How the live page keeps up in Chromium: tabs that are hidden, that come later, that are at other places; a
 * server that goes and comes back; a line that is torn. Needs Chromium; skipped where there is none.
 */

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { at } from "../../src/core/at.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import type { RunDirectory } from "../../src/store/index.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launch, noChromium } from "./launch.ts";
import { freePort, idsOf, until } from "./live-browser.ts";

describe.skipIf(noChromium !== "")(`how the live page keeps up${noChromium}`, () => {
  const runs = folderOfRuns();
  const input = fakeComparison({ arms: ["adam"], seeds: 1, epochs: 20 });
  const { trial, metrics } = at(input.trials, 0, "trials");
  let browser: Browser;
  let context: BrowserContext;
  let server: RunningServer;
  let directory: RunDirectory;
  let port = 0;
  let id = "";
  let count = 0;
  /** Of every request for a stream: its Last-Event-ID. */
  let streams: (string | undefined)[] = [];

  beforeAll(async () => {
    port = await freePort();
    server = await serve({ folders: [runs()], port });
    browser = await launch();
  });
  beforeEach(async () => {
    const name = `study-${count++}`;
    directory = writeRun(join(runs(), name), {
      experiment: input.experiment,
      trials: [{ trial: { ...trial, status: "running" }, metrics: metrics.slice(0, 2) }],
    });
    id = (await idsOf(port)).get(name) ?? "";
    streams = [];
    context = await browser.newContext();
    context.on("response", async (response) => {
      if (!response.url().includes("/events?")) return;
      const place = streams.push(undefined) - 1;
      // A request whose tab closes has no headers left to tell; a test that asks for them waits for what was told.
      const headers = await response
        .request()
        .allHeaders()
        .catch(() => undefined);
      streams[place] = headers?.["last-event-id"];
    });
    return () => context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const open = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/#/study/${id}`);
    await shows(page, 2);
    return page;
  };
  const append = (epoch: number) =>
    directory.appendMetrics(trial.slug, trial.seed, at(metrics, epoch - 1, "metrics"));
  const shows = (page: Page, epochs: number) =>
    until(
      page,
      (text) => document.querySelector("#trials tbody")?.textContent?.includes(text),
      `${epochs} of 20`,
    );
  /** As when another window covers the tab, or another tab of its window is chosen. */
  const hide = (page: Page, hidden: boolean) =>
    page.evaluate((now) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: now });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const locks = (page: Page) =>
    page.evaluate(async () => {
      const { held = [], pending = [] } = await navigator.locks.query();
      const own = (all: readonly LockInfo[]) =>
        all.filter(({ name }) => name === "lrscope-events").length;
      return [own(held), own(pending)];
    });
  const holding = (page: Page, held: number) =>
    until(
      page,
      async (wanted) => ((await navigator.locks.query()).held ?? []).length === Number(wanted),
      String(held),
    );
  const warnings = async (page: Page) =>
    (await page.locator(".warn:not([hidden])").allTextContents()).join("\n");
  const warned = (page: Page) =>
    until(page, () =>
      [...document.querySelectorAll(".warn:not([hidden])")].some(({ textContent }) =>
        textContent?.includes("metrics.jsonl, line 3"),
      ),
    );
  const epochsOf = (page: Page) =>
    page.evaluate(() => document.querySelector("#trials tbody")?.textContent ?? "");

  test("a hidden tab has no stream, and catches up when it is seen", async () => {
    const page = await open();
    await holding(page, 1);
    const closed = page.waitForEvent("requestfinished", (request) =>
      request.url().includes("/events?"),
    );
    const failed = page.waitForEvent("requestfailed", (request) =>
      request.url().includes("/events?"),
    );
    await hide(page, true);
    // Whichever of the two a browser calls a stream that the page has closed.
    await Promise.race([closed.catch(() => failed), failed.catch(() => closed)]);
    await holding(page, 0);
    const before = streams.length;
    append(3);
    append(4);
    expect(await epochsOf(page)).toContain("2 of 20");
    expect(streams.length).toBe(before);
    await hide(page, false);
    await shows(page, 4);
    expect(streams.length).toBe(before + 1);
  });

  test("where the tab with the stream is hidden, another takes it, and both know all in the end", async () => {
    const first = await open();
    await holding(first, 1);
    const second = await open();
    expect(await locks(second)).toEqual([1, 1]);
    await hide(first, true);
    append(3);
    await shows(second, 3);
    append(4);
    await shows(second, 4);
    await hide(first, false);
    await shows(first, 4);
    append(5);
    await Promise.all([first, second].map((page) => shows(page, 5)));
    expect(await locks(first)).toEqual([1, 1]);
  });

  test("a tab that comes later, and eight of them, are at the same place", async () => {
    const first = await open();
    append(3);
    await shows(first, 3);
    const others = await Promise.all(
      Array.from({ length: 7 }, async () => {
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${port}/#/study/${id}`);
        await shows(page, 3);
        return page;
      }),
    );
    for (let epoch = 4; epoch <= 12; epoch++) append(epoch);
    await Promise.all([first, ...others].map((page) => shows(page, 12)));
    expect(await locks(first)).toEqual([1, 7]);
  });

  test("a server that comes back is asked by Last-Event-ID; the records are not read again", async () => {
    const page = await open();
    let readings = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/records")) readings += 1;
    });
    append(3);
    await shows(page, 3);
    expect(streams).toEqual([undefined]);
    await server.close();
    append(4);
    server = await serve({ folders: [runs()], port });
    await shows(page, 4);
    append(5);
    await shows(page, 5);
    const resumed = () => streams.filter((last) => last !== undefined);
    // What the page shows of a stream may come before what the browser says of its request.
    await expect.poll(() => resumed().length, { timeout: 20_000 }).toBeGreaterThan(0);
    for (const last of resumed())
      expect(last).toMatch(new RegExp(`^${id}=1\\.[0-9a-f]{8}\\.0\\..*\\.3r$`));
    expect(readings).toBe(0);
  });

  test("a last line that is torn is waited for", async () => {
    const page = await open();
    const file = join(directory.path, "trials", `${trial.slug}-${trial.seed}`, "metrics.jsonl");
    const text = `${JSON.stringify(metrics[2])}\n${JSON.stringify(metrics[3])}\n`;
    const torn = text.length - 20;
    appendFileSync(file, text.slice(0, torn));
    await shows(page, 3);
    expect(await warnings(page)).not.toContain("metrics.jsonl");
    appendFileSync(file, text.slice(torn));
    await shows(page, 4);
    expect(await warnings(page)).not.toContain("metrics.jsonl");
  });

  test("records that are damaged are said, and shown as soon as they are whole", async () => {
    const page = await open();
    const file = join(directory.path, "trials", `${trial.slug}-${trial.seed}`, "metrics.jsonl");
    appendFileSync(file, '{"epoch":"three"}\n');
    await warned(page);
    const late = await context.newPage();
    await late.goto(`http://127.0.0.1:${port}/#/study/${id}`);
    await warned(late);
    directory.restoreMetrics(trial.slug, trial.seed, metrics.slice(0, 6));
    await Promise.all([page, late].map((each) => shows(each, 6)));
  });
});
