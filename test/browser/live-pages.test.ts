/**
 * @file The further pages of the live page in Chromium: range tests, schedules, studies side by side, the form, and what
 * is taken away as files; none has a finding of axe-core's. Needs Chromium; skipped where there is none.
 */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Download,
  type Page,
} from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as schedules from "../../src/schedules/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { metricsCsv, readRun } from "../../src/store/index.ts";
import { codeOf, EXAMPLES } from "../../web/schedule-examples.ts";
import { smoothed } from "../../web/smoothing.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writePhotos, writeRun } from "../server/records.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const why = executablePath ? "" : " (skipped: no Chromium at /usr/bin/chromium)";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where pictures of the page go, for people to look at. */
const pictures = process.env.LRSCOPE_PICTURES;

describe("of the schedule explorer", () => {
  test("every family has an example, and its code is that schedule", () => {
    expect(Object.keys(EXAMPLES)).toEqual([...schedules.scheduleTypes]);
    for (const [type, fields] of Object.entries(EXAMPLES)) {
      const spec = { type, ...fields };
      const made = new Function(...Object.keys(schedules), `return ${codeOf(spec)}`)(
        ...Object.values(schedules),
      );
      const read = schedules.scheduleFromJSON(spec);
      expect(made.toJSON(), type).toEqual(read.toJSON());
      for (const update of [0, 1, 99, 500, 1000]) expect(made(update)).toBe(read(update));
    }
  });
});

test("smoothing is the formula that the page says", () => {
  const [w, values] = [0.6, [1, 3, null, 2, 5]];
  const there = values.filter((value) => value !== null);
  const want = there.map((_, t) => {
    const sum = there.slice(0, t + 1).reduce((all, y, i) => all + (1 - w) * w ** (t - i) * y, 0);
    return sum / (1 - w ** (t + 1));
  });
  const got = smoothed(values, w);
  expect(got[2]).toBeNull();
  for (const [i, value] of got.filter((each) => each !== null).entries())
    expect(value).toBeCloseTo(want[i]!, 12);
  expect(smoothed([7, 7, 7], 0.9)).toEqual([7, 7, 7].map((value) => expect.closeTo(value, 12)));
});

