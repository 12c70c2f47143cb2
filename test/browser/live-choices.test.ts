/**
 * @file What a reader chooses on the live page, in Chromium, and what no choice changes: best and last, spreads in
 * tables, runs that are hidden, an arm's settings beside its curves, a figure within another page, a range test that
 * grows. Needs Chromium; skipped where there is none.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type EpochMetrics,
  type RangeTestRecord,
  type StudyEvent,
  versioned,
} from "../../src/record/index.ts";
import { type ServingPage, serve } from "../../src/server/index.ts";
import { acquireLease, type RunDirectory } from "../../src/store/index.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";

describe.skipIf(noChromium !== "")(`choices on the live page${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const input = fakeComparison({
    arms: ["adam", "sgd+clr", "rmsprop"],
    epochs: 10,
    diverged: { rmsprop: [4, 3, 5], adam: [null, 6, null] },
  });
  const ids: Record<string, string> = {};
  let server: ServingPage;
  let under: RunDirectory;
  let other: Server;
  const at = (name: string) => join(runs(), name);
  const address = (hash: string) => `http://127.0.0.1:${server.port}/${hash}`;
  const open = async (hash: string): Promise<Page> => {
    const page = await chromium.page();
    await page.goto(address(hash));
    return page;
  };
  const until = (page: Page, what: (argument: string) => unknown, argument = "") =>
    page.waitForFunction(what, argument, { timeout: 50_000 });
  const tables = (page: Page) => until(page, () => document.querySelector("#differences table"));

  beforeAll(async () => {
    // One arm's best epoch lies above the other's, though it ends beneath it; and one loss is far outside.
    for (const { trial, metrics } of input.trials)
      if (trial.arm === "adam" && trial.status === "done")
        (metrics as EpochMetrics[])[4] = {
          ...metrics[4]!,
          validationAccuracy: 0.97,
          validationLoss: 5000,
        };
    writeRun(at("compared"), input);
    const { trial, metrics } = input.trials[0]!;
    writeRun(at("going"), {
      experiment: input.experiment,
      trials: [
        {
          trial: { ...trial, status: "running" },
          metrics: metrics.slice(0, 2).map((line) => ({ ...line, seconds: 60 })),
        },
      ],
    });
    await acquireLease(at("going"));
    const found = fakeComparison({ arms: ["sgd+clr"] });
    under = writeRun(at("under-way"), {
      experiment: { ...found.experiment, kind: "find" },
      trials: [],
    });
    server = await serve({ folders: [runs()], embedIn: ["http://localhost:1"] });
    // Another origin, which shows frames of this one.
    other = createServer((request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(
        `<!doctype html><iframe width="800" height="500" src="${decodeURIComponent(request.url!.slice(2))}"></iframe>`,
      );
    });
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    const { studies } = (await (await fetch(address("api/studies"))).json()) as {
      studies: { id: string; name: string }[];
    };
    for (const { id, name } of studies) ids[name] = id;
  });
  afterAll(async () => {
    await server?.close();
    other?.close();
  });

  test("standings by the last epoch or the best, with the spread that is chosen, in the address too", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await tables(page);
    const first = () => page.locator("#results tbody th").first().textContent();
    const cell = () => page.locator("#results tbody td").first().textContent();
    const pairs = () => page.textContent("#differences");
    expect(await first()).toBe("sgd+clr");
    expect(await cell()).toMatch(/\[[\d.]+, [\d.]+\]/);
    const curves = await page.locator(".chart svg").first().innerHTML();
    await page.getByRole("button", { name: "after each seed’s best epoch" }).click();
    expect(await first()).toBe("adam");
    expect(await pairs()).toContain("Best validation accuracy, first minus second");
    await page
      .getByRole("group", { name: "Spread behind a mean" })
      .getByText("± deviation")
      .click();
    expect(await cell()).toMatch(/± [\d.]+/);
    expect(await pairs()).toMatch(/± [\d.]+/);
    await page
      .getByRole("group", { name: "Spread behind a mean" })
      .getByText("least and greatest")
      .click();
    expect(await cell()).toMatch(/[\d.]+ to [\d.]+/);
    // What is chosen for tables leaves the curves alone.
    expect(await page.locator(".chart svg").first().innerHTML()).toBe(curves);
    expect(page.url()).toContain("rank=best&spread=range");
    await page.reload();
    await tables(page);
    expect([await first(), await cell()]).toEqual(["adam", expect.stringMatching(/ to /)]);
  });

  test("an arm's settings stand beside its curves, by pointer and by focus", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await tables(page);
    const tip = page.getByRole("tooltip");
    const arm = page.getByRole("button", { name: "sgd+clr", exact: true });
    await arm.hover();
    await until(page, () => document.querySelector("[role=tooltip]:not([hidden])"));
    const said = await tip.textContent();
    const { optimizer } = input.trials.find(({ trial }) => trial.arm === "sgd+clr")!.trial;
    expect(said).toContain(`optimizer${optimizer.name}schedule`);
    for (const part of ["triangular", "range test: 0.0979", "epochs10 of 54 updates", "vanilla"])
      expect(said).toContain(part);
    await page.mouse.move(2, 2);
    expect(await tip.isHidden()).toBe(true);
    await page.getByRole("button", { name: "adam", exact: true }).focus();
    expect(await tip.textContent()).toContain("optimizeradam");
    await page.keyboard.press("Escape");
    expect(await tip.isHidden()).toBe(true);
  });

  test("a run is hidden, and no number changes", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await tables(page);
    const all = () =>
      page.evaluate(() => [
        document.querySelector(".results")!.innerHTML,
        ...[...document.querySelectorAll(".chart svg")].map((svg) => svg.innerHTML),
      ]);
    const pixels = () =>
      page.evaluate(() => document.querySelector<HTMLCanvasElement>(".chart canvas")!.toDataURL());
    const [before, seeds] = [await all(), await pixels()];
    await page.getByLabel("Line of sgd+clr, seed 1").uncheck();
    await expect.poll(pixels, { timeout: 20_000 }).not.toBe(seeds);
    expect(await all()).toEqual(before);
    await page.reload();
    await tables(page);
    expect(await page.getByLabel("Line of sgd+clr, seed 1").isChecked()).toBe(false);
  });

  test("failed and diverged runs are hidden, arms that have no other with them, and no mean changes", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await tables(page);
    const ends = () =>
      page.evaluate(() =>
        [...document.querySelectorAll(".chart svg text")]
          .map((each) => each.textContent!)
          .filter((text) => /^(adam|sgd\+clr|rmsprop) /.test(text)),
      );
    const rows = () => page.locator("#trials tbody tr").count();
    const results = () => page.locator(".results").first().innerHTML();
    const [before, numbers] = [await ends(), await results()];
    expect([before.some((text) => text.startsWith("rmsprop")), await rows()]).toEqual([true, 9]);
    await page.getByLabel("failed and diverged").uncheck();
    const left = before.filter((text) => !text.startsWith("rmsprop"));
    await expect.poll(ends, { timeout: 20_000 }).toEqual(left);
    await expect.poll(rows, { timeout: 20_000 }).toBe(5);
    expect(await results()).toBe(numbers);
    expect(await page.textContent("#trials")).toContain("4 that failed or diverged are not shown");
    expect(page.url()).toContain("failed=0");
  });

  test("what the axis leaves out is counted beneath the chart, and a choice shows it", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await tables(page);
    const caption = page.locator(".chart", { hasText: "validation loss" }).locator("figcaption");
    // Two seeds of 5000, and the mean over three that they make.
    expect(await caption.textContent()).toMatch(
      /^\d+ points lie outside of this axis \(\d+ of means, \d+ of single runs; up to 5000\); “log” or “whole” shows all\.$/,
    );
    await page.getByRole("button", { name: "log loss" }).click();
    await expect.poll(() => caption.textContent(), { timeout: 20_000 }).toBe("");
  });

  test("the trial that is open is in the address", async () => {
    const page = await open(`#/study/${ids.compared}`);
    await tables(page);
    await page.getByRole("button", { name: "adam, seed 2" }).click();
    await until(page, () => document.querySelector(".detail pre"));
    expect(page.url()).toContain("trial=adam-2");
    await page.reload();
    await until(page, () =>
      document.querySelector(".detail h3")?.textContent?.includes("adam, seed 2"),
    );
  });

  test("the list says the time that is left, as an estimate, and best by the last epoch or the best", async () => {
    const page = await open("");
    const row = page.locator("tr", { has: page.getByRole("link", { name: "going" }) });
    // 9 runs of 10 epochs but the 2 that are trained, a minute each.
    await until(page, () => document.querySelector("tbody")?.textContent?.includes("left"));
    expect(await row.textContent()).toContain("about 1 h 28 min left");
    const best = page.locator("tr", { has: page.getByRole("link", { name: "compared" }) });
    expect(await best.textContent()).toContain("sgd+clr");
    await page.getByRole("button", { name: "best epoch" }).click();
    await until(page, () =>
      /97\.0%|8\d\.\d%adam|adam/.test(document.querySelector("tbody")!.textContent!),
    );
    expect(await best.locator("td").nth(2).textContent()).toMatch(/%adam$/);
    expect(page.url()).toContain("rank=best");
  });

  test("a figure stands alone at its address, live, and has nothing to press", async () => {
    const page = await open(`figure#/${ids.compared}/loss-validation?loss=log&hide=adam`);
    await until(page, () => document.querySelectorAll(".chart svg path").length > 3);
    expect(await page.textContent("svg")).toContain("validation loss");
    expect(await page.textContent("svg")).not.toContain("adam ");
    expect(await page.locator("button, input, select, textarea").count()).toBe(0);
    const whole = await open(`#/study/${ids.compared}?loss=log&hide=adam`);
    await tables(whole);
    const [alone, among] = await Promise.all([
      page.locator(".chart > svg").getAttribute("viewBox"),
      whole.locator(".chart > svg").nth(2).getAttribute("viewBox"),
    ]);
    expect(alone?.split(" ")[3]).toBe(among?.split(" ")[3]);
  });

  test("another page shows a figure where its origin was named, and never the page that steers", async () => {
    const { port } = other.address() as AddressInfo;
    const named = await serve({ folders: [runs()], embedIn: [`http://localhost:${port}`] });
    try {
      const framed = async (of: ServingPage, path: string, host: string) => {
        const page = await chromium.page();
        const src = `http://127.0.0.1:${of.port}/${path}`;
        await page.goto(`http://${host}:${port}/?${encodeURIComponent(src)}`);
        const frame = async () => {
          const [, inner] = page.frames();
          if (!inner || inner.url() === "about:blank") return "loading";
          if (inner.url().startsWith("chrome-error:")) return "refused";
          const paths = await inner.locator(".chart svg path, nav a").count();
          return paths > 3 ? "shown" : "loading";
        };
        await expect.poll(frame, { timeout: 20_000 }).not.toBe("loading");
        return frame();
      };
      const figure = `figure#/${ids.compared}/accuracy-validation`;
      expect(await framed(named, figure, "localhost")).toBe("shown");
      expect(await framed(named, figure, "127.0.0.1")).toBe("refused");
      expect(await framed(server, figure, "localhost")).toBe("refused");
      expect(await framed(named, `#/study/${ids.compared}`, "localhost")).toBe("refused");
    } finally {
      await named.close();
    }
  });

  test("Embed gives a frame of the chart as it is shown", async () => {
    const page = await open(`#/study/${ids.compared}?smooth=0.5`);
    await tables(page);
    await page.getByText("Export", { exact: true }).click();
    await page.getByText("Embed", { exact: true }).click();
    await page.getByLabel("Chart to embed").selectOption("loss-training");
    expect(await page.getByLabel("Frame for another page").inputValue()).toContain(
      `src="${address(`figure#/${ids.compared}/loss-training?smooth=0.5`)}"`,
    );
  });

  test("a range test that is under way shows its curves as they grow, all seeds, on a page that comes late too", async () => {
    const record: RangeTestRecord = { ...fakeRangeTest({ seeds: 3, points: 60 }), arm: "sgd+clr" };
    const say = (body: object) => server.tell(under.path, versioned(body as never) as StudyEvent);
    const begin = (seed: number) =>
      say({ type: "range-test-started", arm: "sgd+clr", seed, updates: 60 });
    const grow = (seed: number, [from, to]: [number, number]) => {
      for (const { accuracy, update, ...point } of record.runs[seed]!.points.slice(from, to))
        say({
          ...{ type: "range-test-update", arm: "sgd+clr", seed, update: update + 1, updates: 60 },
          ...{ ...point, imagesPerSecond: 100, secondsLeft: 1 },
        });
    };
    const measured = (seed: number) =>
      under.writeText(
        `range-tests/seeds/${seed}.json`,
        `${JSON.stringify({ formatVersion: 1, ...record.runs[seed], seconds: 1 })}\n`,
      );
    const says = (page: Page, text: string) =>
      until(
        page,
        (wanted) => document.querySelector(".growing")?.textContent?.includes(wanted),
        text,
      );
    begin(0);
    grow(0, [0, 10]);
    const page = await open(`#/range-test/${ids["under-way"]}`);
    await says(page, "seed 0: update 10 of 60");
    const length = () =>
      page.evaluate(
        () =>
          [...document.querySelectorAll(".growing svg path")]
            .map((path) => path.getAttribute("d")!.length)
            .sort((a, b) => b - a)[0]!,
      );
    const short = await length();
    grow(0, [10, 40]);
    begin(1);
    grow(1, [0, 5]);
    await says(page, "seed 0: update 40 of 60; seed 1: update 5 of 60");
    expect(await length()).toBeGreaterThan(2 * short);
    measured(0);
    await says(page, "seed 0 is measured; seed 1: update 5 of 60");
    // One that comes now knows all of it, the beginning of the ramp under way too.
    const late = await open(`#/range-test/${ids["under-way"]}`);
    await says(late, "seed 0 is measured; seed 1: update 5 of 60");
    expect(await late.locator(".growing .chart > svg").textContent()).toContain("seed 1");
    measured(1);
    measured(2);
    await says(page, "seed 0 is measured; seed 1 is measured; seed 2 is measured");
    under.writeText("range-test.json", JSON.stringify(record));
    await until(page, () => document.querySelector(".draggable svg path"));
    expect(await page.locator(".growing").count()).toBe(0);
    expect(await page.textContent("main")).toMatch(
      /points? lies? outside of this axis|The cycle between them/,
    );
  });
});
