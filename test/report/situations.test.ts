/** @file What the page says first of each situation, and that all of it is said of images too. */

import { expect, test } from "vitest";
import { renderReport } from "../../src/report/index.ts";
import { type Situation, situation } from "./situations.ts";

/** The text of the page as far as the results. */
const page = async (name: Situation) => {
  const { html } = await renderReport(situation(name));
  const shown = html.slice(html.indexOf("<body"), html.indexOf('<section id="results"'));
  return shown
    .replace(/<[^>]+>/g, " ")
    .replaceAll("&lt;", "<")
    .replace(/\s+/g, " ");
};

test("clear: one arm is ahead, by both tests, and beyond these images", async () => {
  const text = await page("clear");
  expect(text).toContain("adam is ahead: a validation accuracy of 7");
  expect(text).toMatch(
    /That is more than chance: p < 0\.001 by the t test and p = 0\.0078 by the sign-flip test\. It holds beyond these 864 validation images: p [<=] 0\.\d+ over seeds and images together\./,
  );
});

test("not told apart: nobody is named as the best", async () => {
  const text = await page("not told apart");
  expect(text).toMatch(/adam \(7\d\.\d ± \d\.\d%\).* are not told apart after 20 epochs\./);
  expect(text).toContain("The difference may be chance");
  expect(text).not.toContain("is ahead");
});

test("missing trials: compared on the seeds in common, and named", async () => {
  const text = await page("missing trials");
  expect(text).toMatch(/adam is ahead: \d\.\d points above adamax on the 5 seeds in common after/);
  expect(text).toContain("mean of the 5 seeds that both finished");
  expect(text).toContain(
    "Without a final accuracy: adamax on seeds 1, 4 and 6 and rmsprop on seeds 0, 1, 3, 4, 6 and 7.",
  );
  expect(text).toContain(
    "rmsprop finished less than half of 8 seeds, and is not compared with the others.",
  );
});

test("guessing: the learning rate is doubted first", async () => {
  const text = await page("guessing");
  expect(text).toContain("sgd+clr is at the level of guessing. sgd+clr (2");
  expect(text).toContain(
    "is at the level of guessing: always answering “dandelion” scores 24.3%. Doubt its learning rate first.",
  );
});
