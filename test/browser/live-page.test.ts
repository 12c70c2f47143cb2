/**
 * @file The live page in Chromium, from a real server over records on a disk: what it draws, what it follows, and
 * what it keeps. Needs Chromium; skipped where there is none.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TrialHistory } from "../../src/record/index.ts";
import { armsOf } from "../../src/report/figures/arms.ts";
import { curvesFigure, MEASURES } from "../../src/report/figures/curves.ts";
import { renderReport } from "../../src/report/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import type { RunDirectory } from "../../src/store/index.ts";
import { root } from "../house/rooms.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const why = executablePath ? "" : " (skipped: no Chromium at /usr/bin/chromium)";
const HOSTILE = '"><img src=x onerror="document.title=1">';
/** Where pictures of the page go, for people to look at. */
const pictures = process.env.LRSCOPE_PICTURES;

/** A port that nobody has, for a server that comes back to it. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

describe("the client, gzipped", () => {
  const folder = join(root, "dist", "web");
  const code = (name: string) => readFileSync(join(folder, name), "utf8");
  const sizeOf = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + gzipSync(code(name)).byteLength, 0);
  const all = () => readdirSync(folder).filter((name) => name.endsWith(".js"));
  /** What a browser loads with a page before it shows something. */
  const opening = (page: string) => {
    const opened = new Set(["client.js", page]);
    for (const name of opened)
      for (const [, other = ""] of code(name).matchAll(/from\s*["']\.\/([\w-]+\.js)["']/g))
        opened.add(other);
    return opened;
  };

  test.each(["study", "range-test", "schedules", "together", "start"])(
    "is at most 40 kB for what opens the page %s",
    (page) => expect(sizeOf(opening(`client-${page}.js`))).toBeLessThan(40_000),
  );

  test("is at most 90 kB in all, tables, export and every page; no file is over 40 kB", () => {
    for (const name of all()) expect(sizeOf([name]), name).toBeLessThan(40_000);
    expect(sizeOf(all())).toBeLessThan(90_000);
  });
});

describe.skipIf(!executablePath)(`the live page${why}`, () => {
  const runs = folderOfRuns();
  const input = fakeComparison({ diverged: { rmsprop: [4, 3, 5] }, epochs: 20 });
  let browser: Browser;
  let context: BrowserContext;
  let server: RunningServer;
  let directory: RunDirectory;
  let port = 0;
  let id = "";
  const open = async (
    hash: string,
    options: { width?: number; dark?: boolean } = {},
  ): Promise<Page> => {
    const page = await context.newPage();
    await page.setViewportSize({ width: options.width ?? 1400, height: 900 });
    await page.emulateMedia({ colorScheme: options.dark ? "dark" : "light" });
    await page.goto(`http://127.0.0.1:${port}/${hash}`);
    return page;
  };
  const study = (state = "") => `#/study/${id}${state}`;
  /** Resolves when the page holds for true; a page that never does ends by the test's own time. */
  const until = (page: Page, what: (argument: string) => unknown, argument = "") =>
    page.waitForFunction(what, argument, { timeout: 50_000 });
  const charts = (page: Page) =>
    until(page, () => {
      const all = [...document.querySelectorAll(".chart:not([hidden]) > svg")];
      return all.length === 4 && all.every((svg) => svg.querySelectorAll("path").length > 4);
    });
  const begin = async () => {
    server = await serve({ folders: [runs()], port });
  };

  beforeAll(async () => {
    input.experiment.dataset.classes[0]!.name = HOSTILE;
    directory = writeRun(join(runs(), "study"), input);
    port = await freePort();
    await begin();
    const { studies } = (await (await fetch(`http://127.0.0.1:${port}/api/studies`)).json()) as {
      studies: { id: string }[];
    };
    id = studies[0]!.id;
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });
  beforeEach(async () => {
    context = await browser.newContext();
    return () => context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test("a figure with nothing chosen is the report's, to the byte", async () => {
    const page = await open(study());
    await charts(page);
    const arms = armsOf(input);
    const { epochs } = input.experiment.protocol;
    for (const [i, { measure }] of MEASURES.entries()) {
      const { width, body } = await page.evaluate((place) => {
        const svg = document.querySelectorAll<SVGSVGElement>(".chart > svg")[place]!;
        return { width: svg.viewBox.baseVal.width, body: svg.innerHTML };
      }, i);
      const drawn = curvesFigure(arms, measure, { epochs })!.draw(width).body;
      const asParsed = await page.evaluate((text) => {
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        svg.innerHTML = text;
        return svg.innerHTML;
      }, drawn);
      expect(body).toBe(asParsed);
    }
    const { html } = await renderReport(input);
    await until(page, () => document.querySelector("#results table"));
    const table = await page.evaluate(() => document.querySelector("#results table")!.outerHTML);
    const reported = await page.evaluate(
      (text) =>
        new DOMParser().parseFromString(text, "text/html").querySelector("#results table")!
          .outerHTML,
      html,
    );
    expect(table).toBe(reported);
  });

  test("what is chosen is in the address, and survives reloading", async () => {
    const page = await open(study());
    await charts(page);
    await page.getByRole("button", { name: "by update" }).click();
    await page.getByRole("button", { name: "standard deviation" }).click();
    await page.getByLabel("Smoothing").fill("0.6");
    await page.getByRole("button", { name: "adam", exact: true }).click();
    await page.getByLabel("Colour of sgd+clr").fill("#ff0000");
    await until(page, () => document.querySelector(".chart svg")!.innerHTML.includes("#ff0000"));
    const hash = await page.evaluate(() => location.hash);
    expect(hash).toContain("across=update");
    for (const part of ["band=sd", "smooth=0.6", "hide=adam", "colour=sgd%2Bclr%3D%23ff0000"])
      expect(hash).toContain(part);
    const drawn = () => page.evaluate(() => document.querySelector(".chart svg")!.innerHTML);
    const before = await drawn();
    await page.reload();
    await until(page, (text) => document.querySelector(".chart svg")?.innerHTML === text, before);
    expect(await page.textContent("main")).toContain(
      "sₜ = (w·sₜ₋₁ + (1 − w)·yₜ) / (1 − wᵗ), w = 0.6",
    );
  });

  test("hiding an arm changes no other number", async () => {
    const page = await open(study());
    await until(page, () => document.querySelector("#differences table"));
    const numbers = () => page.evaluate(() => document.querySelector(".results")!.innerHTML);
    const ends = () =>
      page.evaluate(() =>
        [...document.querySelectorAll(".chart svg text")]
          .map((e) => e.textContent)
          .filter((t) => t?.startsWith("sgd+clr ")),
      );
    const [before, endsBefore] = [await numbers(), await ends()];
    expect(endsBefore.length).toBe(4);
    await page.getByRole("button", { name: "adam", exact: true }).click();
    await until(page, () =>
      [...document.querySelectorAll(".chart > svg")].every(
        (svg) => !svg.textContent!.includes("adam "),
      ),
    );
    expect([await numbers(), await ends()]).toEqual([before, endsBefore]);
  });

  test("a crosshair reads all four charts, by pointer and by key", async () => {
    const page = await open(study());
    await charts(page);
    const shown = (count: number) =>
      until(
        page,
        (n) =>
          document.querySelectorAll(".chart .tip:not([hidden])").length === Number(n) &&
          document.querySelectorAll(".chart .crosshair").length === Number(n),
        String(count),
      );
    const box = (await page.locator(".chart svg").first().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 150);
    await shown(4);
    const heads = await page.locator(".chart .tip b").allTextContents();
    expect(new Set(heads).size).toBe(1);
    await page.mouse.move(2, 2);
    await shown(0);
    await page.locator(".chart").nth(1).focus();
    await page.keyboard.press("Home");
    await shown(4);
    expect(await page.locator(".chart .tip b").allTextContents()).toEqual(Array(4).fill("epoch 1"));
  });

  test("an epoch that is written is drawn; a server that comes back goes on without gap or repeat", async () => {
    const { trial, metrics } = input.trials[0] as TrialHistory;
    const growing = writeRun(join(runs(), "growing"), {
      experiment: input.experiment,
      trials: [{ trial: { ...trial, status: "running" }, metrics: metrics.slice(0, 2) }],
    });
    const { studies } = (await (await fetch(`http://127.0.0.1:${port}/api/studies`)).json()) as {
      studies: { id: string; name: string }[];
    };
    const own = studies.find(({ name }) => name === "growing")!.id;
    const page = await open("");
    await page.addInitScript(() => {
      const heard: string[] = [];
      Object.assign(globalThis, { heard });
      const Source = EventSource;
      Object.assign(globalThis, {
        EventSource: class extends Source {
          constructor(url: string) {
            super(url);
            this.addEventListener("message", ({ data }) => {
              for (const event of JSON.parse(data).events)
                heard.push(event.type === "epoch" ? `epoch ${event.metrics.epoch}` : event.type);
            });
          }
        },
      });
    });
    let readings = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/records")) readings += 1;
    });
    await page.goto(`http://127.0.0.1:${port}/?again#/study/${own}`);
    const epochs = (text: string) =>
      until(
        page,
        (wanted) => document.querySelector("#trials tbody")?.textContent?.includes(wanted),
        text,
      );
    await epochs("2 of 20");
    growing.appendMetrics(trial.slug, trial.seed, metrics[2]!);
    await epochs("3 of 20");
    await server.close();
    await until(page, () =>
      document.getElementById("said")!.textContent!.includes("does not answer"),
    );
    growing.appendMetrics(trial.slug, trial.seed, metrics[3]!);
    await begin();
    await epochs("4 of 20");
    growing.appendMetrics(trial.slug, trial.seed, metrics[4]!);
    await epochs("5 of 20");
    const heard = await page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    // What there was is read once; each epoch since has come once, and in its order.
    expect(heard).toEqual(["epoch 3", "epoch 4", "epoch 5"]);
    expect(readings).toBe(1);
  });

  test("eight tabs have one stream, and each shows its study", async () => {
    const streams: string[] = [];
    context.on("request", (request) => {
      if (request.url().includes("/events?")) streams.push(request.url());
    });
    const pages = await Promise.all(Array.from({ length: 8 }, () => open(study())));
    await Promise.all(pages.map(charts));
    const held = await pages[0]!.evaluate(async () => {
      const { held = [], pending = [] } = await navigator.locks.query();
      return [
        held.filter(({ name }) => name === "lrscope-events").length,
        pending.filter(({ name }) => name === "lrscope-events").length,
      ];
    });
    expect(held).toEqual([1, 7]);
    // The tab that has the stream is closed: another takes it.
    const before = streams.length;
    for (const page of pages.slice(0, 7)) await page.close();
    await until(pages[7]!, async () => ((await navigator.locks.query()).held ?? []).length === 1);
    await pages[7]!.reload();
    await charts(pages[7]!);
    // What the charts need may come before the stream is opened.
    await expect.poll(() => streams.length, { timeout: 20_000 }).toBeGreaterThan(before);
  });

  test("names and notes are texts, and no script but the client's runs", async () => {
    const page = await open("");
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    await page.getByRole("button", { name: "Edit note and tags of study, or delete it" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Note").fill(HOSTILE);
    await dialog.getByLabel("Tags").fill("<b>good</b>");
    await dialog.getByRole("button", { name: "Save" }).click();
    await until(
      page,
      (text) => document.querySelector(".said small")?.textContent === text,
      HOSTILE,
    );
    await page.goto(`http://127.0.0.1:${port}/${study()}`);
    await charts(page);
    expect(
      await page.evaluate(
        () => document.images.length + document.querySelectorAll("main b.good").length,
      ),
    ).toBe(0);
    expect(await page.title()).not.toBe("1");
    const inline = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'inline'";
      document.body.append(script);
      return document.title;
    });
    expect(inline).not.toBe("inline");
    expect(said.filter((text) => !/script-src/.test(text))).toEqual([]);
  });

  test.each([
    [360, false],
    [390, true],
    [1400, false],
    [1400, true],
    [3840, false],
  ])("%i pixels, dark %s: nothing scrolls sideways but tables", async (width, dark) => {
    const page = await open(study(), { width, dark });
    await until(page, () => document.querySelector("#differences table"));
    const { scroll, client, paper } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
      paper: getComputedStyle(document.body).backgroundColor,
    }));
    expect(scroll).toBe(client);
    expect(paper).toBe(dark ? "rgb(20, 23, 28)" : "rgb(255, 255, 255)");
    if (pictures) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({
        path: join(pictures, `study-${width}-${dark ? "dark" : "light"}.png`),
        fullPage: true,
      });
      await page.goto(`http://127.0.0.1:${port}/`);
      await until(page, () => document.querySelector("tbody tr"));
      await page.screenshot({
        path: join(pictures, `studies-${width}-${dark ? "dark" : "light"}.png`),
      });
    }
  });

  test("a trial shows its settings and its log", async () => {
    const page = await open(study());
    await page.getByRole("button", { name: "sgd+clr, seed 1" }).click();
    await until(page, () =>
      document.querySelector(".detail pre")?.textContent?.includes("began with range test"),
    );
    expect(await page.textContent(".detail")).toContain("range test: 0.0979");
    expect(directory.path).toContain("study");
  });
});
