// Takes the pictures of the live page that README.md and docs/guide/live-page.md show, of the runs in docs/results,
// light and dark, into docs/images/live. Needs Chromium (CHROMIUM: its path; default /usr/bin/chromium) and a build
// of dist/. What is under way while it is taken (growing-*) is not among them.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../", import.meta.url));
const images = join(root, "docs/images/live");
const RUNS = [
  "compare-flowers-128",
  "compare-flowers-128-96-epochs",
  "compare-flowers-128-size-64",
  "compare-flowers-227",
  "find-flowers-128",
  "rmsprop-flowers-128",
  "transfer-imagenet",
];
/** Milliseconds until all charts of a page are drawn: what is in view comes first. */
const SETTLED = 2000;
const STUDY = "compare-flowers-128-size-64";

const folder = mkdtempSync(join(tmpdir(), "lrscope-pictures-"));
for (const name of RUNS)
  cpSync(join(root, "docs/results", name), join(folder, name), { recursive: true });
const server = spawn(
  process.execPath,
  [join(root, "bin/lrscope.js"), "serve", folder, "--port", "0"],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
try {
  const address = await addressOf(server);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 860 } });
    await takeAll(page, address, (name) => join(images, `${name}-${colorScheme}.png`));
    await page.close();
  }
  await browser.close();
} finally {
  server.kill();
  rmSync(folder, { recursive: true });
}

/** The address that it prints first. */
async function addressOf({ stdout }) {
  for await (const line of createInterface({ input: stdout })) {
    const found = /http:\/\/\S+/.exec(line)?.[0];
    if (found) return found.replace(/#.*/, "").replace(/\/?$/, "/");
  }
  throw new Error("take-pictures: the server ended without an address");
}

async function takeAll(page, address, fileOf) {
  const take = (name) => page.screenshot({ path: fileOf(name), animations: "disabled" });
  const shown = (selector) => page.waitForSelector(selector, { timeout: 60_000 });
  const open = async (hash, selector) => {
    await page.goto("about:blank");
    await page.goto(`${address}${hash}`);
    await shown(selector);
    await page.waitForTimeout(SETTLED);
  };
  await open("#/studies", "table a[href*='#/study/']");
  await take("studies");
  const ids = Object.fromEntries(
    await page.$$eval("table a[href*='#/study/']", (links) =>
      links.map(({ href, textContent }) => [textContent, href.split("/").at(-1)]),
    ),
  );
  const tests = await page.$eval("a[href*='#/range-test/']", ({ href }) => href.split("/").at(-1));
  await open(`#/study/${ids[STUDY]}`, "#differences table");
  await take("study");
  await page.getByRole("button", { name: "sgd+clr", exact: true }).hover();
  await take("settings");
  await page.getByText("after each seed’s best epoch").click();
  await page.getByText("± deviation").click();
  // From the choices on, which stand above the results.
  await page
    .getByText("after each seed’s best epoch")
    .evaluate((choice) => scrollBy(0, choice.getBoundingClientRect().top - 10));
  await page.mouse.move(1190, 850);
  await page.waitForTimeout(SETTLED);
  await take("standings");
  await open(
    `#/together/${ids["compare-flowers-128"]}/${ids["compare-flowers-128-96-epochs"]}`,
    "svg",
  );
  await take("together");
  await open(`#/range-test/${tests}`, "svg");
  await take("range-test");
  await open("#/schedules", "svg");
  await take("schedules");
  await open("#/start", "form");
  await take("start");
  await page.setViewportSize({ width: 1200, height: 520 });
  await page.goto(`${address}figure#/${ids[STUDY]}/accuracy-validation`);
  await shown("svg");
  await page.waitForTimeout(SETTLED);
  await take("figure");
}
