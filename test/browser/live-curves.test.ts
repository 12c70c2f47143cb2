/**
 * @file What the curves of the live page are made of, in Chromium: all points and all seeds, on each axis, smoothed over
 * what was measured; and all runs, however many there are. Needs Chromium; skipped where there is none.
 */

import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../../src/core/at.ts";
import type { TrialHistory } from "../../src/record/index.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";
import { idsOf, until } from "./live-browser.ts";

/** An arm with settings in its name. */
const OWN = "adam(beta1=0.8,beta2=0.99)@1e-3";

describe.skipIf(noChromium !== "")(`curves of the live page${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const few = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 3, epochs: 20 });
  const long = fakeComparison({ arms: ["sgd+clr"], seeds: 3, epochs: 3000 });
  const many = fakeComparison({ seeds: 50, epochs: 6 });
  let server: RunningServer;
  let ids: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const named = (name: string) => (name === "adam" ? OWN : name);
    writeRun(join(runs(), "few"), {
      experiment: {
        ...few.experiment,
        arms: few.experiment.arms.map((arm) => ({ ...arm, name: named(arm.name) })),
      },
      trials: few.trials.map(({ trial, metrics }) => ({
        trial: { ...trial, arm: named(trial.arm) },
        metrics,
      })),
    });
    // One seed's training loss is far out, and no validation loss.
    writeRun(join(runs(), "far"), {
      ...few,
      trials: few.trials.map(({ trial, metrics }, i) => ({
        trial,
        metrics: metrics.map((line, epoch) =>
          i === 0 && epoch === 9 ? { ...line, trainLoss: 700 } : line,
        ),
      })),
    });
    writeRun(join(runs(), "long"), long);
    writeRun(join(runs(), "many"), many);
    server = await serve({ folders: [runs()] });
    ids = await idsOf(server.port);
  });
  afterAll(() => server?.close());

  const open = async (name: string, state = ""): Promise<Page> => {
    const page = await chromium.page();
    await page.goto(`http://127.0.0.1:${server.port}/#/study/${ids.get(name)}${state}`);
    await until(page, () => document.querySelector("#results table"));
    return page;
  };
  const texts = (page: Page) =>
    page.locator(".chart > svg").first().locator("text").allTextContents();
  /** Of the first chart: how many points each line has, and how it is drawn. */
  const lines = (page: Page) =>
    page
      .locator(".chart > svg")
      .first()
      .locator("path[fill=none]")
      .evaluateAll((all) =>
        all.map((path) => ({
          points: path.getAttribute("d")!.match(/[ML]/g)!.length,
          opacity: Number(path.getAttribute("opacity") ?? 1),
          colour: path.getAttribute("stroke"),
        })),
      );
  const bands = (page: Page) =>
    page.locator(".chart > svg").first().locator("path:not([fill=none])").count();
  const inked = (page: Page) =>
    page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".chart canvas")!;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    });

  test("without a choice: a mean and a band an arm, and the seeds behind", async () => {
    const page = await open("few");
    expect((await lines(page)).map(({ points }) => points)).toEqual([20, 20]);
    expect([await bands(page), await inked(page)]).toEqual([2, true]);
    await page.getByLabel("seeds", { exact: true }).uncheck();
    await expect.poll(() => inked(page), { timeout: 20_000 }).toBe(false);
    expect(await bands(page)).toBe(2);
  });

  test.each([
    ["by epoch", "epoch", ["2", "10", "20"], ["1", "2", "5", "10", "20"]],
    ["by second", "minutes of training and validation", ["1", "2", "3"], ["0.2", "0.5", "1", "2"]],
    ["by update", "update", ["200", "400", "600", "800", "1,000"], ["100", "200", "500", "1,000"]],
  ])(
    "%s, on a linear scale and on a logarithmic one",
    async (choice, title, ticks, logarithmic) => {
      const page = await open("few");
      await page.getByRole("button", { name: choice }).click();
      await expect
        .poll(() => texts(page), { timeout: 20_000 })
        .toContainEqual(expect.stringContaining(title));
      for (const tick of ticks) expect(await texts(page)).toContain(tick);
      const linear = await page.locator(".chart > svg").first().innerHTML();
      await page.getByLabel("log", { exact: true }).check();
      await expect
        .poll(() => texts(page), { timeout: 20_000 })
        .toContainEqual(expect.stringMatching(new RegExp(`${title}.*\\(log scale\\)$`)));
      expect(await page.locator(".chart > svg").first().innerHTML()).not.toBe(linear);
      // In the unit that the title says, from the first epoch on.
      expect(
        await page
          .locator(".chart > svg")
          .first()
          .locator("text[text-anchor=middle]")
          .allTextContents(),
      ).toEqual([...logarithmic, expect.stringContaining(title)]);
      expect((await lines(page)).map(({ points }) => points)).toEqual([20, 20]);
      await page.reload();
      await expect
        .poll(() => texts(page), { timeout: 20_000 })
        .toContainEqual(expect.stringContaining("(log scale)"));
    },
  );

  test("a smoothed line has behind it, faintly, what was measured", async () => {
    const page = await open("few");
    const measured = () =>
      page
        .locator(".chart > svg")
        .first()
        .locator("path[fill=none]")
        .evaluateAll((all) =>
          all
            .filter((path) => path.hasAttribute("opacity") || all.length === 2)
            .map((path) => path.getAttribute("d")),
        );
    const before = await measured();
    await page.getByLabel("Smoothing").fill("0.8");
    await expect
      .poll(async () => (await lines(page)).map(({ opacity }) => opacity), { timeout: 20_000 })
      .toEqual([0.3, 1, 0.3, 1]);
    expect(await measured()).toEqual(before);
    expect(await page.textContent("main")).toContain(
      "w = 0.8; what was measured stands faintly behind.",
    );
  });

  test("what shows the points that an axis leaves out is offered, be it of one chart alone", async () => {
    const page = await open("far");
    const caption = page.locator(".chart", { hasText: "training loss" }).locator("figcaption");
    await expect
      .poll(() => caption.textContent(), { timeout: 20_000 })
      .toContain("up to 700); “log” or “whole” shows all.");
    await page.getByRole("button", { name: "whole loss" }).click();
    await expect.poll(() => caption.textContent(), { timeout: 20_000 }).toBe("");
  });

  test("an arm's own colour survives reloading, whatever its name", async () => {
    const page = await open("few");
    await page.getByLabel(`Colour of ${OWN}`).fill("#aa5500");
    const colours = async () => (await lines(page)).map(({ colour }) => colour);
    await expect.poll(colours, { timeout: 20_000 }).toContain("#aa5500");
    await page.reload();
    await expect.poll(colours, { timeout: 20_000 }).toContain("#aa5500");
    expect(await page.getByLabel(`Colour of ${OWN}`).inputValue()).toBe("#aa5500");
  });

  const meanAt = (trials: readonly TrialHistory[], epoch: number) =>
    trials.reduce(
      (sum, { metrics }) => sum + at(metrics, epoch - 1, "metrics").validationAccuracy!,
      0,
    ) / trials.length;

  test("a mean is over every seed at every one of three thousand epochs", async () => {
    const page = await open("long", "?seeds=0");
    expect((await lines(page)).map(({ points }) => points)).toEqual([3000]);
    await page.locator(".chart").first().focus();
    for (const [key, epoch] of [
      ["Home", 1],
      ["ArrowRight", 2],
      ["PageDown", 12],
      ["End", 3000],
    ] as const) {
      await page.keyboard.press(key);
      const tip = page.locator(".chart .tip").first();
      await expect
        .poll(() => tip.locator("b").textContent(), { timeout: 20_000 })
        .toBe(`epoch ${epoch.toLocaleString("en")}`);
      expect(await tip.locator("td").allTextContents()).toContain(
        `${(100 * meanAt(long.trials, epoch)).toFixed(1)}%`,
      );
      expect(await tip.locator("td").last().textContent()).toBe("n = 3");
    }
  });

  test("three hundred runs are three hundred rows, and each is in its arm's mean", async () => {
    const page = await open("many");
    await expect
      .poll(() => page.locator("#trials tbody tr").count(), { timeout: 20_000 })
      .toBe(300);
    await page.locator(".chart").first().focus();
    await page.keyboard.press("End");
    const tip = page.locator(".chart .tip").first();
    const counts = tip.locator("td:last-child");
    expect(await counts.allTextContents()).toEqual(Array(6).fill("n = 50"));
    const adam = many.trials.filter(({ trial }) => trial.arm === "adam");
    expect(adam).toHaveLength(50);
    expect(
      await tip
        .locator("tr", { hasText: /^adam\d/ })
        .locator("td")
        .nth(2)
        .textContent(),
    ).toBe(`${(100 * meanAt(adam, 6)).toFixed(1)}%`);
  });
});
