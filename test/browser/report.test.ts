/**
 * @file The report as a browser lays it out: nothing is clipped, nothing overlaps, nothing scrolls
 * sideways, nothing is fetched. Needs Chromium; skipped where there is none.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ReportInput, renderReport } from "../../src/report/index.ts";
import {
  fakeComparison,
  fakeConfusions,
  fakeExperiment,
  fakeRangeTest,
  fakeSamples,
} from "../report/fake-records.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const why = executablePath ? "" : " (skipped: no Chromium at /usr/bin/chromium)";

const longNames = (): ReportInput => {
  const input = fakeComparison({ epochs: 3, arms: ["adam", "sgd+clr"] });
  const rename = (name: string) => `${name}-with-a-very-long-name-and-WWWWW@1.2345e-3`;
  for (const arm of input.experiment.arms) arm.name = rename(arm.name);
  for (const { trial } of input.trials) trial.arm = rename(trial.arm);
  input.experiment.dataset.classes[0]!.name = `${"WÜÄ".repeat(30)} and more`;
  input.experiment.dataset.broken.push({ file: `${"deep/".repeat(60)}x.jpg`, reason: "empty" });
  return input;
};

/** Twenty arms at twenty rates. */
const manyArms = (): ReportInput => {
  const input = fakeComparison({ arms: ["adam"], seeds: 2, epochs: 4 });
  const [arm] = input.experiment.arms;
  const names = Array.from({ length: 20 }, (_, i) => `adam@${i + 1}e-4`);
  input.experiment.arms = names.map((name, i) => ({ ...arm!, name, slug: `adam-${i}` }));
  return {
    ...input,
    trials: names.flatMap((name, i) =>
      input.trials.map(({ trial, metrics }) => ({
        trial: { ...trial, arm: name, schedule: { type: "constant", rate: (i + 1) * 1e-4 } },
        metrics,
      })),
    ),
  };
};

const inputs: Readonly<Record<string, () => ReportInput>> = {
  comparison: () => ({
    ...fakeComparison({ diverged: { rmsprop: [4, 3, 5] } }),
    samples: fakeSamples(),
    confusions: fakeConfusions(),
  }),
  "150 epochs": () => fakeComparison({ epochs: 150, diverged: { rmsprop: [null, 60, null] } }),
  "range test": () => ({
    ...fakeComparison(),
    trials: [],
    rangeTests: [
      fakeRangeTest({ from: 1e-7, to: 0.1 }),
      fakeRangeTest({ diverges: true, seeds: 8 }),
    ],
  }),
  "long names": longNames,
  "twenty arms": manyArms,
  "one arm": () => ({
    ...fakeComparison({ arms: ["adam"], seeds: 1, epochs: 1 }),
    experiment: { ...fakeExperiment({ arms: ["adam"], seeds: 1, epochs: 1 }), kind: "train" },
  }),
};