describe.skipIf(!executablePath)(`the further pages${why}`, () => {
  const runs = folderOfRuns();
  let browser: Browser;
  let context: BrowserContext;
  let server: RunningServer;
  const ids: Record<string, string> = {};
  const open = async (hash: string, { width = 1400, dark = false } = {}): Promise<Page> => {
    const page = await context.newPage();
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
    return page;
  };
  const until = (page: Page, what: (argument: string) => unknown, argument = "") =>
    page.waitForFunction(what, argument, { timeout: 50_000 });

  beforeAll(async () => {
    const compared = fakeComparison({
      arms: ["adam", "sgd+clr"],
      epochs: 12,
      diverged: { adam: [null, 3, null] },
    });
    const directory = writeRun(join(runs(), "compared"), compared);
    writePhotos(directory);
    const other = fakeComparison({ arms: ["adam", "rmsprop"], epochs: 8 });
    writeRun(join(runs(), "other"), {
      ...other,
      experiment: { ...other.experiment, engine: "oneDNN 3.0, avx2, 1 threads" },
    });
    const found = { ...fakeComparison({ arms: ["sgd+clr"] }), trials: [] };
    const tests = writeRun(join(runs(), "found"), {
      ...found,
      experiment: { ...found.experiment, kind: "find" },
    });
    tests.writeText("range-test.json", JSON.stringify(fakeRangeTest({ seeds: 3 })));
    server = await serve({ folders: [runs()] });
    const listed = (await (await fetch(`http://127.0.0.1:${server.port}/api/studies`)).json()) as {
      studies: { id: string; name: string }[];
    };
    for (const { id, name } of listed.studies) ids[name] = id;
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    });
  });
  beforeEach(async () => {
    context = await browser.newContext({ acceptDownloads: true });
    return () => context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** What tells that a page is there. */
  const PAGES: Readonly<Record<string, () => { hash: string; there: string }>> = {
    studies: () => ({ hash: "", there: "tbody tr" }),
    study: () => ({ hash: `#/study/${ids.compared}`, there: "#differences table" }),
    "range test": () => ({ hash: `#/range-test/${ids.found}`, there: ".draggable svg path" }),
    schedules: () => ({ hash: "#/schedules", there: ".explorer svg path" }),
    together: () => ({ hash: `#/together/${ids.compared}/${ids.other}`, there: "main table" }),
    start: () => ({ hash: "#/start", there: "form pre" }),
    figure: () => ({
      ...{ hash: `figure#/${ids.compared}/accuracy-validation`, there: ".chart svg path" },
    }),
  };

  const views = Object.keys(PAGES).flatMap((name) =>
    (
      [
        [360, false],
        [390, false],
        [390, true],
        [1400, false],
        [1400, true],
        [3840, true],
      ] as const
    ).map(([width, dark]) => [name, width, dark] as const),
  );
  test.each(views)(
    "%s at %i pixels, dark %s: axe-core finds nothing, nothing scrolls sideways",
    async (name, width, dark) => {
      const { hash, there } = PAGES[name]!();
      const page = await open(hash, { width, dark });
      await until(page, (selector) => document.querySelector(selector), there);
      // Its content security policy lets no script in but the client's; the debugger is above it.
      const findings = await page
        .evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }) })()`)
        .then(
          (result) =>
            (
              result as {
                violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
              }
            ).violations,
        );
      expect(
        findings.map(
          ({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`,
        ),
      ).toEqual([]);
      const [scroll, client] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      expect(scroll).toBe(client);
      if (pictures) {
        mkdirSync(pictures, { recursive: true });
        await page.screenshot({
          path: join(pictures, `${name.replace(" ", "-")}-${width}-${dark ? "dark" : "light"}.png`),
          fullPage: true,
        });
      }
    },
  );

  test("bounds of a range test are dragged, and cycle, command and address follow", async () => {
    const page = await open(`#/range-test/${ids.found}`);
    await until(page, () => document.querySelector("pre")?.textContent?.includes("--max-lr"));
    const command = () => page.textContent("section pre");
    const cycle = () =>
      page.evaluate(() => document.querySelectorAll(".chart > svg")[1]!.innerHTML);
    const [before, drawn] = [await command(), await cycle()];
    const box = (await page.locator(".draggable > svg").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.7, box.y + 150);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 150, { steps: 4 });
    await page.mouse.up();
    expect(await command()).not.toBe(before);
    expect(await cycle()).not.toBe(drawn);
    await page.getByLabel("Lower bound of sgd+clr").fill("0.002");
    await page.keyboard.press("Enter");
    expect(await command()).toContain("--base-lr 2e-3");
    const said = await command();
    await page.reload();
    await until(page, (text) => document.querySelector("section pre")?.textContent === text, said!);
  });

  test("a schedule is changed by sliders and by JSON, and stays in the address", async () => {
    const page = await open("#/schedules");
    await page.getByLabel("Family").selectOption("cosineDecay");
    await page.getByLabel("peak, as a number").fill("0.25");
    await until(
      page,
      () =>
        document.querySelector("pre")?.textContent ===
        "cosineDecay({ peak: 0.25, floor: 0.001, steps: 1000 })",
    );
    await page.reload();
    await until(page, () => document.querySelector("pre")?.textContent?.includes("peak: 0.25"));
    await page
      .getByLabel("JSON, which can be edited")
      .fill('{ "type": "cosineDecay", "peak": -1, "steps": 10 }');
    await page.keyboard.press("Tab");
    await until(page, () =>
      document.querySelector("[role=alert]:not([hidden])")?.textContent?.includes("peak"),
    );
  });

  test("studies side by side: all their arms, and only what differs", async () => {
    const page = await open("");
    await page.getByLabel("Choose compared").check();
    await page.getByLabel("Choose other").check();
    await page.getByRole("link", { name: "Set side by side" }).click();
    // One of the two may be heard of before the other.
    await until(page, () =>
      ["rmsprop", "sgd+clr"].every((arm) =>
        document.querySelector(".chart svg")?.textContent?.includes(arm),
      ),
    );
    const rows = await page.locator("main table tbody th").allTextContents();
    expect(rows).toContain("engine");
    expect(rows).not.toContain("network");
    expect(await page.locator(".legend button").count()).toBe(4);
  });

  test("an arm's mistakes have their photos", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await until(page, () => document.querySelectorAll(".mistakes img").length > 0);
    expect(
      await page.evaluate(() =>
        [...document.querySelectorAll<HTMLImageElement>(".mistakes img")].every((image) =>
          image.src.startsWith("data:image/"),
        ),
      ),
    ).toBe(true);
    expect(await page.locator("#per-class h3").first().textContent()).toContain(
      "Which classes are taken for which",
    );
  });

  test("what is taken away: charts as SVG and PNG, epochs as CSV, results as LaTeX, one page", async () => {
    // A page that takes more than ten files one after another is asked about by Chromium: each has its own.
    const taken = async (name: string, role: "button" | "link", files: number) => {
      const page = await open(`#/study/${ids.compared}`);
      await until(page, () => document.querySelector("#differences table"));
      await page.getByText("Export", { exact: true }).click();
      const downloads: Download[] = [];
      page.on("download", (download) => downloads.push(download));
      await page.getByRole(role, { name }).click();
      await expect.poll(() => downloads.length, { timeout: 50_000 }).toBe(files);
      const read = downloads.map(
        async (download) =>
          [download.suggestedFilename(), readFileSync(await download.path())] as const,
      );
      const found = new Map(await Promise.all(read));
      await page.close();
      return found;
    };
    const svgs = await taken("SVG of the charts", "button", 4);
    expect([...svgs.keys()].sort()).toEqual([
      "accuracy-training.svg",
      "accuracy-validation.svg",
      "loss-training.svg",
      "loss-validation.svg",
    ]);
    const svg = String(svgs.get("accuracy-validation.svg"));
    const body = await (await open("#/studies")).evaluate(
      (text) =>
        new DOMParser().parseFromString(text, "image/svg+xml").querySelector("parsererror") ===
        null,
      svg,
    );
    expect([body, svg.includes("prefers-color-scheme: dark")]).toEqual([true, true]);
    const pngs = await taken("PNG of the charts", "button", 4);
    for (const png of pngs.values()) expect(png.subarray(1, 4).toString()).toBe("PNG");
    const csv = await taken("CSV of every epoch", "link", 1);
    expect(String(csv.get("metrics.csv"))).toBe(
      metricsCsv(readRun(join(runs(), "compared")).trials),
    );
    const tex = String((await taken("LaTeX of the results", "button", 1)).get("results.tex"));
    expect(tex).toMatch(/^\\begin\{tabular\}\{lrrrr\}\n\\toprule\narm & final accuracy, \\% & /);
    expect(tex).toMatch(/sgd\+clr & [\d.]+\\ \[[\d.]+, [\d.]+\] & /);
    const html = String((await taken("One HTML page", "link", 1)).get("report.html"));
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/(src|href)="https?:/);
  });
});
