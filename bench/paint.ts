/**
 * @file What the live page takes to paint a large study, and to show one more epoch, beside two libraries for charts.
 * Prints a JSON line for bench/run.mjs. Needs Chromium. Run: npx jiti bench/paint.ts
 *
 * The charts are drawn from data in memory, each library's in the form that it takes; the page is opened by its
 * address, from a server that has not read the study yet. The peers go into a folder of the bench's own.
 */

import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { build } from "rolldown";
import { at } from "../src/core/at.ts";
import type { TrialHistory } from "../src/record/index.ts";
import { serve } from "../src/server/index.ts";
import { createRunDirectory } from "../src/store/index.ts";
import { launch, noChromium } from "../test/browser/launch.ts";
import { idsOf, until } from "../test/browser/live-browser.ts";
import { fakeComparison } from "../test/report/fake-records.ts";
import { ARMS, curves, EPOCHS, SEEDS } from "./paint/data.ts";

const PEERS = { uplot: "1.6.32", "@observablehq/plot": "0.6.17" };
const ROUNDS = 3;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const folder = here(".page-peers");

if (noChromium !== "") {
  console.error("bench: paint needs Chromium at /usr/bin/chromium");
  process.exit(2);
}
installPeers();
const browser = await launch();
const drawn = [
  { name: "live page, its four charts", entry: "paint/lrscope.ts" },
  { name: `uPlot ${PEERS.uplot}`, entry: "paint/uplot.mjs" },
  { name: `Observable Plot ${PEERS["@observablehq/plot"]}`, entry: "paint/plot.mjs" },
];
const scripts = await Promise.all(drawn.map(({ entry }) => bundled(entry)));
const style = readFileSync(here("../dist/web/client.css"), "utf8");
const times = [...drawn.map(({ name }) => name), "live page, from its address"].map((name) => ({
  ...{ name, paint: [] as number[], update: [] as number[] },
}));
const large = largeStudy();
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, script] of scripts.entries()) {
    const page = await browser.newPage({ viewport: { width: 1400, height: 1500 } });
    await page.setContent(`<!doctype html><style>${style}</style><body></body>`);
    await page.addScriptTag({ content: script });
    times[i]?.paint.push(await page.evaluate("paint()"));
    times[i]?.update.push(await page.evaluate("update()"));
    await page.close();
  }
  const page = await browser.newPage({ viewport: { width: 1400, height: 1500 } });
  const whole = await wholePage(page, round);
  times.at(-1)?.paint.push(whole.paint);
  times.at(-1)?.update.push(whole.update);
  await page.close();
}
const version = browser.version();
await browser.close();
rmSync(large.path, { recursive: true });
const spread = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    minMs: sorted[0],
    medianMs: at(sorted, sorted.length >> 1, "sorted"),
    maxMs: sorted.at(-1),
  };
};
console.log(
  JSON.stringify({
    ...{ arms: ARMS, seeds: SEEDS, epochs: EPOCHS, charts: 4, rounds: ROUNDS },
    rows: times.map(({ name, paint, update }) => ({
      name,
      paint: spread(paint),
      update: spread(update),
    })),
    ...{ chromium: version, node: process.versions.node, processor: cpus()[0]?.model.trim() },
  }),
);

function installPeers(): void {
  const wanted = JSON.stringify({ private: true, dependencies: PEERS });
  const list = join(folder, "package.json");
  if (
    existsSync(join(folder, "node_modules")) &&
    existsSync(list) &&
    readFileSync(list, "utf8") === wanted
  )
    return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(list, wanted);
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) {
    console.error("bench: the peers of paint cannot be installed");
    process.exit(2);
  }
}

async function bundled(entry: string): Promise<string> {
  const { output } = await build({
    input: here(entry),
    write: false,
    platform: "browser",
    resolve: { modules: [join(folder, "node_modules"), "node_modules"] },
    output: { format: "iife", minify: true },
    logLevel: "warn",
  });
  return output[0].code;
}

/** A run directory that has as much in it. */
function largeStudy() {
  const path = mkdtempSync(join(tmpdir(), "lrscope-paint-"));
  const of = curves();
  const { experiment, trials } = fakeComparison({ arms: ["adam"], seeds: 1, epochs: 1 });
  const { trial } = at(trials, 0, "trials");
  const arms = Array.from({ length: ARMS }, (_, i) => ({
    ...at(experiment.arms, 0, "arms"),
    ...{ name: `adam@${i + 1}e-4`, slug: `adam-${i}`, learningRate: (i + 1) * 1e-4 },
  }));
  const histories = arms.flatMap(({ name, slug }, arm) =>
    Array.from(
      { length: SEEDS },
      (_, seed): TrialHistory => ({
        trial: { ...trial, arm: name, slug, seed, epochs: EPOCHS, status: "running" },
        metrics: Array.from({ length: EPOCHS }, (_, i) => ({
          ...{ epoch: i + 1, update: (i + 1) * 54, lr: (arm + 1) * 1e-4, seconds: 1 },
          trainLoss: of(arm, seed, i + 1, "trainLoss"),
          trainAccuracy: of(arm, seed, i + 1, "trainAccuracy"),
          validationLoss: of(arm, seed, i + 1, "validationLoss"),
          validationAccuracy: of(arm, seed, i + 1, "validationAccuracy"),
        })),
      }),
    ),
  );
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
  const protocol = { ...experiment.protocol, epochs: EPOCHS, seeds };
  const directory = createRunDirectory(join(path, "large"), {
    ...experiment,
    ...{ arms, protocol },
  });
  for (const { trial: each } of histories) directory.writeTrial(each);
  // Line by line it would take minutes: what a study records is synced to the disk.
  const fileOf = ({ slug, seed }: { slug: string; seed: number }) =>
    join(directory.path, "trials", `${slug}-${seed}`, "metrics.jsonl");
  for (const { trial: each, metrics } of histories)
    writeFileSync(fileOf(each), metrics.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const [first] = histories;
  return { path, file: fileOf(at(histories, 0, "histories").trial), line: first?.metrics.at(-1) };
}

/** From the address to the picture with every arm's mean, band and seeds; and from the line's writing to its picture. */
async function wholePage(page: Page, round: number) {
  const server = await serve({ folders: [large.path] });
  try {
    const id = (await idsOf(server.port)).get("large") ?? "";
    await page.goto("about:blank");
    const shown = () =>
      page.evaluate(
        () =>
          new Promise<void>((resolve) =>
            requestAnimationFrame(() =>
              requestAnimationFrame(() => requestAnimationFrame(() => resolve())),
            ),
          ),
      );
    let began = performance.now();
    await page.goto(`http://127.0.0.1:${server.port}/#/study/${id}`);
    await until(
      page,
      (arms) =>
        [...document.querySelectorAll(".chart > svg")].every(
          (svg) => svg.querySelectorAll("path").length >= 2 * Number(arms),
        ) && document.querySelectorAll(".chart > svg").length === 4,
      String(ARMS),
    );
    await shown();
    const paint = performance.now() - began;
    await until(page, () => document.querySelector("#differences table"));
    await page.waitForTimeout(1500);
    began = performance.now();
    appendFileSync(large.file, `${JSON.stringify({ ...large.line, epoch: EPOCHS + round + 1 })}\n`);
    await until(
      page,
      (epoch) =>
        [...document.querySelectorAll("#trials tbody tr:first-child td")].some((cell) =>
          cell.textContent?.startsWith(epoch),
        ),
      `${EPOCHS + round + 1} `,
    );
    await shown();
    return { paint, update: performance.now() - began };
  } finally {
    await server.close();
  }
}
