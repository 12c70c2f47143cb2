/**
 * @file Who works at a study, on its page in Chromium: as its process says it, live, and no longer than it is true.
 * Needs Chromium; skipped where there is none.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WorkersRecord } from "../../src/record/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { acquireLease, type Lease, writeWorkers } from "../../src/store/index.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launch, noChromium } from "./launch.ts";
import { freePort, idsOf, until } from "./live-browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where pictures of the page go, for people to look at. */
const pictures = process.env.LRSCOPE_PICTURES;

const WORKERS: WorkersRecord = {
  ...{ formatVersion: 1, executor: "redis", at: "2026-03-04T10:00:00.000Z", lease: 60 },
  workers: [
    { name: "alder-4711", jobs: 2, busy: 2 },
    { name: "birch-812", jobs: 1, busy: 0 },
  ],
  running: [
    {
      ...{ key: "adam-0", attempt: 1, turn: 1, worker: "alder-4711", leaseLeft: 48 },
      ...{ since: "2026-03-04T09:58:00.000Z", heard: "2026-03-04T09:59:57.000Z" },
    },
    {
      ...{ key: "adam-1", attempt: 2, turn: 3, worker: "alder-4711", leaseLeft: 0 },
      ...{ since: "2026-03-04T09:00:00.000Z", heard: "2026-03-04T09:59:00.000Z" },
    },
  ],
  ...{ waiting: 7, next: ["adam-2", "sgd-0", "sgd-1", "sgd-2", "lion-0", "lion-1", "lion-2"] },
  ...{ refused: 0, lastRefused: null },
};

describe.skipIf(noChromium)(`workers on the page of a study${noChromium}`, () => {
  const runs = folderOfRuns();
  let browser: Browser;
  let context: BrowserContext;
  let server: RunningServer;
  let lease: Lease;
  let id = "";
  const path = () => join(runs(), "study");

  beforeAll(async () => {
    const input = fakeComparison({ arms: ["adam", "sgd", "lion"], epochs: 8 });
    const trials = input.trials.map(({ trial, metrics }) => ({
      trial: { ...trial, status: "running" as const },
      metrics: metrics.slice(0, 3),
    }));
    writeRun(path(), { experiment: input.experiment, trials: trials.slice(0, 2) });
    lease = await acquireLease(path());
    const port = await freePort();
    server = await serve({ folders: [runs()], port });
    id = (await idsOf(port)).get("study") ?? "";
    browser = await launch();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    return () => context.close();
  });
  afterAll(async () => {
    lease?.release();
    await browser?.close();
    await server?.close();
  });

  const say = (change: Partial<WorkersRecord> = {}) =>
    writeWorkers({ path: path() }, { ...WORKERS, ...change });
  const open = async ({ width = 1400, dark = false } = {}): Promise<Page> => {
    const page = await context.newPage();
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await page.goto(`http://127.0.0.1:${server.port}/#/study/${id}`);
    return page;
  };
  const shows = (page: Page, text: string) =>
    until(
      page,
      (wanted) => document.querySelector<HTMLElement>("#workers")?.textContent.includes(wanted),
      text,
    );
  const rows = (page: Page) =>
    page
      .locator("#workers tbody tr")
      .evaluateAll((all) =>
        all.map((row) => [...row.children].map(({ textContent }) => textContent)),
      );

  test("it says who has which run since when, whose lease has ended, who is idle and what waits", async () => {
    say();
    const page = await open();
    await shows(page, "2 workers, idle: birch-812.");
    await shows(page, "2 runs under way, 7 wait: adam-2, sgd-0, sgd-1, sgd-2, lion-0 and 2 more.");
    await shows(page, "whose worker is not heard of for 1 min 0 s");
    expect(await rows(page)).toEqual([
      ["adam-0", "alder-4711", "2 min 0 s", "3.0 s ago", "48 s", "1, turn 1"],
      ["adam-1", "alder-4711", "1 h 0 min", "1 min 0 s ago", "it has ended", "2, turn 3"],
    ]);
    expect(await page.locator("#workers .warn:not([hidden])").count()).toBe(0);
  });

  test("what changes is there without a click, and what was refused; with the study's process all goes", async () => {
    say();
    const page = await open();
    await shows(page, "7 wait");
    const { workers, running } = WORKERS;
    say({
      at: "2026-03-04T10:00:02.000Z",
      workers: workers.slice(0, 1),
      running: running.slice(0, 1),
      ...{ waiting: 1, next: ["adam-1"], refused: 2 },
      lastRefused: "refused the end of attempt 2.3 at adam-1: the current one is 2.3",
    });
    await shows(page, "1 worker.");
    await shows(page, "1 run under way, 1 waits: adam-1.");
    await shows(page, "2 requests of workers that had lost their run were refused");
    await shows(page, "the end of attempt 2.3 at adam-1");
    expect((await rows(page)).map(([key]) => key)).toEqual(["adam-0"]);
    lease.release();
    await until(page, () => document.querySelector<HTMLElement>("#workers")?.hidden);
    lease = await acquireLease(path());
    await shows(page, "1 run under way");
  });

  test("of Slurm it says what runs on which node", async () => {
    const [run] = WORKERS.running;
    say({
      ...{ executor: "slurm", at: "2026-03-04T10:00:03.000Z", lease: null, workers: [] },
      running: [{ ...run!, worker: "job 41_0 on n1", turn: null, leaseLeft: null, heard: null }],
      ...{ waiting: 0, next: [] },
    });
    const page = await open();
    await shows(page, "1 run under way by slurm, none waits.");
    expect(await rows(page)).toEqual([["adam-0", "job 41_0 on n1", "2 min 3 s", "–", "–", "1"]]);
  });

  test.each([
    [360, false],
    [390, false],
    [390, true],
    [1400, false],
    [1400, true],
  ])(
    "at %i pixels, dark %s: axe-core finds nothing, nothing scrolls sideways",
    async (width, dark) => {
      say({
        refused: 1,
        lastRefused:
          "refused a checkpoint of attempt 1.1 at adam-1: the current one is 2.3 of alder-4711",
      });
      const page = await open({ width, dark });
      await shows(page, "was refused");
      const findings = (await page.evaluate(
        `(() => { ${axe}; return axe.run("#workers", { resultTypes: ["violations"] }) })()`,
      )) as { violations: { id: string }[] };
      expect(findings.violations.map((each) => each.id)).toEqual([]);
      expect(
        await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        ),
      ).toBe(0);
      if (!pictures) return;
      mkdirSync(pictures, { recursive: true });
      await page.locator("#workers").screenshot({
        path: join(pictures, `workers-${width}-${dark ? "dark" : "light"}.png`),
      });
    },
  );
});
