/**
 * @file One figure, three places: what the live page gives as SVG is the file that the report leaves, byte for byte, at
 * the same width and choices; and the page draws the same. Needs Chromium; skipped where there is none.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HALF, WIDE } from "../../src/report/draw.ts";
import { MEASURES } from "../../src/report/figures/curves.ts";
import { renderReport } from "../../src/report/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { readRun } from "../../src/store/index.ts";
import { fakeComparison, fakeConfusions, fakeSamples } from "../report/fake-records.ts";
import { folderOfRuns, writePhotos, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";
import { idsOf, until } from "./live-browser.ts";

/** Pixels of a page beside its charts. */
const BESIDE = 32;

describe.skipIf(noChromium !== "")(`a figure in three places${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const path = () => join(runs(), "study");
  let server: RunningServer;
  let id = "";

  beforeAll(async () => {
    // A seed that diverged, an arm that did, and losses that a linear axis cuts off.
    const directory = writeRun(
      path(),
      fakeComparison({ epochs: 20, diverged: { rmsprop: [4, 3, 5], adam: [null, 6, null] } }),
    );
    writePhotos(directory);
    server = await serve({ folders: [runs()] });
    id = (await idsOf(server.port)).get("study") ?? "";
  });
  afterAll(() => server?.close());

  const open = async (hash: string, width: number, dark = false): Promise<Page> => {
    const page = await chromium.page({ width, dark });
    await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
    return page;
  };
  const study = async (state: string, width: number, dark = false): Promise<Page> => {
    const page = await open(`#/study/${id}${state}`, width + BESIDE, dark);
    await until(page, () => document.querySelector("#differences table"));
    const drawn = await page
      .locator(".chart > svg")
      .evaluateAll((all) => all.map((svg) => (svg as SVGSVGElement).viewBox.baseVal.width));
    expect(drawn).toEqual(Array(4).fill(width));
    return page;
  };
  const taken = async (page: Page, role: "button" | "link", name: string, files: number) => {
    await page.getByText("Export", { exact: true }).click();
    const downloads: Download[] = [];
    page.on("download", (download) => downloads.push(download));
    await page.getByRole(role, { name }).click();
    await expect.poll(() => downloads.length, { timeout: 50_000 }).toBe(files);
    const read = downloads.map(
      async (each) => [each.suggestedFilename(), readFileSync(await each.path())] as const,
    );
    return new Map(await Promise.all(read));
  };
  const reported = () => {
    const run = readRun(path());
    return renderReport({ ...run, samples: fakeSamples(), confusions: fakeConfusions() });
  };

  test.each([
    ["as it is without a choice", "", ""],
    ["with the interval for a band", "?band=interval", "-interval"],
  ])("%s, the SVG that is saved is the report's file", async (_, state, end) => {
    const { figures, html } = await reported();
    const isHalf = (name: string) => name.endsWith("-training");
    for (const width of [WIDE, HALF]) {
      const page = await study(state, width);
      const saved = await taken(page, "button", "SVG of the charts", 4);
      const own = MEASURES.filter(({ name }) => isHalf(name) === (width === HALF));
      expect(own).toHaveLength(2);
      for (const { name } of own) {
        const file = String(saved.get(`${name}.svg`));
        expect(file, name).toBe(figures[`${name}${end}.svg`]);
        // In the report's page colours are variables, and the drawing is the same.
        if (end !== "") continue;
        const shown = await page.evaluate(
          ({ title, text }) => {
            const svg = [...document.querySelectorAll(".chart > svg")].find((each) =>
              each.getAttribute("aria-label")?.startsWith(title),
            );
            const found = [
              ...new DOMParser().parseFromString(text, "text/html").querySelectorAll("figure svg"),
            ].find(
              (each) =>
                each.getAttribute("aria-label") === svg?.getAttribute("aria-label") &&
                each.getAttribute("class") === "wide",
            );
            return [svg?.innerHTML, found?.innerHTML];
          },
          { title: /<title>(.*?) against/.exec(file)?.[1] ?? "", text: html },
        );
        expect(shown[0]?.length, name).toBeGreaterThan(1000);
        expect(shown[0], name).toBe(shown[1]);
      }
    }
  });

  test("with other choices, the SVG that is saved is what the page shows", async () => {
    const state =
      "?across=second&log=1&loss=log&band=sd&smooth=0.4&hide=adagrad&colour=adam%3D%23aa5500";
    const page = await study(state, WIDE);
    const saved = await taken(page, "button", "SVG of the charts", 4);
    for (const [i, { name }] of MEASURES.entries()) {
      const [shown, file] = await page.evaluate(
        ({ place, text }) => {
          const style = getComputedStyle(document.documentElement);
          // The file has the colours themselves.
          const plain = (markup: string) =>
            markup.replace(/var\((--lr-[a-z0-9]+)\)/g, (_, name) => style.getPropertyValue(name));
          const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
          made.innerHTML = text.slice(text.indexOf("<g "), text.lastIndexOf("</svg>"));
          const svg = document.querySelectorAll(".chart > svg")[place]!;
          return [plain(svg.innerHTML), made.innerHTML];
        },
        { place: i, text: String(saved.get(`${name}.svg`)) },
      );
      expect(shown, name).toContain("minutes of training and validation");
      expect(shown, name).toContain("#aa5500");
      expect(file, name).toBe(shown);
    }
  });

  test("a figure alone, for a frame, is the chart of the page", async () => {
    const state = "?across=update&band=interval&hide=adagrad";
    const page = await study(state, WIDE);
    const alone = await open(`figure#/${id}/loss-validation${state}`, WIDE + 16);
    await until(alone, () => document.querySelectorAll(".chart svg path").length > 4);
    const drawing = (of: Page, place: number) =>
      of.evaluate((i) => {
        const svg = document.querySelectorAll<SVGSVGElement>(".chart > svg")[i]!;
        return [svg.viewBox.baseVal.width, svg.innerHTML];
      }, place);
    expect(await drawing(alone, 0)).toEqual(await drawing(page, 2));
  });

  test("one HTML page is the report, byte for byte", async () => {
    const page = await study("", WIDE);
    const saved = await taken(page, "link", "One HTML page", 1);
    expect(String(saved.get("report.html"))).toBe((await reported()).html);
  });

  test.each([
    ["light", [255, 255, 255]],
    ["dark", [20, 23, 28]],
  ] as const)("a PNG has the paper of the theme that is shown: %s", async (theme, paper) => {
    const page = await study("", WIDE, theme === "dark");
    const saved = await taken(page, "button", "PNG of the charts", 4);
    const png = saved.get("accuracy-validation.png")!.toString("base64");
    const blank = await chromium.page();
    const { size, corner, ink } = await blank.evaluate(async (data) => {
      const image = await createImageBitmap(
        await (await fetch(`data:image/png;base64,${data}`)).blob(),
      );
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d")!;
      context.drawImage(image, 0, 0);
      const pixels = context.getImageData(0, 0, image.width, image.height).data;
      let ink = 0;
      for (let i = 0; i < pixels.length; i += 4) if (pixels[i] !== pixels[0]) ink++;
      return { size: [image.width, image.height], corner: [...pixels.slice(0, 3)], ink };
    }, png);
    expect(corner).toEqual(paper);
    expect(size[0]).toBe(2 * (WIDE + 32));
    expect(ink).toBeGreaterThan(5000);
  });
});
