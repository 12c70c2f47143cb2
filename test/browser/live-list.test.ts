/**
 * @file The list of studies in Chromium: filtered, tagged, spoken of, deleted, chosen, while it changes under a
 * reader's hands; and studies that go while they are looked at. Needs Chromium; skipped where there is none.
 */

import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at } from "../../src/core/at.ts";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { acquireLease } from "../../src/store/index.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";
import { idsOf, until } from "./live-browser.ts";

describe.skipIf(noChromium !== "")(`the list of studies${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 2, epochs: 8 });
  let server: RunningServer;
  const path = (name: string) => join(runs(), name);
  const ids = () => idsOf(server.port);

  beforeEach(async () => {
    for (const name of ["alder", "birch", "cedar"]) writeRun(path(name), input);
    server = await serve({ folders: [runs()] });
  });
  afterEach(async () => {
    await server?.close();
    for (const name of ["alder", "birch", "cedar", "growing"])
      rmSync(path(name), { recursive: true, force: true });
  });

  const open = async (hash = ""): Promise<Page> => {
    const page = await chromium.page();
    await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
    return page;
  };
  const names = (page: Page) =>
    page
      .locator("tbody th a")
      .allTextContents()
      .then((all) => [...all].sort());
  const shows = (page: Page, wanted: readonly string[]) =>
    expect.poll(() => names(page), { timeout: 20_000 }).toEqual(wanted);

  test("a tag is given, found by the filter, kept in the address, and taken away", async () => {
    const page = await open();
    await page.getByRole("button", { name: /^Edit note and tags of birch/ }).click();
    const dialog = page.getByRole("dialog", { name: "Note and tags of birch" });
    await dialog.getByLabel("Tags").fill("baseline good");
    await dialog.getByRole("button", { name: "Save" }).click();
    await until(page, () => document.querySelectorAll(".tag").length === 2);
    await page.getByLabel("Filter").fill("BASE");
    await shows(page, ["birch"]);
    expect(page.url()).toContain("filter=BASE");
    await page.reload();
    await shows(page, ["birch"]);
    expect(await page.locator("main .note").first().textContent()).toBe("1 of 3 studies");
    await page.getByRole("button", { name: /^Edit note and tags of birch/ }).click();
    await dialog.getByLabel("Tags").fill("good");
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(page, []);
    await page.getByLabel("Filter").fill("sgd+clr");
    await shows(page, ["alder", "birch", "cedar"]);
  });

  test("a name, a note and a tag that are markup, or one long word, are texts within 360 pixels", async () => {
    const hostile = `"><img src=x onerror="document.title=1">`;
    const word = "w".repeat(90);
    const name = `${hostile}${word}`;
    writeRun(path(name), input);
    try {
      await ids();
      const known = (await ids()).get(name);
      const answer = await fetch(`http://127.0.0.1:${server.port}/api/studies/${known}/notes`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ note: hostile + "n".repeat(3000), addTags: [word] }),
      });
      expect(answer.status).toBe(200);
      const page = await chromium.page({ width: 360 });
      await page.goto(`http://127.0.0.1:${server.port}/`);
      await shows(page, [name, "alder", "birch", "cedar"].sort());
      await page.getByLabel("Choose alder").check();
      await page.getByLabel(`Choose ${name}`).check();
      await page.getByRole("link", { name: "Set side by side" }).click();
      await until(page, () => document.querySelectorAll(".chart path").length > 8);
      for (const hash of ["", `#/study/${known}`]) {
        await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
        await until(page, () => document.querySelector("main table tbody tr"));
        const { scroll, client, images } = await page.evaluate(() => ({
          scroll: document.documentElement.scrollWidth,
          client: document.documentElement.clientWidth,
          images: document.images.length,
        }));
        expect([scroll, images]).toEqual([client, 0]);
        expect(await page.title()).toContain("lrscope");
      }
    } finally {
      rmSync(path(name), { recursive: true, force: true });
    }
  });

  test("a study is deleted once that is confirmed, and not before", async () => {
    const page = await open();
    const press = async (answer: boolean) => {
      page.once("dialog", (asked) => void (answer ? asked.accept() : asked.dismiss()));
      const dialog = page.getByRole("dialog", { name: "Note and tags of cedar" });
      if (!(await dialog.isVisible()))
        await page.getByRole("button", { name: /^Edit note and tags of cedar/ }).click();
      await dialog.getByRole("button", { name: "Delete the study…" }).click();
    };
    await press(false);
    expect(existsSync(join(path("cedar"), "experiment.json"))).toBe(true);
    await press(true);
    await shows(page, ["alder", "birch"]);
    expect(existsSync(path("cedar"))).toBe(false);
  });

  test("which are chosen is in the address too", async () => {
    const page = await open();
    await page.getByLabel("Choose alder").check();
    const together = page.getByRole("link", { name: "Set side by side" });
    expect(await together.isHidden()).toBe(true);
    await page.getByLabel("Choose cedar").check();
    await page.reload();
    await together.waitFor();
    expect(await page.getByLabel("Choose cedar").isChecked()).toBe(true);
    const known = await ids();
    expect(await together.getAttribute("href")).toBe(
      `#/together/${known.get("alder")}/${known.get("cedar")}`,
    );
  });

  test("while a study goes on, the focus stays where it is, and a row that has not changed is left alone", async () => {
    const { trial, metrics } = at(input.trials, 0, "trials");
    const growing = writeRun(path("growing"), {
      experiment: input.experiment,
      trials: [{ trial: { ...trial, status: "running" }, metrics: metrics.slice(0, 2) }],
    });
    const lease = await acquireLease(growing.path);
    try {
      const page = await open();
      await shows(page, ["alder", "birch", "cedar", "growing"]);
      await page.getByLabel("Choose growing").focus();
      await page.evaluate(() => {
        for (const row of document.querySelectorAll("tbody tr")) row.setAttribute("data-seen", "");
      });
      for (const line of metrics.slice(2)) growing.appendMetrics(trial.slug, trial.seed, line);
      growing.writeTrial({ ...trial, status: "done" });
      await until(page, () =>
        document.querySelector("tbody")?.textContent?.includes("1 of 4 runs"),
      );
      const left = await page.locator("tbody tr:not([data-seen]) th a").allTextContents();
      expect(left).toEqual(["growing"]);
      expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(
        "Choose growing",
      );
    } finally {
      lease.release();
    }
  });

  test("a study that is taken away while it is looked at says so, keeps what it showed, and goes on once it is back", async () => {
    const page = await open(`#/study/${(await ids()).get("alder")}`);
    await until(page, () => document.querySelector("#differences table"));
    const drawn = () => page.locator(".chart > svg").first().innerHTML();
    const before = await drawn();
    renameSync(path("alder"), join(runs(), ".alder"));
    const warning = page.getByRole("alert").filter({ hasText: "is not a run directory any more" });
    await warning.waitFor();
    expect(await drawn()).toBe(before);
    // Somebody who comes now is told that there is none, and not that nobody answers.
    const late = await open(new URL(page.url()).hash);
    await late.getByRole("alert").filter({ hasText: "there is no such study" }).waitFor();
    expect(await late.locator("#said").textContent()).not.toContain("does not answer");
    renameSync(join(runs(), ".alder"), path("alder"));
    await warning.waitFor({ state: "hidden" });
    await until(late, () => document.querySelector("#differences table"));
    expect(await late.getByRole("alert").filter({ hasText: "no such study" }).isHidden()).toBe(
      true,
    );
  });

  test("side by side and a range test say of a study that it is gone, and show the others", async () => {
    const found = writeRun(path("growing"), {
      experiment: { ...input.experiment, kind: "find" },
      trials: [],
    });
    found.writeText("range-test.json", JSON.stringify(fakeRangeTest()));
    const known = await ids();
    const gone = "0123456789abcdef";
    const page = await open(`#/together/${gone}/${known.get("birch")}`);
    await page.getByRole("alert").filter({ hasText: "there is no such study" }).waitFor();
    await until(page, () => document.querySelector(".chart path"));
    const test = await open(`#/range-test/${known.get("growing")}`);
    await until(test, () => document.querySelector(".draggable svg path"));
    rmSync(path("growing"), { recursive: true });
    await test.getByRole("alert").filter({ hasText: "is not a run directory any more" }).waitFor();
  });
});
