/**
 * @file An hour of a study on the live page, in Chromium: 3,600 updates and what they draw. What the page holds grows
 * by what the record does, and by nothing else. Needs Chromium; skipped where there is none.
 */

import { join } from "node:path";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../../src/core/at.ts";
import { type EpochMetrics, type StudyEvent, versioned } from "../../src/record/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launch, noChromium } from "./launch.ts";
import { idsOf, until } from "./live-browser.ts";

/** Messages in all, how many between two measurements, and after how many there is a new epoch. */
const [UPDATES, PART, EPOCH] = [3600, 600, 10];

/**
 * Bytes of one epoch of one trial: its line, its values in the curves of four measures, and their text in the charts. It
 * takes about 700; a page that keeps each message that it has heard takes 1800.
 */
const MOST_A_LINE = 1_000;
/** Bytes by which two measurements of the same page may differ. */
const SLACK = 500_000;

interface Held {
  readonly bytes: number;
  readonly nodes: number;
  readonly listeners: number;
}

describe.skipIf(noChromium !== "")(`what the live page holds${noChromium}`, () => {
  const runs = folderOfRuns();
  const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 3, epochs: 20 });
  const epochs = 2 + UPDATES / EPOCH;
  let browser: Browser;
  let server: RunningServer;
  let address = "";
  let id = "";

  beforeAll(async () => {
    const { experiment } = input;
    writeRun(join(runs(), "study"), {
      experiment: { ...experiment, protocol: { ...experiment.protocol, epochs } },
      trials: input.trials.map(({ trial, metrics }) => ({
        trial: { ...trial, epochs, status: "running" },
        metrics: metrics.slice(0, 2),
      })),
    });
    server = await serve({ folders: [runs()] });
    address = `http://127.0.0.1:${server.port}/`;
    id = (await idsOf(server.port)).get("study") ?? "";
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Once nothing is left that is not held. */
  const heldBy = async (page: Page, session: CDPSession): Promise<Held> => {
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
    for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name: string) => metrics.find((each) => each.name === name)?.value ?? Number.NaN;
    return { bytes: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
  };
  const measured = async (page: Page) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    await session.send("HeapProfiler.enable");
    return () => heldBy(page, session);
  };

  /** Events of one second: an update of each trial, and now and then an epoch of each. */
  const eventsAt = (second: number): StudyEvent[] =>
    input.trials.flatMap(({ trial, metrics }): StudyEvent[] => {
      const { arm, seed } = trial;
      const line = at(metrics, 1 + (second % 10), "metrics");
      const epoch = 2 + Math.ceil(second / EPOCH);
      if (second % EPOCH === 0)
        return [
          versioned({
            type: "epoch",
            arm,
            seed,
            metrics: { ...line, epoch } satisfies EpochMetrics,
          }),
        ];
      const update = epoch * 54 + (second % EPOCH);
      return [
        versioned({
          ...{ type: "update", arm, seed, epoch, update, updates: epochs * 54 },
          ...{ loss: 0.5, lr: 1e-3, imagesPerSecond: 100 },
        }),
      ];
    });

  test("an hour of updates: as much as the record, and no more", { timeout: 280_000 }, async () => {
    const page = await browser.newPage();
    // The stream of this page is the test's.
    await page.addInitScript(() => {
      class Fed extends EventTarget {
        static readonly CLOSED = 2;
        readonly readyState = 1;
        onopen: (() => void) | null = null;
        onerror: (() => void) | null = null;
        onmessage: ((message: { data: string }) => void) | null = null;
        readonly since: string;
        constructor(url: string) {
          super();
          this.since = new URL(url, location.href).searchParams.get("since") ?? "";
          Object.assign(globalThis, { fed: this });
        }
        close() {}
      }
      Object.assign(globalThis, { EventSource: Fed });
    });
    await page.goto(`${address}#/study/${id}`);
    await until(
      page,
      () => document.querySelector("#results table") !== null && "fed" in globalThis,
    );
    const held = await measured(page);
    const feed = (from: number) =>
      page.evaluate(
        async ({ study, messages }) => {
          const { fed } = globalThis as unknown as {
            fed: { since: string; onmessage(message: { data: string }): void };
          };
          let from = fed.since.split("=")[1] ?? "";
          for (const [i, events] of messages.entries()) {
            const to = `${from.replace(/ .*/, "")} ${crypto.randomUUID()}`;
            fed.onmessage({ data: JSON.stringify({ study, from, to, state: "running", events }) });
            from = to;
            // As often as that the page has time to draw.
            if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 60));
          }
          fed.since = `=${from}`;
        },
        {
          study: id,
          messages: Array.from({ length: PART }, (_, i) => eventsAt(from + i + 1)),
        },
      );
    const points: Held[] = [];
    for (let second = 0; second < UPDATES; second += PART) {
      await feed(second);
      const done = 2 + (second + PART) / EPOCH;
      await until(
        page,
        (text) =>
          [...document.querySelectorAll("#trials tbody tr:first-child td")].some((cell) =>
            cell.textContent?.startsWith(text),
          ),
        `${done} `,
      );
      points.push(await held());
    }
    const lines = (input.trials.length * PART) / EPOCH;
    const [first, ...later] = points as [Held, ...Held[]];
    for (const [i, { bytes, nodes, listeners }] of later.entries()) {
      expect(bytes - first.bytes, `bytes after ${(i + 2) * PART} updates`).toBeLessThan(
        (i + 1) * lines * MOST_A_LINE + SLACK,
      );
      expect(nodes, "nodes").toBeLessThan(first.nodes + 200);
      expect(listeners, "listeners").toBeLessThan(first.listeners + 20);
    }
    await page.close();
  });

  test("pages that are opened and left leave nothing", { timeout: 120_000 }, async () => {
    const page = await browser.newPage();
    await page.goto(address);
    const held = await measured(page);
    const round = async () => {
      for (const [hash, there] of [
        [`#/study/${id}`, "#results table"],
        ["#/schedules", ".explorer svg path"],
        ["#/studies", "tbody tr"],
      ] as const) {
        await page.evaluate((to) => {
          location.hash = to;
        }, hash);
        // An element that is returned would be held by whoever asked.
        await until(page, (what) => document.querySelector(what) !== null, there);
      }
    };
    // Until the browser has compiled what is used often.
    for (let i = 0; i < 12; i++) await round();
    const before = await held();
    for (let i = 0; i < 12; i++) await round();
    const after = await held();
    expect(after.bytes - before.bytes).toBeLessThan(SLACK);
    expect(after.nodes - before.nodes).toBeLessThan(200);
    expect(after.listeners - before.listeners).toBeLessThan(10);
    await page.close();
  });
});