describe.skipIf(!executablePath)(`the report in a browser${why}`, () => {
  let browser: Browser;
  let directory: string;
  const files: Record<string, string> = {};

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "lrscope-report-"));
    for (const [name, input] of Object.entries(inputs)) {
      const { html } = await renderReport(input());
      files[name] = join(directory, `${name.replaceAll(" ", "-")}.html`);
      writeFileSync(files[name], html);
    }
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
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(name: string, width: number, colorScheme: "light" | "dark" = "light") {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(files[name]!).href);
    return { page, requests };
  }

  const cases = Object.keys(inputs).flatMap((name) =>
    [360, 768, 1200].map((width) => [name, width] as const),
  );

  test.each(cases)(
    "%s at %i px: no sideways scroll, no label clipped or covered",
    async (name, width) => {
      const { page, requests } = await open(name, width);
      try {
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
          width,
        );
        expect(await labelFaults(page)).toEqual([]);
        expect(
          requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:")),
        ).toEqual([]);
      } finally {
        await page.close();
      }
    },
  );

  test("dark follows the reader's preference, and data-theme overrides it", async () => {
    const { page } = await open("comparison", 1200, "dark");
    try {
      const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(await paper()).toBe("rgb(20, 23, 28)");
      await page.evaluate(() => document.documentElement.setAttribute("data-theme", "light"));
      expect(await paper()).toBe("rgb(255, 255, 255)");
    } finally {
      await page.close();
    }
  });

  describe("with its script", () => {
    const figure = (page: Page, name: string) => page.locator(`figure[data-plot="${name}"]`);
    const drawing = (page: Page, name: string) =>
      figure(page, name).locator("svg.wide").innerHTML();
    const press = (page: Page, name: string) =>
      page.locator("#curves").getByRole("button", { name, exact: true }).click();

    test("hover tells epoch, and each arm's mean, band and seeds", async () => {
      const { page } = await open("150 epochs", 1200);
      try {
        const target = figure(page, "accuracy-validation");
        await target.scrollIntoViewIfNeeded();
        const box = (await target.locator("svg.wide").boundingBox())!;
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        const tip = page.locator(".tip");
        expect(await tip.isVisible()).toBe(true);
        expect(await tip.locator("b").textContent()).toMatch(/^epoch \d+$/);
        const rows = await tip.locator("tr").allTextContents();
        expect(rows).toHaveLength(6);
        const adam = rows.find((text) => text.startsWith("adam") && !text.startsWith("adamax"));
        expect(adam).toMatch(/^adam\d\d\.\d%\d\d\.\d% – \d\d\.\d%n = 3$/);
        await page.keyboard.press("Escape");
        expect(await tip.isVisible()).toBe(false);
      } finally {
        await page.close();
      }
    });

    test("a click on the legend hides a line; another draws the figure as it was written", async () => {
      const { page } = await open("150 epochs", 1200);
      try {
        const before = await drawing(page, "accuracy-validation");
        expect(before).toContain(">adam ");
        await press(page, "adam");
        const hidden = await drawing(page, "accuracy-validation");
        expect(hidden).not.toContain(">adam ");
        expect(hidden).toContain(">adamax ");
        expect(await drawing(page, "loss-training")).not.toContain(">adam<");
        await press(page, "adam");
        expect(await drawing(page, "accuracy-validation")).toBe(before);
      } finally {
        await page.close();
      }
    });

    test("axes and bands are switched, and labels stay apart", async () => {
      const { page } = await open("150 epochs", 1200);
      try {
        const accuracy = await drawing(page, "accuracy-validation");
        await press(page, "log loss");
        expect(await drawing(page, "loss-validation")).toContain("(log scale)");
        expect(await drawing(page, "accuracy-validation")).toBe(accuracy);
        await press(page, "by second");
        expect(await drawing(page, "accuracy-validation")).toContain(
          ">minutes of training and validation",
        );
        const range = await drawing(page, "accuracy-validation");
        await press(page, "95% interval");
        expect(await drawing(page, "accuracy-validation")).not.toBe(range);
        await press(page, "no band");
        expect(await drawing(page, "accuracy-validation")).not.toMatch(/d="[^"]*Z"/);
        expect(await labelFaults(page)).toEqual([]);
      } finally {
        await page.close();
      }
    });

    test("arrow keys move through the epochs", async () => {
      const { page } = await open("comparison", 1200);
      try {
        await figure(page, "accuracy-validation").focus();
        const heading = () => page.locator(".tip b").textContent();
        await page.keyboard.press("ArrowRight");
        expect(await heading()).toBe("epoch 1");
        await page.keyboard.press("ArrowRight");
        expect(await heading()).toBe("epoch 2");
        await page.keyboard.press("End");
        expect(await heading()).toBe("epoch 10");
      } finally {
        await page.close();
      }
    });

    test("every control has a name and a state, every figure a description", async () => {
      const { page } = await open("comparison", 1200);
      try {
        const bare = await page.evaluate(
          () =>
            [
              ...[...document.querySelectorAll("button")].filter(
                (button) => !button.textContent?.trim() || !button.hasAttribute("aria-pressed"),
              ),
              ...[...document.querySelectorAll("figure > svg")].filter(
                (svg) => !svg.getAttribute("aria-label"),
              ),
              ...[...document.querySelectorAll("img")].filter((img) => !img.alt),
              ...[...document.querySelectorAll("th")].filter((th) => !th.scope),
            ].length,
        );
        expect(bare).toBe(0);
      } finally {
        await page.close();
      }
    });

    test("on a phone nothing that it adds makes the page scroll sideways", async () => {
      const { page } = await open("comparison", 390);
      try {
        await figure(page, "accuracy-validation").focus();
        await page.keyboard.press("End");
        expect(await page.locator(".tip").isVisible()).toBe(true);
        const box = (await page.locator(".tip").boundingBox())!;
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(390);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      } finally {
        await page.close();
      }
    });
  });

  test.each([400, 1200])("tables that scroll say so, and no others: %i px", async (width) => {
    const { page } = await open("comparison", width);
    try {
      const found = await page.evaluate(() => {
        for (const folded of document.querySelectorAll("details")) folded.open = true;
        window.dispatchEvent(new Event("resize"));
        return [...document.querySelectorAll(".scroll")].map((table) => ({
          scrolls: table.scrollWidth > table.clientWidth + 1,
          said: getComputedStyle(table.previousElementSibling!).display !== "none",
        }));
      });
      expect(found.length).toBeGreaterThan(2);
      for (const { scrolls, said } of found) expect(said).toBe(scrolls);
      if (width === 400) expect(found.some(({ scrolls }) => scrolls)).toBe(true);
    } finally {
      await page.close();
    }
  });

  test("the dot of an arm stands beside its name, however long that is", async () => {
    const { page } = await open("long names", 400);
    try {
      const apart = await page.evaluate(() =>
        [...document.querySelectorAll("table.arms th:has(.swatch)")].map((cell) => {
          const text = document.createRange();
          text.selectNodeContents(cell.lastChild!);
          const [line] = text.getClientRects();
          const dot = cell.querySelector(".swatch")!.getBoundingClientRect();
          return Math.abs((line!.top + line!.bottom) / 2 - (dot.top + dot.bottom) / 2);
        }),
      );
      expect(apart.length).toBeGreaterThan(1);
      for (const distance of apart) expect(distance).toBeLessThan(4);
    } finally {
      await page.close();
    }
  });

  describe.each(["comparison", "long names", "twenty arms", "range test"])(
    "%s on paper",
    (name) => {
      test("A4, nothing beside the sheet, and what is folded on the page is printed", async () => {
        const page = await browser.newPage({
          viewport: { width: 695, height: 1016 },
          colorScheme: "dark",
        });
        try {
          await page.goto(pathToFileURL(files[name]!).href);
          const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
          const sheets = [...pdf.matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)];
          expect(sheets.length).toBeGreaterThan(0);
          for (const [, width, height] of sheets) {
            expect(Number(width)).toBeCloseTo(595.3, -0.5);
            expect(Number(height)).toBeCloseTo(841.9, -0.5);
          }
          await page.emulateMedia({ media: "print" });
          const seen = await page.evaluate(() => ({
            width: document.documentElement.scrollWidth,
            wide: [...document.querySelectorAll(".scroll")].filter(
              (table) => table.scrollWidth > table.clientWidth + 1,
            ).length,
            shown: [
              ...document.querySelectorAll<HTMLElement>(".controls,.tip,.hint,.contents"),
            ].filter((one) => getComputedStyle(one).display !== "none").length,
            paper: getComputedStyle(document.body).backgroundColor,
            // A figure that is taller than a sheet would lie on what follows it.
            tall: [...document.querySelectorAll("figure svg.wide")].filter(
              (svg) => svg.getBoundingClientRect().height > 900,
            ).length,
            folded: [...document.querySelectorAll("details")].filter(
              (one) => one.lastElementChild!.getBoundingClientRect().height < 5,
            ).length,
          }));
          expect(seen).toEqual({
            ...{ width: 695, wide: 0, shown: 0, tall: 0, folded: 0 },
            paper: "rgb(255, 255, 255)",
          });
          expect(await labelFaults(page)).toEqual([]);
        } finally {
          await page.close();
        }
      });
    },
  );

  test("without scripts every figure is there, and no control", async () => {
    const page = await browser.newPage({ javaScriptEnabled: false });
    try {
      await page.goto(pathToFileURL(files.comparison!).href);
      expect(await page.locator("button").count()).toBe(0);
      const figures = page.locator("figure svg.wide");
      expect(await figures.count()).toBeGreaterThan(8);
      for (const svg of await figures.all())
        expect((await svg.boundingBox())!.height).toBeGreaterThan(50);
    } finally {
      await page.close();
    }
  });
});

/** Labels of the figures on view that leave their figure, or lie on one another. */
function labelFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    for (const svg of document.querySelectorAll("figure svg")) {
      const frame = svg.getBoundingClientRect();
      if (frame.width === 0) continue;
      const labels = [...svg.querySelectorAll("text")]
        .filter((text) => text.textContent?.trim())
        .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
      const about = svg.getAttribute("aria-label")?.slice(0, 40);
      for (const { text, box } of labels)
        if (
          box.left < frame.left - 1 ||
          box.right > frame.right + 1 ||
          box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1
        )
          faults.push(`${about}: "${text}" is clipped`);
      for (const [i, a] of labels.entries())
        for (const b of labels.slice(i + 1)) {
          const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
          const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
          if (across > 1 && down > 3 && a.text !== "×" && b.text !== "×")
            faults.push(`${about}: "${a.text}" lies on "${b.text}"`);
        }
    }
    return faults;
  });
}
